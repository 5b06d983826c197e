/*
 * test_identity.c - what is a repeat, what another version, and what neither.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "delivery/batch_reader.h"
#include "delivery/chunk.h"
#include "sources/agent_feed.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/identity.h"
#include "store/report.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define FEED "contoso/Audit.General"
#define ZERO "00000000-0000-0000-0000-000000000000"

static char dir[64];
static char path[128];
static struct err err;
static struct store *s;
static struct feed *f;
static struct write_batch *p;

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
	s = store_help_open(path, STORE_DURABLE);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	p = write_batch_new(f);
}

static void
tear_down(void)
{
	write_batch_free(p);
	feed_close(f);
	store_close(s);
	store_help_end(dir);
}

/* Add one event and commit it alone. */
static struct commit_result
commit_one(const char *id, const char *data)
{
	store_help_add(p, id, data);
	return store_help_commit(p);
}

static uint64_t
versions(void)
{
	struct feed_report r;

	ck_assert_int_eq(report_feed(s, 0, &r, &err), 1);
	return r.count[FEED_VERSIONS];
}

START_TEST(ids_that_name_nothing)
{
	static const struct {
		const char *id;
		bool named;
	} rows[] = {
		{ "7f2e", true },
		{ "00000000-0000-0000-0000-000000000001", true },
		{ "null", true },
		{ ZERO, false },
		{ "{" ZERO "}", false },
		{ "00000000000000000000000000000000", false },
		{ "0", false },
		{ "0.0", false },
		{ "0x0", false },
		{ "0X00", false },
		{ "x", true },
		{ "0xa", true },
		{ "x0", true },
		{ "urn:uuid:" ZERO, false },
		{ "URN:UUID:" ZERO, false },
		{ "urn:uuid:", true },
		{ "urn:uuid:00000000-0000-0000-0000-00000000000a", true },
		{ "(" ZERO ")", false },
		{ "[" ZERO "]", false },
		{ "'" ZERO "'", false },
		{ " " ZERO "\r\n", false },
		{ "00000000_0000_0000_0000_000000000000", false },
		{ "{0x00000000,0x0000,0x0000,{0x00,0x00,0x00,0x00,0x00,0x00,"
		  "0x00,0x00}}",
		    false },
		{ "", false },
		{ "  ", false },
	};

	ck_assert(!identity_named((struct slice){ .data = NULL }));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct slice id = { .data = rows[i].id,
			.len = strlen(rows[i].id) };

		ck_assert_msg(identity_named(id) == rows[i].named, "%s",
		    rows[i].id);
	}
}
END_TEST

/* In one commit, in several, and after a restart. */
START_TEST(an_id_with_other_bytes_is_a_version)
{
	struct commit_result res;

	store_help_add(p, "a", "{\"n\":1}");
	store_help_add(p, "a", "{\"n\":2}");
	store_help_add(p, "a", "{\"n\":1}");
	store_help_add(p, "b", "{\"n\":1}");
	res = store_help_commit(p);
	ck_assert_uint_eq(res.events, 3);
	ck_assert_uint_eq(res.duplicates, 1);
	ck_assert_uint_eq(versions(), 1);
	ck_assert_uint_eq(commit_one("a", "{\"n\":3}").events, 1);
	ck_assert_uint_eq(commit_one("a", "{\"n\":2}").duplicates, 1);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
	s = store_help_open(path, STORE_DURABLE);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	p = write_batch_new(f);
	ck_assert_uint_eq(commit_one("a", "{\"n\":1}").duplicates, 1);
	ck_assert_uint_eq(commit_one("a", "{\"n\":3}").duplicates, 1);
	ck_assert_uint_eq(commit_one("b", "{\"n\":1}").duplicates, 1);
	ck_assert_uint_eq(commit_one("a", "{\"n\":4}").events, 1);
	ck_assert_uint_eq(versions(), 3);
}
END_TEST

/* A vendor that gives all its records one id. */
START_TEST(one_id_for_all)
{
	const unsigned n = 3000;

	for (int round = 0; round < 2; round++) {
		uint64_t events = 0;

		for (unsigned i = 0; i < n; i++) {
			char *data = xasprintf("{\"n\":%u}", i);

			store_help_add(p, "same", data);
			free(data);
			if (i % 500 == 499)
				events += store_help_commit(p).events;
		}
		ck_assert_uint_eq(events, round == 0 ? n : 0);
	}
	ck_assert_uint_eq(versions(), n - 1);
}
END_TEST

START_TEST(without_an_id_the_bytes_count_within_an_item)
{
	static const char *const none[] = { NULL, "", ZERO, "0" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		char *item = xasprintf("item-%zu", i);
		struct commit_result res;

		p = write_batch_reuse(p, f);
		write_batch_scope(p, item);
		store_help_add(p, none[i], "{\"n\":1}");
		store_help_add(p, none[i], "{\"n\":2}");
		store_help_add(p, none[i], "{\"n\":1}");
		res = store_help_commit(p);
		ck_assert_uint_eq(res.events, 2);
		ck_assert_uint_eq(res.duplicates, 1);
		/* The item once more, as after a change of its order. */
		store_help_add(p, none[i], "{\"n\":2}");
		store_help_add(p, none[i], "{\"n\":1}");
		store_help_add(p, none[i], "{\"n\":3}");
		ck_assert_uint_eq(store_help_commit(p).events, 1);
		free(item);
	}
	/* From no item: nothing tells them apart, none is left out. */
	p = write_batch_reuse(p, f);
	ck_assert_uint_eq(commit_one(NULL, "{\"n\":1}").events, 1);
	ck_assert_uint_eq(commit_one(ZERO, "{\"n\":1}").events, 1);
	ck_assert_uint_eq(versions(), 0);
}
END_TEST

/* The text of all events of the agent's own feed. */
static void
read_own(struct buf *out)
{
	struct gzip *g = gzip_new();
	struct batch b;
	int64_t at = 0;

	batch_init(&b);
	while (store_help_seal(s, &err) == 1)
		continue;
	while (batch_next_sealed(s, at, &b, &err) == 1) {
		at = b.id;
		if (strcmp(b.feed, "fra1/agent") == 0)
			ck_assert_int_eq(gzip_unpack(g, b.payload.data,
					     b.payload.len, out, &err),
			    0);
	}
	batch_release(&b);
	gzip_free(g);
}

START_TEST(versions_are_marked)
{
	struct agent_feed *own = agent_feed_open(s, "fra1", &err);
	struct buf text = BUF_INIT(1 << 20);
	struct trace_place places[8];
	struct trace t;
	size_t n;

	ck_assert_ptr_nonnull(own);
	(void)commit_one("a", "{\"n\":1}");
	(void)commit_one("b", "{\"n\":1}");
	(void)commit_one("a", "{\"n\":2}");
	(void)commit_one("a", "{\"n\":3}");
	ck_assert_int_eq(agent_feed_flush(own, &err), 1);
	ck_assert_int_eq(agent_feed_flush(own, &err), 0);
	agent_feed_close(own);
	own = agent_feed_open(s, "fra1", &err);
	ck_assert_int_eq(agent_feed_flush(own, &err), 0);
	agent_feed_close(own);
	read_own(&text);
	ck_assert_ptr_nonnull(strstr(text.data,
	    "\"feed\":\"" FEED "\",\"events\":[{\"index\":2,\"version_of\":"
	    "\"" FEED ":0\"},{\"index\":3,\"version_of\":\"" FEED ":0\"}]"));
	buf_release(&text);

	ck_assert_int_eq(trace_find(s, "a", places, 8, &n, &err), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(places[0].index, 0);
	ck_assert_uint_eq(places[2].index, 3);
	ck_assert_int_eq(trace_read(s, &places[0], &t, &err), 0);
	ck_assert_str_eq(t.version_of, "");
	ck_assert_int_eq(trace_read(s, &places[2], &t, &err), 0);
	ck_assert_str_eq(t.version_of, FEED ":0");
}
END_TEST

/* … and outputs learn it with the event. */
START_TEST(versions_travel)
{
	static const char *const of[] = { NULL, NULL, FEED ":0" };
	struct batch_reader *reader = batch_reader_new(s, NULL);
	struct chunk *chunk = chunk_new();
	struct chunk_line line;
	struct batch_ref *b;
	int64_t after = 0;

	(void)commit_one("a", "{\"n\":1}");
	(void)commit_one("b", "{\"n\":1}");
	(void)commit_one("a", "{\"n\":2}");
	while (store_help_seal(s, &err) == 1)
		continue;
	while (batch_reader_next(reader, after, &b, &err) == 1) {
		after = batch_ref_id(b);
		ck_assert_int_eq(chunk_add(chunk, b, 0, batch_ref_events(b),
				     batch_ref_bytes(b)),
		    0);
		batch_ref_release(b);
	}
	ck_assert_uint_eq(chunk_lines(chunk), 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_msg(chunk_line(chunk, i, &line, &err) == 0, "%s",
		    err.text);
		if (of[i] == NULL)
			ck_assert_ptr_null(line.version_of);
		else
			ck_assert_str_eq(line.version_of, of[i]);
	}
	chunk_unload(chunk);
	ck_assert_int_eq(chunk_line(chunk, 2, &line, &err), 0);
	ck_assert_str_eq(line.version_of, of[2]);
	chunk_free(chunk);
	batch_reader_free(reader);
}
END_TEST

START_TEST(a_store_of_version_1)
{
	/* As sealfeed 0.1.0 made it. */
	static const char schema[] = {
#include "store/schema.inc"
		0
	};
	struct sqlite3 *db;

	write_batch_free(p);
	feed_close(f);
	store_close(s);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version=1", NULL, NULL,
			     NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	s = store_open(path, STORE_READ, &err);
	ck_assert_ptr_null(s);
	ck_assert_ptr_nonnull(strstr(err.text, "start the agent once"));
	s = store_help_open(path, STORE_DURABLE);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	p = write_batch_new(f);
	ck_assert_uint_eq(commit_one("a", "{\"n\":1}").events, 1);
	ck_assert_uint_eq(commit_one("a", "{\"n\":2}").events, 1);
	ck_assert_uint_eq(versions(), 1);
}
END_TEST

Suite *
suite_identity(void)
{
	Suite *suite = suite_create("identity");
	TCase *tc = tcase_create("identity");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, ids_that_name_nothing);
	tcase_add_test(tc, an_id_with_other_bytes_is_a_version);
	tcase_add_test(tc, one_id_for_all);
	tcase_add_test(tc, without_an_id_the_bytes_count_within_an_item);
	tcase_add_test(tc, versions_are_marked);
	tcase_add_test(tc, versions_travel);
	tcase_add_test(tc, a_store_of_version_1);
	suite_add_tcase(suite, tc);
	return suite;
}
