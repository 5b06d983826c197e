/*
 * fuzz_token.c - any bytes as the answer of a token endpoint, and as the
 * token, its life and its surroundings in a well-formed one; and as an error,
 * of which no more than a line may be said.
 */
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/client.h"
#include "http/rules.h"
#include "http/token.h"
#include "tests/fuzz/fuzz.h"

#define MAX (1 << 20)

/* A header can carry it, and nothing comes behind it. */
static bool
is_header_safe(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < 0x21 || s[i] > 0x7e)
			return false;
	return len > 0 && len <= TOKEN_MAX;
}

/* Returns the token, as token_read(). */
static char *
try(const char *body, size_t len)
{
	static const struct token_shape shapes[] = { { .life = 0 },
		{ .token = "/data/0/token",
		    .expires_at = "/expires_at",
		    .host = "/instance_url" } };
	struct http_reply reply = { .body = { .data = (char *)(uintptr_t)body,
					.len = len } };
	struct token t[2];
	char *access;

	for (size_t i = 0; i < 2; i++) {
		token_read(&shapes[i], &reply, INT64_C(1700000000000000),
		    &t[i]);
		if (t[i].access == NULL)
			continue;
		FUZZ_CHECK(is_header_safe(t[i].access, strlen(t[i].access)));
		FUZZ_CHECK(t[i].life > 0 && t[i].life <= CLOCK_DAY);
		FUZZ_CHECK(t[i].life % CLOCK_SECOND == 0);
	}
	access = t[0].access;
	t[0].access = NULL;
	token_release(&t[0]);
	token_release(&t[1]);
	return access;
}

/* Well-formed, with the bytes as the token. */
static void
as_token(const char *data, size_t size)
{
	struct buf body = BUF_INIT(MAX);
	char *token;

	FUZZ_CHECK(buf_adds(&body, "{\"token_type\":\"Bearer\",") == 0 &&
	    buf_adds(&body, "\"expires_in\":3599,\"access_token\":") == 0 &&
	    text_json_string(&body, data, size) == 0 &&
	    buf_adds(&body, "}") == 0);
	token = try(body.data, body.len);
	if (is_header_safe(data, size))
		FUZZ_CHECK(token != NULL && strlen(token) == size &&
		    memcmp(token, data, size) == 0);
	else
		FUZZ_CHECK(token == NULL);
	secret_free(token);
	buf_release(&body);
}

/* The bytes as the life: whatever they are, the token is there if they are
 * JSON at all. */
static void
as_life(const char *data, size_t size)
{
	struct buf body = BUF_INIT(MAX);
	json_t *good;
	char *token;

	FUZZ_CHECK(buf_adds(&body, "{\"access_token\":\"t\",") == 0 &&
	    buf_adds(&body, "\"expires_in\":") == 0 &&
	    buf_add(&body, data, size) == 0 && buf_adds(&body, "}") == 0);
	token = try(body.data, body.len);
	good = json_loadb(body.data, body.len,
	    JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	if (good != NULL)
		FUZZ_CHECK(token != NULL && strcmp(token, "t") == 0);
	json_decref(good);
	secret_free(token);
	buf_release(&body);
}

static void
as_error(const char *data, size_t size)
{
	struct reply_error e;

	rules_error(data, size, &e);
	FUZZ_CHECK(strlen(e.code) < sizeof(e.code));
	FUZZ_CHECK(strlen(e.message) < sizeof(e.message));
	for (const char *s = e.message; *s != '\0'; s++)
		FUZZ_CHECK((unsigned char)*s >= 0x20 && *s != 0x7f);
	for (const char *s = e.code; *s != '\0'; s++)
		FUZZ_CHECK((unsigned char)*s >= 0x20 && *s != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = size > 0 ? (const char *)data : "";

	secret_free(try(s, size));
	as_token(s, size);
	as_life(s, size);
	as_error(s, size);
	return 0;
}
