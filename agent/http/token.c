/*
 * token.c - the reply in which a server grants an access token.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/auth_jwt.h"
#include "http/client.h"
#include "http/token.h"

/* Where the server does not say how long it lives. */
#define LIFE_UNSAID (5 * CLOCK_MINUTE)
#define LIFE_MAX CLOCK_DAY
/* Later times are milliseconds: as seconds they are three thousand years
 * away. */
#define MS_FROM 100000000000.0

/* The value at a pointer; NULL: there is none. */
static const json_t *
at(const json_t *v, const char *pointer)
{
	char key[128];

	while (v != NULL && *pointer == '/') {
		size_t len = strcspn(pointer + 1, "/"), n = 0;

		for (size_t i = 1; i <= len && n < sizeof(key) - 1; i++) {
			key[n] = pointer[i];
			if (pointer[i] == '~' && i < len)
				key[n] = pointer[++i] == '1' ? '/' : '~';
			n++;
		}
		key[n] = '\0';
		v = json_is_array(v)
		    ? json_array_get(v, (size_t)strtoul(key, NULL, 10))
		    : json_object_get(v, key);
		pointer += 1 + len;
	}
	return v;
}

static const json_t *
find(const json_t *top, const char *pointer, const char *otherwise)
{
	if (pointer == NULL)
		pointer = otherwise;
	return pointer != NULL ? at(top, pointer) : NULL;
}

/* A number, or a string of one; 0: neither. */
static double
number(const json_t *v)
{
	const char *text = json_string_value(v);
	char *end;
	double d;

	if (json_is_number(v))
		return json_number_value(v);
	if (text == NULL)
		return 0;
	d = strtod(text, &end);
	return end != text && *end == '\0' ? d : 0;
}

static int64_t
bounded(double seconds)
{
	if (!(seconds >= 1))
		return 0;
	return seconds >= (double)(LIFE_MAX / CLOCK_SECOND)
	    ? LIFE_MAX
	    : (int64_t)seconds * CLOCK_SECOND;
}

/* How long until a time. */
static int64_t
until(const json_t *v, int64_t now)
{
	double seconds = number(v);
	int64_t when;

	if (json_is_string(v) &&
	    clock_parse(json_string_value(v), json_string_length(v), &when) ==
		0)
		seconds = (double)when / (double)CLOCK_SECOND;
	else if (seconds >= MS_FROM)
		seconds /= 1000;
	return bounded(seconds - (double)now / (double)CLOCK_SECOND);
}

static int64_t
read_life(const struct token_shape *shape, const json_t *top,
    const char *access, int64_t now)
{
	int64_t life =
	    bounded(number(find(top, shape->expires_in, "/expires_in")));

	if (life == 0)
		life = until(find(top, shape->expires_at, NULL), now);
	if (life == 0)
		life = shape->life;
	if (life == 0 && jwt_expires(access) > now)
		life = bounded((double)(jwt_expires(access) - now) /
		    (double)CLOCK_SECOND);
	if (life == 0)
		life = LIFE_UNSAID;
	return life < LIFE_MAX ? life : LIFE_MAX;
}

/* RFC 6750 section 2.1 has fewer characters; a header can carry these. */
static bool
is_token(const char *s, size_t len)
{
	if (s == NULL || len == 0 || len > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return true;
}

static char *
text_at(const json_t *v)
{
	const char *text = json_string_value(v);

	return is_token(text, json_string_length(v)) ? secret_copy(text) : NULL;
}

static char *
header_token(const struct http_reply *reply, const char *name)
{
	char *value = xmalloc(TOKEN_MAX);
	char *token = NULL;

	if (http_header(reply, name, value, TOKEN_MAX) &&
	    is_token(value, strlen(value)))
		token = secret_copy(value);
	secret_free(value);
	return token;
}

void
token_read(const struct token_shape *shape, const struct http_reply *reply,
    int64_t now, struct token *out)
{
	json_t *top =
	    json_loadb(reply->body.data != NULL ? reply->body.data : "",
		reply->body.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

	*out = (struct token){ .access = NULL };
	out->access = shape->header != NULL
	    ? header_token(reply, shape->header)
	    : text_at(find(top, shape->token, "/access_token"));
	if (out->access != NULL) {
		out->life = read_life(shape, top, out->access, now);
		out->refresh =
		    text_at(find(top, shape->refresh, "/refresh_token"));
		out->host = text_at(find(top, shape->host, NULL));
	}
	json_decref(top);
}

void
token_release(struct token *t)
{
	secret_free(t->access);
	secret_free(t->refresh);
	secret_free(t->host);
	*t = (struct token){ .access = NULL };
}
