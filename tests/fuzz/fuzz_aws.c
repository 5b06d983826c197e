/*
 * fuzz_aws.c - any bytes as what AWS answers who asks for keys: the token
 * service, a container's agent, an instance's metadata.  And the bytes as a
 * part of an answer that is well-formed: as a key they come out as they went
 * in, or not at all.
 *
 * Whatever is answered, a key is one that a request can carry and has a life
 * with an end, or there is a sentence that says why there is none.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "http/aws_private.h"
#include "tests/fuzz/fuzz.h"

#define MAX ((size_t)1 << 20)

/* Longest field that a key has (aws_ask.c). */
#define FIELD_MAX ((size_t)16 << 10)

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)

/* Between two answers in an input. */
#define MARK "<next>"

enum way { WAY_INSTANCE, WAY_CONTAINER, WAY_IDENTITY, WAY_ROLE, WAYS };

static char region[] = "eu-west-1", session[] = "s", key[] = "AKID:secret",
	    role[] = "arn:aws:iam::123456789012:role/r",
	    sts[] = "https://sts.example/", metadata[] = "http://127.0.0.1:1";
static char identity[64]; /* a file */
static char *roles[] = { role, NULL };
static const struct aws_conf conf[WAYS] = {
	[WAY_INSTANCE] = { .metadata_url = metadata },
	[WAY_CONTAINER] = { .session = session },
	[WAY_IDENTITY] = { .region = region,
	    .session = session,
	    .identity_file = identity,
	    .identity_role = role,
	    .sts_url = sts },
	[WAY_ROLE] = { .region = region,
	    .session = session,
	    .key = key,
	    .roles = roles,
	    .sts_url = sts },
};

/* What is answered, one after the other; the last one again and again. */
static struct {
	struct slice rest;
	unsigned asked;
} script;

/* In the place of the one that asks, by the linker. */
int __wrap_http_do(struct http *h, const struct http_request *req,
    struct http_reply *reply, struct err *err);

int
__wrap_http_do(struct http *h, const struct http_request *req,
    struct http_reply *reply, struct err *err)
{
	static const int statuses[] = { 200, 200, 200, 200, 400, 401, 403, 404,
		405, 429, 500, 503, 302, 204 };
	struct slice s = script.rest;
	const char *end = s.len < strlen(MARK)
	    ? NULL
	    : memmem(s.data, s.len, MARK, strlen(MARK));

	(void)h;
	FUZZ_CHECK(strncmp(req->url, "http", 4) == 0);
	for (const char *c = req->url; *c != '\0'; c++)
		FUZZ_CHECK((unsigned char)*c > ' ' && *c != 0x7f);
	FUZZ_CHECK(++script.asked <= 3 * 3); /* three tries */
	http_reply_release(reply);
	http_reply_init(reply);
	if (end != NULL) {
		s.len = (size_t)(end - s.data);
		script.rest.data += s.len + strlen(MARK);
		script.rest.len -= s.len + strlen(MARK);
	}
	if (s.len == 0)
		return err_set(err, "no answer");
	reply->status = statuses[(unsigned char)s.data[0] %
	    (sizeof(statuses) / sizeof(statuses[0]))];
	reply->date = (unsigned char)s.data[0] < 128 ? NOW : INT64_MIN;
	reply->date_at = clock_monotonic();
	reply->retry_after = -1;
	FUZZ_CHECK(buf_add(&reply->body, s.data + 1, s.len - 1) == 0);
	return 0;
}

static void
begin(void)
{
	int fd = memfd_create("identity", MFD_CLOEXEC);

	FUZZ_CHECK(fd != -1 && file_write_all(fd, "e30.e30.x", 9) == 0);
	(void)snprintf(identity, sizeof(identity), "/proc/self/fd/%d", fd);
}

static void
check_plain(const char *s)
{
	FUZZ_CHECK(*s != '\0');
	for (; *s != '\0'; s++)
		FUZZ_CHECK((unsigned char)*s > ' ' && (unsigned char)*s < 0x7f);
}

/* Ask by a way; true: there is a key now, which the caller releases. */
static bool
ask(enum way way, const char *s, size_t len, struct aws_key *got)
{
	struct aws *a = aws_new(&conf[way]);
	struct outcome r;
	enum reply_class class;

	if (way == WAY_CONTAINER)
		FUZZ_CHECK(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI",
			       "http://127.0.0.1:1/key", 1) == 0);
	else
		(void)unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	script.rest = (struct slice){ s, len };
	script.asked = 0;
	*got = (struct aws_key){ .id = NULL };
	class = aws_keys(a, NULL, got, &r);
	FUZZ_CHECK(class == r.class);
	FUZZ_CHECK((class == REPLY_OK) == (got->id != NULL));
	if (class == REPLY_OK) {
		check_plain(got->id);
		check_plain(got->secret);
		if (got->token != NULL)
			check_plain(got->token);
		FUZZ_CHECK(a->now.life > 0);
		FUZZ_CHECK(a->now.life <= 2 * CLOCK_DAY ||
		    (a->now.life == INT64_MAX && way <= WAY_CONTAINER));
	} else {
		struct buf clean = BUF_INIT(MAX);

		FUZZ_CHECK(*r.text != '\0' && r.wait >= 0);
		FUZZ_CHECK(text_printable(&clean, r.text, strlen(r.text)) == 0);
		FUZZ_CHECK(strcmp(clean.data, r.text) == 0);
		buf_release(&clean);
	}
	aws_free(a);
	return class == REPLY_OK;
}

static bool
is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f)
			return false;
	return len > 0;
}

/* The bytes as the secret of a container's answer, and as the end of its
 * life. */
static void
in_json(const char *s, size_t len)
{
	struct buf b = BUF_INIT(MAX);
	struct aws_key got;

	FUZZ_CHECK(buf_adds(&b,
		       "T{\"AccessKeyId\":\"AKID\",\"Token\":\"t\","
		       "\"SecretAccessKey\":") == 0 &&
	    text_json_string(&b, s, len) == 0 &&
	    buf_adds(&b, ",\"Expiration\":\"2027-01-15T12:00:00Z\"}") == 0);
	FUZZ_CHECK(ask(WAY_CONTAINER, b.data, b.len, &got) == is_plain(s, len));
	if (got.secret != NULL)
		FUZZ_CHECK(strlen(got.secret) == len &&
		    memcmp(got.secret, s, len) == 0);
	aws_key_release(&got);
	buf_clear(&b);
	FUZZ_CHECK(buf_adds(&b,
		       "T{\"AccessKeyId\":\"AKID\",\"Token\":\"t\","
		       "\"SecretAccessKey\":\"s\","
		       "\"Expiration\":") == 0 &&
	    text_json_string(&b, s, len) == 0 && buf_adds(&b, "}") == 0);
	(void)ask(WAY_CONTAINER, b.data, b.len, &got);
	aws_key_release(&got);
	buf_release(&b);
}

static void
add_xml(struct buf *b, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(buf_addf(b, "&#x%x;", (unsigned char)s[i]) == 0);
}

/* The bytes as the secret of an answer of the token service. */
static void
in_xml(const char *s, size_t len)
{
	struct buf b = BUF_INIT(MAX);
	struct aws_key got;

	FUZZ_CHECK(buf_adds(&b,
		       "T<AssumeRoleResponse><AssumeRoleResult><Credentials>"
		       "<AccessKeyId>AKID</AccessKeyId><SecretAccessKey>") ==
	    0);
	add_xml(&b, s, len);
	FUZZ_CHECK(buf_adds(&b,
		       "</SecretAccessKey><SessionToken>t</SessionToken>"
		       "<Expiration>2027-01-15T12:00:00Z</Expiration>"
		       "</Credentials></AssumeRoleResult>"
		       "</AssumeRoleResponse>") == 0);
	(void)ask(WAY_ROLE, b.data, b.len, &got);
	if (is_plain(s, len) && len < FIELD_MAX)
		FUZZ_CHECK(got.secret != NULL && strlen(got.secret) == len &&
		    memcmp(got.secret, s, len) == 0);
	aws_key_release(&got);
	buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	struct aws_key got;

	if (identity[0] == '\0')
		begin();
	if (size < 2)
		return 0;
	(void)ask((enum way)(data[0] % WAYS), s + 1, size - 1, &got);
	aws_key_release(&got);
	if (memmem(s, size, MARK, strlen(MARK)) == NULL) {
		in_json(s, size);
		in_xml(s, size);
	}
	return 0;
}
