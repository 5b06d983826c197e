/*
 * test_page.c - web pages among answers, and what they call themselves.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/utf16.h"
#include "outputs/http/page.h"
#include "tests/unit/unit.h"

static const struct {
	const char *type;
	const char *body;
	bool page;
	const char *title;
} answers[] = {
	{ "", "", false, "" },
	{ "text/html", "", false, "" },
	{ "text/html", " \r\n\xef\xbb\xbf ", false, "" },
	{ "", "ok", false, "" },
	{ "text/plain", "1 < 2 <htmlx>", false, "" },
	{ "application/json", "{\"text\":\"<html>\"}", false, "" },
	{ "text/html; charset=utf-8", "{\"code\":0}", false, "" },
	{ "text/xml", "<?xml version=\"1.0\"?><ok/>", false, "" },
	{ "text/html", "ok", true, "" },
	{ "Application/XHTML+xml", "<p>no</p>", true, "" },
	{ "", "<HTML>", true, "" },
	{ "application/json",
	    "<html><head><title>Request Rejected</title></head>", true,
	    "Request Rejected" },
	{ "",
	    "\xef\xbb\xbf\r\n <!DocType HTML>\n<TITLE lang=en>\n Sign  in\t "
	    "to\n"
	    "your account </TITLE>",
	    true, "Sign in to your account" },
	{ "",
	    "<?xml version=\"1.0\"?>\n<!-- <x> -->\n<!DOCTYPE html PUBLIC "
	    "\"-//W3C//DTD XHTML 1.0 Strict//EN\" "
	    "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">"
	    "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
	    true, "" },
	{ "", "blocked, see below\n<html lang='en'>", true, "" },
	{ "", "{not json <html >", true, "" },
	{ "", "<script>location='/login'</script>", true, "" },
	{ "",
	    "<titles/><html><title>A &amp; B &lt;x&gt; &#38;&#x26; &#x1F512; "
	    "&nbsp;&bogus; &#10;&#27;[31m&#0;z&#x202e;</title>",
	    true, "A & B <x> && \xf0\x9f\x94\x92 &bogus; [31m z" },
	{ "",
	    "<html><title>a\x1b]0;x\x07"
	    "b\xc2\x9b"
	    "c\xff"
	    "d</title>",
	    true, "a ]0;x b c?d" },
	/* Fragments. */
	{ "text/plain",
	    "<!-- 17 --><center><h1>502 Bad Gateway</h1></center><hr>", true,
	    "" },
	{ "", "\v\f<H2>Web Page Blocked</H2>", true, "" },
	{ "", "<div class='error'>denied", true, "" },
	{ "application/json", "<p>Sign in</p>", true, "" },
	{ "", "<form action=/login>", true, "" },
	{ "", "<iframe src=x>", true, "" },
	{ "", "<style>a{}</style><table>", true, "" },
	{ "", "<br/>", true, "" },
	{ "text/plain", "<a href=\"/login\">Found</a>.", true, "" },
	{ "", "<b>Access denied</b>", true, "" },
	{ "", "<pre>Blocked</pre>", true, "" },
	{ "", "<pong/>", false, "" },
	{ "", "<ack>1</ack>", false, "" },
	{ "text/xml", "<body-id>1</body-id>", false, "" },
	/* Challenges. */
	{ "application/javascript; charset=utf-8", "location='/login'", true,
	    "" },
	{ "Text/JavaScript", "{\"code\":0}", false, "" },
	{ "image/gif", "GIF89a", true, "" },
	{ "", "<response><code>0</code></response>", false, "" },
	{ "", "<html><title>unended", true, "unended" },
	{ "", "<html><title", true, "" },
};

START_TEST(page)
{
	struct buf text = BUF_INIT(1024);
	char title[PAGE_TITLE];
	struct slice s;

	page_text((struct slice){ answers[_i].body, strlen(answers[_i].body) },
	    &text);
	s = (struct slice){ text.data, text.len };
	ck_assert_int_eq(page_is(s, answers[_i].type, false), answers[_i].page);
	if (answers[_i].page) {
		page_title(s, title);
		ck_assert_str_eq(title, answers[_i].title);
	}
	buf_release(&text);
}
END_TEST

/* As UTF-16 in both orders with and without a mark, and as gzip that no header
 * speaks of. */
START_TEST(page_in_other_bytes)
{
	static const char html[] = "<html><title>No \xe2\x82\xac</title>";
	static const char wide[] = "<html><title>No \x20\xac</title>";
	struct buf body = BUF_INIT(1024), text = BUF_INIT(1024);
	struct gzip *g = gzip_new();
	struct err err = ERR_INIT;
	char title[PAGE_TITLE];

	if (_i == 4) {
		ck_assert_int_eq(gzip_pack(g, html, strlen(html), &body, &err),
		    0);
	} else {
		if (_i >= 2)
			ck_assert_int_eq(buf_add(&body,
					     _i == 2 ? "\xff\xfe" : "\xfe\xff",
					     2),
			    0);
		for (size_t i = 0; i < strlen(wide); i++) {
			char unit[2] = { 0, wide[i] };

			if (wide[i] == '\x20' && wide[i + 1] == '\xac')
				unit[0] = wide[i], unit[1] = wide[++i];
			if (_i % 2 == 0) {
				char c = unit[0];

				unit[0] = unit[1];
				unit[1] = c;
			}
			ck_assert_int_eq(buf_add(&body, unit, 2), 0);
		}
	}
	page_text((struct slice){ body.data, body.len }, &text);
	ck_assert(page_is((struct slice){ text.data, text.len }, "", false));
	page_title((struct slice){ text.data, text.len }, title);
	ck_assert_str_eq(title, "No \xe2\x82\xac");
	gzip_free(g);
	buf_release(&body);
	buf_release(&text);
}
END_TEST

START_TEST(title_is_cut_between_characters)
{
	struct buf text = BUF_INIT(4096);
	char title[PAGE_TITLE];

	ck_assert_int_eq(buf_adds(&text, "<title>a"), 0);
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(buf_adds(&text, "\xc3\xa4"), 0);
	page_title((struct slice){ text.data, text.len }, title);
	ck_assert_uint_eq(strlen(title), PAGE_TITLE - 1);
	ck_assert_str_eq(title + PAGE_TITLE - 3, "\xc3\xa4");
	buf_release(&text);
}
END_TEST

/* Halves of characters, at the end and in the middle, byte by byte. */
START_TEST(utf16_halves)
{
	static const char units[] = { '\x3d', '\xd8', '\x12', '\xdd', '\x3d',
		'\xd8', 'a', '\0', '\0', '\xdc', 'b', '\0', '\x3d', '\xd8' };
	struct utf16 u = { .order = UTF16_LE };
	struct buf out = BUF_INIT(64);

	for (size_t i = 0; i < sizeof(units); i++)
		ck_assert_int_eq(utf16_add(&u, units + i, 1, &out), 0);
	ck_assert_int_eq(utf16_end(&u, &out), 0);
	ck_assert_str_eq(out.data,
	    "\xf0\x9f\x94\x92\xef\xbf\xbd"
	    "a\xef\xbf\xbd"
	    "b\xef\xbf\xbd");
	buf_release(&out);
}
END_TEST

Suite *
suite_page(void)
{
	Suite *s = suite_create("page");
	TCase *tc = tcase_create("page");

	tcase_add_loop_test(tc, page, 0, sizeof(answers) / sizeof(answers[0]));
	tcase_add_loop_test(tc, page_in_other_bytes, 0, 5);
	tcase_add_test(tc, title_is_cut_between_characters);
	tcase_add_test(tc, utf16_halves);
	suite_add_tcase(s, tc);
	return s;
}
