/*
 * test_xml.c - XML of replies.
 */
#include <string.h>

#include "base/buf.h"
#include "base/xml.h"
#include "tests/unit/unit.h"

/* What is read of a document, a line for each piece. */
static const struct {
	const char *xml;
	const char *pieces;
} good[] = {
	{ "<a/>", "(a|a=|" },
	{ "<a></a>", "(a|a=|" },
	{ "<a> x &amp; y </a>\n", "(a|a= x & y |" },
	{ "<?xml version=\"1.0\"?>\n<!-- <b> --><a><b>1</b>\n <b x='>' y=\"\"/>"
	  "</a>",
	    "(a|(a/b|a/b=1|(a/b|a/b=|a)|" },
	{ "\xef\xbb\xbf<n:a-1 xmlns=\"http://s3/\"><_b>&#x41;&#66;&#x20ac;"
	  "</_b></n:a-1 >",
	    "(n:a-1|(n:a-1/_b|n:a-1/_b=AB\xe2\x82\xac|n:a-1)|" },
	{ "<a><![CDATA[<x>&amp;]]>&lt;</a>", "(a|a=<x>&amp;<|" },
	{ "<a><b><c>1</c></b><d/></a>",
	    "(a|(a/b|(a/b/c|a/b/c=1|a/b)|(a/d|a/d=|a)|" },
};

static const char *const bad[] = {
	"",
	" ",
	"a",
	"<a>",
	"<a></b>",
	"<a></a",
	"<a><b></a></b>",
	"<a/><b/>",
	"<a/>x",
	"<a>x<b/></a>",
	"<a><b/>x</a>",
	"<a>&nbsp;</a>",
	"<a>&#0;</a>",
	"<a>&#xd800;</a>",
	"<a>&#x110000;</a>",
	"<a>&#99999999999999999999;</a>",
	"<a>&# 65;</a>",
	"<a>&amp</a>",
	"<a x></a>",
	"<a x=1></a>",
	"<a x='1></a>",
	"<a x='<'></a>",
	"<1/>",
	"<a><![CDATA[x</a>",
	"<a><!-- </a>",
	"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
	"<a><?php x ?></a>",
	"<a><?xml version='1.0'?></a>",
	"<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a>",
};

static enum xml_piece
read_all(const char *data, size_t len, struct buf *out)
{
	struct buf decoded = BUF_INIT(1000);
	enum xml_piece piece;
	struct xml x;
	int rc = 0;

	xml_begin(&x, data, len, &decoded);
	while ((piece = xml_next(&x)) != XML_END && piece != XML_BAD)
		rc |= piece == XML_OPEN ? buf_addf(out, "(%s|", x.path)
		    : piece == XML_SHUT
		    ? buf_addf(out, "%s)|", x.path)
		    : buf_addf(out, "%s=%s|", x.path, x.text);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(xml_next(&x), piece);
	buf_release(&decoded);
	return piece;
}

START_TEST(read)
{
	struct buf out = BUF_INIT(10000);
	enum xml_piece end = read_all(good[_i].xml, strlen(good[_i].xml), &out);

	ck_assert_int_eq(end, XML_END);
	ck_assert_str_eq(out.data, good[_i].pieces);
	buf_release(&out);
}
END_TEST

START_TEST(refuse)
{
	struct buf out = BUF_INIT(10000);

	ck_assert_int_eq(read_all(bad[_i], strlen(bad[_i]), &out), XML_BAD);
	buf_release(&out);
}
END_TEST

/* However a document ends, it ends. */
START_TEST(cut)
{
	const char *xml = good[3].xml;

	for (size_t len = 0; len < strlen(xml); len++) {
		struct buf out = BUF_INIT(10000);

		ck_assert_int_eq(read_all(xml, len, &out), XML_BAD);
		buf_release(&out);
	}
}
END_TEST

START_TEST(find)
{
	const char *xml = "<R><A><B>1</B><B>2</B></A><C>&lt;</C></R>";
	struct buf out = BUF_INIT(100), little = BUF_INIT(0);

	ck_assert_int_eq(xml_find(xml, strlen(xml), "R/A/B", &out), 0);
	ck_assert_str_eq(out.data, "1");
	ck_assert_int_eq(xml_find(xml, strlen(xml), "R/C", &out), 0);
	ck_assert_str_eq(out.data, "1<");
	ck_assert_int_eq(xml_find(xml, strlen(xml), "R/D", &out), -1);
	ck_assert_int_eq(xml_find(xml, strlen(xml) - 1, "R/C", &out), -1);
	ck_assert_int_eq(xml_find(xml, strlen(xml), "R/C", &little), -1);
	buf_release(&out);
	buf_release(&little);
}
END_TEST

Suite *
suite_xml(void)
{
	Suite *s = suite_create("xml");
	TCase *tc = tcase_create("xml");

	tcase_add_loop_test(tc, read, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, refuse, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, cut);
	tcase_add_test(tc, find);
	suite_add_tcase(s, tc);
	return s;
}
