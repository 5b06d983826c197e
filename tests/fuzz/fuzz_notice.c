/*
 * fuzz_notice.c - any bytes as the body of a message about objects, and as the
 * name of one in each form of such a message.  What is taken can be listed, and
 * a name comes out as it went in.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "sources/aws/s3.h"
#include "tests/fuzz/fuzz.h"

#define MAX ((size_t)1 << 20)

struct taken {
	size_t n;
	struct buf key; /* of the last one */
};

/* notice_fn */
static int
take(void *ctx, const struct s3_object *o, struct err *err)
{
	struct taken *t = ctx;
	const char *at = o->key;

	(void)err;
	t->n++;
	FUZZ_CHECK(strlen(o->bucket) >= 3 &&
	    strpbrk(o->bucket, "/?#% ") == NULL);
	FUZZ_CHECK(*at != '\0' && strlen(at) <= 1024);
	while (*at != '\0') {
		size_t n = text_utf8(at, strlen(at));

		FUZZ_CHECK(n > 0);
		at += n;
	}
	FUZZ_CHECK(o->size >= -1);
	buf_clear(&t->key);
	FUZZ_CHECK(buf_adds(&t->key, o->key) == 0);
	return 0;
}

static enum notice
read_body(const char *body, size_t len, struct taken *t)
{
	struct err err = ERR_INIT;
	enum notice what = NOTICE_ODD;
	const char *why = "";

	*t = (struct taken){ .key = BUF_INIT(MAX) };
	FUZZ_CHECK(notice_read(body, len, take, t, &what, &why, &err) == 0);
	FUZZ_CHECK((why != NULL) == (what == NOTICE_ODD));
	FUZZ_CHECK(why == NULL || *why != '\0');
	return what;
}

static bool
is_name(const char *s, size_t len)
{
	if (len == 0 || len > 1024 || memchr(s, '\0', len) != NULL)
		return false;
	for (size_t n; len > 0; s += n, len -= n)
		if ((n = text_utf8(s, len)) == 0)
			return false;
	return true;
}

/* A message about an object, its name in that form, and from whom it is. */
static void
named(const char *s, size_t len, const char *before, const char *behind,
    bool encoded)
{
	struct buf body = BUF_INIT(MAX), name = BUF_INIT(MAX);
	struct taken t;

	for (size_t i = 0; i < len && encoded; i++) {
		const unsigned char c = (unsigned char)s[i];
		const bool plain =
		    c < 128 && c % 3 != 0 && c != '+' && c != '%';

		FUZZ_CHECK((c == ' ' ? buf_adds(&name, "+")
				   : plain
				   ? buf_add(&name, s + i, 1)
				   : buf_addf(&name, "%%%02x", c)) == 0);
	}
	if (!encoded)
		FUZZ_CHECK(buf_add(&name, s, len) == 0);
	FUZZ_CHECK(buf_adds(&body, before) == 0 &&
	    text_json_string(&body, name.data, name.len) == 0 &&
	    buf_adds(&body, behind) == 0);
	FUZZ_CHECK(read_body(body.data, body.len, &t) == NOTICE_OBJECTS);
	FUZZ_CHECK(t.n == 1 && t.key.len == len &&
	    memcmp(t.key.data, s, len) == 0);
	buf_release(&t.key);
	buf_release(&body);
	buf_release(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = size > 0 ? (const char *)data : "";
	struct taken t;

	(void)read_body(s, size, &t);
	buf_release(&t.key);
	if (!is_name(s, size))
		return 0;
	named(s, size,
	    "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{"
	    "\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":",
	    "}}}]}", true);
	named(s, size, "{\"s3Bucket\":\"logs\",\"s3ObjectKey\":[", "]}", false);
	named(s, size,
	    "{\"detail-type\":\"Object Created\",\"detail\":{\"bucket\":{"
	    "\"name\":\"logs\"},\"object\":{\"key\":",
	    "}}}", false);
	return 0;
}
