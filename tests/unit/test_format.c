/*
 * test_format.c - Wazuh's envelope, CEF and LEEF: what a SIEM reads, and that
 * the vendor's bytes come out again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "delivery/chunk.h"
#include "outputs/format.h"
#include "outputs/format_map.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"
#include "verify/wrapped.h"

#define SHIPPED SRCDIR "/outputs/formats"
#define FEED "contoso/Audit.Exchange"

/* 2023-11-14T22:13:20.123456Z */
#define WHEN INT64_C(1700000000123456)

static char dir[64];
static char path[128];

static struct chunk_line
event(const char *type, const char *value)
{
	return (struct chunk_line){ .feed = FEED,
		.source_type = type,
		.number = 42,
		.when = WHEN,
		.value = value,
		.len = strlen(value) };
}

/* The line in the format; the caller frees it. */
static char *
shown(enum format_kind kind, const struct chunk_line *line)
{
	struct err err = ERR_INIT;
	struct format *f = format_new(kind, "fra1", SHIPPED, &err);
	struct buf out = BUF_INIT(1 << 24);

	ck_assert_msg(f != NULL, "%s", err.text);
	ck_assert_int_eq(format_add(f, line, &out), 0);
	format_free(f);
	return buf_take(&out, NULL);
}

/* A record of CloudTrail. */
#define TRAIL                                                                 \
	"{\"eventName\":\"ConsoleLogin\",\"eventSource\":\"signin.amazonaws." \
	"com\",\"awsRegion\":\"eu-central-1\",\"sourceIPAddress\":\"192.0.2." \
	"7\""                                                                 \
	",\"userIdentity\":{\"userName\":\"amy\"},\"responseElements\":"      \
	"{\"ConsoleLogin\":\"Failure\"}}"

static const struct {
	enum format_kind kind;
	const char *type;
	const char *value;
	const char *expected;
} vectors[] = {
	{ FORMAT_WAZUH, "office365", "{\"Id\":\"x\"}",
	    "{\"integration\":\"office365\",\"sealfeed\":{\"feed\":\"" FEED
	    "\",\"index\":42,\"agent\":\"fra1\"},\"office365\":{\"Id\":\"x\"}"
	    "}" },
	{ FORMAT_WAZUH, "microsoft-graph", "{}",
	    "{\"integration\":\"ms-graph\",\"sealfeed\":{\"feed\":\"" FEED
	    "\",\"index\":42,\"agent\":\"fra1\"},\"ms-graph\":{}}" },
	/* A type without a mapping is called as it is. */
	{ FORMAT_WAZUH, "netskope", "{}",
	    "{\"integration\":\"netskope\",\"sealfeed\":{\"feed\":\"" FEED
	    "\",\"index\":42,\"agent\":\"fra1\"},\"netskope\":{}}" },
	{ FORMAT_LEEF, "netskope", "{}",
	    "LEEF:2.0|sealfeed|netskope|1|event|x09|sealfeedFeed=" FEED
	    "\tsealfeedIndex=42\tsealfeedAgent=fra1\t"
	    "devTime=2023-11-14T22:13:20.123Z\t"
	    "devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX\tsev=3\trawEvent={}" },
	/* The header escapes "|" and "\", values "=" and "\"; line breaks in
	 * values are \n and \r, in the header spaces. */
	{ FORMAT_CEF, "office365",
	    "{\"Operation\":\"A|b\\\\c\\nd=e\",\"UserId\":\"x=y|z\\\\\\r\\n\"}",
	    "CEF:0|Microsoft|Microsoft 365|1|A\\|b\\\\c d=e|A\\|b\\\\c d=e|3|"
	    "sealfeedFeed=" FEED " sealfeedIndex=42 sealfeedAgent=fra1 "
	    "rt=1700000000123 act=A|b\\\\c\\nd\\=e suser=x\\=y|z\\\\\\r\\n "
	    "rawEvent={\"Operation\":\"A|b\\\\\\\\c\\\\nd\\=e\",\"UserId\":"
	    "\"x\\=y|z\\\\\\\\\\\\r\\\\n\"}" },
	/* A label stands where its value does; numbers are texts. */
	{ FORMAT_CEF, "office365",
	    "{\"RecordType\":15,\"ClientIP\":\"1.2.3.4:5\"}",
	    "CEF:0|Microsoft|Microsoft 365|1|event|event|3|sealfeedFeed=" FEED
	    " sealfeedIndex=42 sealfeedAgent=fra1 rt=1700000000123 src=1.2.3.4 "
	    "cs1=15 cs1Label=RecordType "
	    "rawEvent={\"RecordType\":15,\"ClientIP\":\"1.2.3.4:5\"}" },
	{ FORMAT_CEF, "office365", "{\"ClientIP\":\"[2001:db8::1]:443\"}",
	    "CEF:0|Microsoft|Microsoft 365|1|event|event|3|sealfeedFeed=" FEED
	    " sealfeedIndex=42 sealfeedAgent=fra1 rt=1700000000123 "
	    "c6a2=2001:db8::1 c6a2Label=Source IPv6 Address "
	    "rawEvent={\"ClientIP\":\"[2001:db8::1]:443\"}" },
	/* An address that is none is left to rawEvent. */
	{ FORMAT_CEF, "office365", "{\"ClientIP\":\"<null>\"}",
	    "CEF:0|Microsoft|Microsoft 365|1|event|event|3|sealfeedFeed=" FEED
	    " sealfeedIndex=42 sealfeedAgent=fra1 rt=1700000000123 "
	    "rawEvent={\"ClientIP\":\"<null>\"}" },
	/* Of a list the first that is there, in arrays, too. */
	{ FORMAT_CEF, "aws-s3", TRAIL,
	    "CEF:0|Amazon|AWS CloudTrail|1|ConsoleLogin|ConsoleLogin|3|"
	    "sealfeedFeed=" FEED " sealfeedIndex=42 sealfeedAgent=fra1 "
	    "rt=1700000000123 act=ConsoleLogin app=signin.amazonaws.com "
	    "outcome=Failure suser=amy src=192.0.2.7 cs1=eu-central-1 "
	    "cs1Label=Region rawEvent=" TRAIL },
	{ FORMAT_LEEF, "aws-cloudtrail", TRAIL,
	    "LEEF:2.0|Amazon|AWS CloudTrail|1|ConsoleLogin|x09|"
	    "sealfeedFeed=" FEED "\tsealfeedIndex=42\tsealfeedAgent=fra1\t"
	    "devTime=2023-11-14T22:13:20.123Z\t"
	    "devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX\tsev=3\t"
	    "cat=signin.amazonaws.com\tusrName=amy\tsrc=192.0.2.7\t"
	    "result=Failure\tregion=eu-central-1\trawEvent=" TRAIL },
	{ FORMAT_CEF, "okta",
	    "{\"eventType\":\"user.x\",\"target\":[{\"displayName\":\"D\"}]}",
	    "CEF:0|Okta|System Log|1|user.x|user.x|3|sealfeedFeed=" FEED
	    " sealfeedIndex=42 sealfeedAgent=fra1 rt=1700000000123 act=user.x "
	    "duser=D rawEvent={\"eventType\":\"user.x\",\"target\":"
	    "[{\"displayName\":\"D\"}]}" },
	/* A number of any size, which alone is left to rawEvent. */
	{ FORMAT_CEF, "office365",
	    "{\"RecordType\":15,\"UserId\":96450734645698552829}",
	    "CEF:0|Microsoft|Microsoft 365|1|event|event|3|sealfeedFeed=" FEED
	    " sealfeedIndex=42 sealfeedAgent=fra1 rt=1700000000123 cs1=15 "
	    "cs1Label=RecordType "
	    "rawEvent={\"RecordType\":15,\"UserId\":96450734645698552829}" },
	/* Sources without a mapping. */
	{ FORMAT_CEF, "unheard-of", "{\"a\":1}",
	    "CEF:0|sealfeed|unheard-of|1|event|event|3|sealfeedFeed=" FEED
	    " sealfeedIndex=42 sealfeedAgent=fra1 rt=1700000000123 "
	    "rawEvent={\"a\":1}" },
	/* What is no JSON is there nevertheless. */
	{ FORMAT_CEF, "office365", "{\"a\":=}",
	    "CEF:0|Microsoft|Microsoft 365|1|event|event|3|sealfeedFeed=" FEED
	    " sealfeedIndex=42 sealfeedAgent=fra1 rt=1700000000123 "
	    "rawEvent={\"a\":\\=}" },
	{ FORMAT_LEEF, "office365",
	    "{\"Operation\":\"A|b\",\"UserId\":\"x\\ty=\\n\"}",
	    "LEEF:2.0|Microsoft|Microsoft 365|1|A b|x09|sealfeedFeed=" FEED
	    "\tsealfeedIndex=42\tsealfeedAgent=fra1\t"
	    "devTime=2023-11-14T22:13:20.123Z\t"
	    "devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX\tsev=3\tusrName=x y= \t"
	    "rawEvent={\"Operation\":\"A|b\",\"UserId\":\"x\\ty=\\n\"}" },
	/* An event with a tab gets another delimiter. */
	{ FORMAT_LEEF, "office365", "{\t\"UserId\":\"x\"}",
	    "LEEF:2.0|Microsoft|Microsoft 365|1|event|x1F|sealfeedFeed=" FEED
	    "\x1fsealfeedIndex=42\x1fsealfeedAgent=fra1\x1f"
	    "devTime=2023-11-14T22:13:20.123Z\x1f"
	    "devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX\x1fsev=3\x1fusrName=x\x1f"
	    "rawEvent={\t\"UserId\":\"x\"}" },
};

START_TEST(vector)
{
	struct chunk_line line = event(vectors[_i].type, vectors[_i].value);
	char *s = shown(vectors[_i].kind, &line);

	ck_assert_str_eq(s, vectors[_i].expected);
	free(s);
}
END_TEST

static const enum format_kind kinds[] = { FORMAT_WAZUH, FORMAT_CEF,
	FORMAT_LEEF };

#define FORGED                                                               \
	"{\"integration\":\"x\",\"sealfeed\":{\"feed\":\"a/b\",\"index\":1," \
	"\"agent\":\"c\"},\"x\":{}}"

#define FIELDS "sealfeedFeed=a/b sealfeedIndex=1 sealfeedAgent=c rawEvent={}"

/* Bytes that look like what stands around them. */
static const char *const nasty[] = {
	"{}",
	"{\"a\":\" rawEvent=x\\trawEvent=y=\\\\=\\\\\\\\\"}",
	"{\"UserId\":\"\\\\ rawEvent=\",\"Operation\":\"\\\\\"}",
	"{\"UserId\":\"x\\trawEvent={}\",\"Operation\":\"rawEvent=\"}",
	"{\"UserId\":\"#011rawEvent={}\"}",
	FORGED,
	"{\"a\":\"\"},\"office365\":{}}",
	"{\t\"a\"\t:\t1}",
	"\"CEF:0|a|b|\"",
	"{\"a\":\\=}",
	"{\"Operation\":\"" FIELDS "\"}",
	"{\"Operation\":\"a|" FIELDS "\"}",
	"{\"Operation\":\"a\\\\|" FIELDS "\"}",
	"{\"Operation\":\"a\\\\\",\"UserId\":\"|3|" FIELDS "\"}",
	"{\"Operation\":\"a CEF:0|a|b|1|c|d|3|" FIELDS "\"}",
	"{\"Operation\":\"a LEEF:2.0|a|b|1|c|x09|" FIELDS "\"}",
	"{\"UserId\":\"[sealfeed@32473 feed=\\\"a/b\\\" index=\\\"1\\\"] {}\"}",
	"{\"Operation\":\"x {\\\"integration\\\":\\\"x\"}",
};

START_TEST(bytes_come_out_again)
{
	const size_t n = sizeof(nasty) / sizeof(nasty[0]);
	struct buf scratch = BUF_INIT(1 << 20);

	for (size_t i = 0; i < n; i++) {
		struct chunk_line line = event("office365", nasty[i]);
		char *s = shown(kinds[_i], &line);
		char *syslog = xasprintf("<110>1 - h a - - - %s\r", s);
		const char *both[] = { s, syslog };

		/* The last one's head would have to be guessed where the
		 * header does not name the format. */
		for (size_t k = 0; k < 2; k++) {
			struct frame f;
			struct slice v;

			ck_assert_int_eq(wrapped_parse(both[k], strlen(both[k]),
					     &f),
			    FRAME_EVENT);
			ck_assert_uint_eq(f.number, 42);
			ck_assert_uint_eq(f.feed.len, strlen(FEED));
			ck_assert_uint_eq(f.agent.len, 4);
			ck_assert_mem_eq(f.agent.data, "fra1", 4);
			ck_assert(f.wrapped);
			v = wrapped_value(f.value, &scratch);
			ck_assert_msg(v.len == line.len &&
				memcmp(v.data, line.value, v.len) == 0,
			    "%s: %.*s", both[k], (int)v.len, v.data);
		}
		free(syslog);
		free(s);
	}
	buf_release(&scratch);
}
END_TEST

START_TEST(via_comes_along)
{
	static const char *const marks[] = { ",\"via\":\"backfill\"},",
		" sealfeedVia=backfill ", "\tsealfeedVia=backfill\t" };
	struct chunk_line line = event("office365", "{\"Id\":\"x\"}");
	struct buf scratch = BUF_INIT(1 << 20);
	struct frame f;
	struct slice v;
	char *s;

	line.via = "backfill";
	s = shown(kinds[_i], &line);
	ck_assert_msg(strstr(s, marks[_i]) != NULL, "%s", s);
	ck_assert_int_eq(wrapped_parse(s, strlen(s), &f), FRAME_EVENT);
	ck_assert_mem_eq(f.agent.data, "fra1", f.agent.len);
	v = wrapped_value(f.value, &scratch);
	ck_assert_mem_eq(v.data, line.value, line.len);
	free(s);
	buf_release(&scratch);
}
END_TEST

START_TEST(checkpoints_come_out_again)
{
	static const char note[] = "{\"note\":\"a\\n=\\\\\",\"from\":0}";
	struct chunk_line line = event("office365", note);
	struct buf scratch = BUF_INIT(1 << 20);
	struct frame f;
	struct slice v;
	char *s;

	line.checkpoint = true;
	s = shown(kinds[_i], &line);
	ck_assert_int_eq(wrapped_parse(s, strlen(s), &f), FRAME_CHECKPOINT);
	ck_assert_uint_eq(f.number, 42);
	v = wrapped_value(f.value, &scratch);
	ck_assert_uint_eq(v.len, strlen(note));
	ck_assert_mem_eq(v.data, note, v.len);
	buf_release(&scratch);
	free(s);
}
END_TEST

/* Any byte of an envelope may be missing or another one: nothing is read
 * beyond it. */
START_TEST(damage_is_harmless)
{
	struct chunk_line line = event("office365", "{\"UserId\":\"a=b\"}");
	struct buf scratch = BUF_INIT(1 << 20);
	char *s = shown(kinds[_i], &line);
	size_t len = strlen(s);

	for (size_t cut = 0; cut <= len; cut++) {
		char *copy = xstrndup(s, cut);
		struct frame f = { .kind = FRAME_NOTHING };

		if (cut > 0)
			copy[cut / 2] ^= 0x10;
		(void)wrapped_parse(copy, cut, &f);
		if (f.wrapped)
			(void)wrapped_value(f.value, &scratch);
		(void)wrapped_value((struct slice){ copy, cut }, &scratch);
		free(copy);
	}
	buf_release(&scratch);
	free(s);
}
END_TEST

/* Values end between two characters, at what the dictionary allows; the event
 * itself does not. */
START_TEST(sizes)
{
	struct buf value = BUF_INIT(1 << 20);
	struct chunk_line line;
	char *s;
	const char *act, *suser;

	ck_assert_int_eq(buf_adds(&value, "{\"Operation\":\"12"), 0);
	for (size_t i = 0; i < 2000; i++)
		ck_assert_int_eq(buf_adds(&value, "\xc3\xbc"), 0);
	ck_assert_int_eq(buf_adds(&value, "\",\"UserId\":\"u\"}"), 0);
	line = event("office365", value.data);
	s = shown(FORMAT_CEF, &line);
	act = strstr(s, " act=") + 5;
	suser = strstr(s, " suser=u ");
	ck_assert_ptr_nonnull(suser);
	ck_assert_int_eq(suser - act, 62);
	ck_assert_ptr_nonnull(strstr(s, value.data));
	free(s);
	buf_release(&value);
}
END_TEST

/* Every mapping that comes with the program. */
START_TEST(shipped_mappings_are_good)
{
	struct err err = ERR_INIT;
	struct format_map *all = format_maps_load(SHIPPED, &err);
	size_t n = 0;

	ck_assert_msg(all != NULL, "%s", err.text);
	for (const struct format_map *m = all; m->next != NULL; m = m->next) {
		n++;
		ck_assert_msg(m->cef.n > 0 && m->leef.n > 0, "%s", m->type);
		ck_assert_msg(strlen(m->vendor) < 64 && strlen(m->product) < 64,
		    "%s", m->type);
	}
	ck_assert_uint_ge(n, 8);
	ck_assert_str_eq(format_map_of(all, "okta")->vendor, "Okta");
	ck_assert_str_eq(format_map_of(all, "nothing")->type, "");
	format_maps_free(all);
}
END_TEST

static const struct {
	const char *text;
	const char *said;
} bad[] = {
	{ "vendor: [a]\n", ":1: vendor: must be a text" },
	{ "vendr: a\n", ":1: vendr: is none of vendor" },
	{ "severity: 11\n", ":1: severity: must be a number from 0 to 10" },
	{ "severity: 3x\n", ":1: severity: must be a number from 0 to 10" },
	{ "wazuh: 'a\"b'\n", ":1: wazuh: has letters" },
	{ "class: []\n", ":1: class: must not be empty" },
	{ "cef: a\n", ":1: cef: must be a map of keys" },
	{ "cef:\n  a b: /x\n", ":2: a b: a key has up to 63 letters" },
	{ "cef:\n  a: /x\n  a: /y\n", ":3: a: stands there twice" },
	{ "leef:\n  a: { b: c }\n", ":2: a: must be a text" },
	{ "cef: [\n", ":" },
};

START_TEST(bad_mappings_are_told)
{
	struct err err = ERR_INIT;
	char *file = xasprintf("%s/x.yaml", dir);

	ck_assert_int_eq(file_replace(file, bad[_i].text, strlen(bad[_i].text),
			     0600, &err),
	    0);
	ck_assert_ptr_null(format_maps_load(dir, &err));
	ck_assert_msg(strstr(err.text, file) != NULL &&
		strstr(err.text, bad[_i].said) != NULL,
	    "%s", err.text);
	free(file);
}
END_TEST

START_TEST(missing_folder_is_told)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(format_new(FORMAT_CEF, "a", "/nonexistent/formats",
	    &err));
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/formats: "));
}
END_TEST

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
}

static void
tear_down(void)
{
	store_help_end(dir);
}

Suite *
suite_format(void)
{
	Suite *s = suite_create("format");
	TCase *tc = tcase_create("format");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, vector, 0,
	    (int)(sizeof(vectors) / sizeof(vectors[0])));
	tcase_add_loop_test(tc, bytes_come_out_again, 0, 3);
	tcase_add_loop_test(tc, via_comes_along, 0, 3);
	tcase_add_loop_test(tc, checkpoints_come_out_again, 0, 3);
	tcase_add_loop_test(tc, damage_is_harmless, 0, 3);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, shipped_mappings_are_good);
	tcase_add_loop_test(tc, bad_mappings_are_told, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, missing_folder_is_told);
	suite_add_tcase(s, tc);
	return s;
}
