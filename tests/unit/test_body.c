/*
 * test_body.c - bodies, whatever packed them and whatever is said of that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/body.h"
#include "tests/unit/unit.h"

#define TEXT "[{\"Id\":\"one\"},{\"Id\":\"two\"}]"
#define BOM "\xef\xbb\xbf"
#define GZIP (16 + MAX_WBITS)
#define ZLIB MAX_WBITS
#define RAW (-MAX_WBITS)

static struct buf got;

/* gunzip_fn */
static int
take(void *ctx, const char *data, size_t len, struct err *err)
{
	(void)ctx;
	return buf_add(&got, data, len) == 0 ? 0 : err_set(err, "too much");
}

/* Pack b's bytes; bits 0: leave them. */
static void
pack(struct buf *b, int bits)
{
	z_stream z = { .next_in = (unsigned char *)b->data,
		.avail_in = (uInt)b->len };
	unsigned char out[1000];

	if (bits == 0)
		return;
	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, bits, 8,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	z.next_out = out;
	z.avail_out = sizeof(out);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_clear(b);
	ck_assert_int_eq(buf_add(b, out, z.total_out), 0);
	(void)deflateEnd(&z);
}

/* Read packed, so many bytes at a time: 0 with got, or -1. */
static int
read_body(struct http_body *b, const char *coding, const struct buf *packed,
    size_t push, struct err *err)
{
	int rc = 0;

	buf_clear(&got);
	http_body_begin(b, coding, take, NULL);
	for (size_t at = 0; at < packed->len && rc == 0; at += push)
		rc = http_body_push(b, packed->data + at,
		    packed->len - at < push ? packed->len - at : push, err);
	return rc == 0 ? http_body_end(b, err) : -1;
}

static const struct {
	const char *coding;
	const char *text;
	int bits[2]; /* packed with, first to last; 0: not */
	size_t zeros;
} whole[] = {
	{ "", TEXT, { 0 }, 0 },
	{ "identity", TEXT, { 0 }, 0 },
	{ "none", TEXT, { 0 }, 0 },
	{ "utf-8", TEXT, { 0 }, 0 },
	{ " , ", TEXT, { 0 }, 0 },
	{ "something new", TEXT, { 0 }, 0 },
	{ "gzip", TEXT, { GZIP }, 0 },
	{ "GZip", TEXT, { GZIP }, 0 },
	{ "x-gzip", TEXT, { GZIP }, 0 },
	{ "gzip;q=1", TEXT, { GZIP }, 0 },
	{ "gzip, identity", TEXT, { GZIP }, 0 },
	{ "identity,gzip", TEXT, { GZIP }, 0 },
	{ "utf-8, gzip", TEXT, { GZIP }, 0 },
	{ "gzip, gzip", TEXT, { GZIP, GZIP }, 0 },
	{ "gzip", TEXT, { GZIP, GZIP }, 0 },
	{ "", TEXT, { GZIP }, 0 },
	{ "none", TEXT, { GZIP }, 0 },
	{ "gzip", TEXT, { 0 }, 0 },
	{ "br", TEXT, { 0 }, 0 },
	{ "gzip", BOM TEXT, { 0 }, 0 },
	{ "gzip", BOM " \r\n" TEXT, { GZIP }, 0 },
	{ "gzip", TEXT, { GZIP }, 1 },
	{ "gzip", TEXT, { GZIP }, 511 },
	{ "deflate", TEXT, { ZLIB }, 0 },
	{ "deflate", TEXT, { RAW }, 0 },
	{ "Deflate", BOM TEXT, { RAW }, 0 },
	{ "deflate, gzip", TEXT, { ZLIB, GZIP }, 0 },
	{ "gzip, deflate", TEXT, { GZIP, RAW }, 0 },
	{ "deflate", TEXT, { ZLIB }, 7 },
	{ "gzip", "", { 0 }, 0 },
	{ "gzip", "", { GZIP }, 0 },
	{ "", "no JSON", { 0 }, 0 },
};

START_TEST(whole_bodies)
{
	struct http_body *b = http_body_new();

	buf_init(&got, 100000);
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		struct buf packed = BUF_INIT(100000);

		ck_assert_int_eq(buf_adds(&packed, whole[i].text), 0);
		pack(&packed, whole[i].bits[0]);
		pack(&packed, whole[i].bits[1]);
		for (size_t n = 0; n < whole[i].zeros; n++)
			ck_assert_int_eq(buf_add(&packed, "", 1), 0);
		for (size_t push = 1; push < 100; push += 3) {
			struct err err = ERR_INIT;

			ck_assert_msg(read_body(b, whole[i].coding, &packed,
					  push, &err) == 0,
			    "%zu: %s", i, err.text);
			ck_assert_msg(got.len == strlen(whole[i].text) &&
				memcmp(got.data, whole[i].text, got.len) == 0,
			    "%zu: %s", i, got.data);
		}
		buf_release(&packed);
	}
	buf_release(&got);
	http_body_free(b);
}
END_TEST

/* Neither is a body that is cut off, nor one that is followed by something. */
START_TEST(broken_bodies)
{
	static const struct {
		const char *coding;
		int bits;
		int cut; /* bytes off the end; < 0: bytes more */
		const char *says;
	} rows[] = {
		{ "gzip", GZIP, 1, "truncated" },
		{ "", GZIP, 9, "truncated" },
		{ "deflate", ZLIB, 1, "truncated" },
		{ "deflate", RAW, 3, "truncated" },
		{ "gzip", GZIP, -3, "gzip" },
		{ "deflate", ZLIB, -3, "after its end" },
		{ "br", RAW, 0, "Content-Encoding br" },
		{ "gzip", RAW, 0, "damaged" },
	};
	struct http_body *b = http_body_new();

	buf_init(&got, 100000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf packed = BUF_INIT(100000);
		struct err err = ERR_INIT;

		ck_assert_int_eq(buf_adds(&packed, TEXT), 0);
		pack(&packed, rows[i].bits);
		if (rows[i].cut < 0)
			ck_assert_int_eq(buf_adds(&packed, "abc"), 0);
		else
			packed.len -= (size_t)rows[i].cut;
		ck_assert_msg(read_body(b, rows[i].coding, &packed, 5, &err) ==
			-1,
		    "%zu", i);
		ck_assert_msg(strstr(err.text, rows[i].says) != NULL, "%zu: %s",
		    i, err.text);
		buf_release(&packed);
	}
	buf_release(&got);
	http_body_free(b);
}
END_TEST

START_TEST(shapes_and_quotes)
{
	static const struct {
		const char *body;
		enum http_shape shape;
		const char *quote;
	} rows[] = {
		{ "", HTTP_EMPTY, "" },
		{ BOM " \n", HTTP_EMPTY, "" },
		{ " [1]", HTTP_ARRAY, "[1]" },
		{ BOM "{}", HTTP_OBJECT, "{}" },
		{ "<html>\n<head><TITLE lang=\"en\">Access\n Denied</TITLE>",
		    HTTP_PAGE, "Access Denied" },
		{ "<?xml version=\"1.0\"?>", HTTP_PAGE,
		    "<?xml version=\"1.0\"?>" },
		{ " \r\n" BOM "\f\v<HTML>", HTTP_PAGE, "<HTML>" },
		{ BOM BOM "\n<!-- a -->", HTTP_PAGE, "<!-- a -->" },
		{ "\r\n" BOM " [1]", HTTP_ARRAY, "[1]" },
		{ "\xff\xfe<", HTTP_OTHER, "?\?<" },
		{ "no\x1b[2J \x07\xc2\x9b\xff!", HTTP_OTHER, "no [2J ?!" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].body);
		char quote[200];

		ck_assert_int_eq(http_body_shape(rows[i].body, len),
		    rows[i].shape);
		http_body_quote(rows[i].body, len, quote, sizeof(quote));
		ck_assert_str_eq(quote, rows[i].quote);
	}
}
END_TEST

/* Pages of UTF-16, which only their bytes tell. */
START_TEST(wide_pages)
{
	static const struct {
		const char *body;
		size_t len;
		enum http_shape shape;
	} rows[] = {
		{ "\xff\xfe<\0h\0", 6, HTTP_PAGE },
		{ "\xfe\xff\0<\0h", 6, HTTP_PAGE },
		{ "<\0h\0", 4, HTTP_PAGE },
		{ "\0\r\0\n\0<\0h", 8, HTTP_PAGE },
		{ "\xff\xfe \0\n\0<\0", 8, HTTP_PAGE },
		{ "\xff\xfe[\0]\0", 6, HTTP_OTHER },
		{ "\xff\xfe", 2, HTTP_OTHER },
		{ "\0", 1, HTTP_OTHER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(http_body_shape(rows[i].body, rows[i].len) ==
			rows[i].shape,
		    "%zu", i);
}
END_TEST

Suite *
suite_body(void)
{
	Suite *s = suite_create("body");
	TCase *tc = tcase_create("body");

	tcase_add_test(tc, whole_bodies);
	tcase_add_test(tc, broken_bodies);
	tcase_add_test(tc, shapes_and_quotes);
	tcase_add_test(tc, wide_pages);
	suite_add_tcase(s, tc);
	return s;
}
