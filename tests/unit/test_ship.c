/*
 * test_ship.c - the ship role: every line once, and where it goes on.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/setting.h"
#include "delivery/batch_reader.h"
#include "delivery/chunk.h"
#include "store/batch.h"
#include "store/report.h"
#include "tests/unit/canned.h"
#include "tests/unit/fake_output.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/ship_help.h"
#include "tests/unit/unit.h"

START_TEST(everything_is_delivered_once)
{
	fake_script.max = (size_t)_i;
	ship_help_fill(5, 40, -1, "");
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(200, -1, 1);
	ship_help_one_letter(-1, "", 0);
}
END_TEST

START_TEST(position_survives_a_restart)
{
	ship_help_fill(3, 10, -1, "");
	ship_help_until(ship_help_all_settled);
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(30, -1, 1);
}
END_TEST

START_TEST(retry_is_until_it_works)
{
	fake_script.failures = 3;
	ship_help_fill(2, 10, -1, "");
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(20, -1, 1);
	ship_help_one_letter(-1, "", 0);
}
END_TEST

static bool repaired; /* the store works again */

/* Repairs the store as soon as what comes before its fault has arrived. */
static bool
arrived_then_repaired(struct store *s)
{
	struct position pos;

	if (repaired)
		return ship_help_all_settled(s);
	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL,
			     &ship_rig.err),
	    0);
	if (pos.batch < 2)
		return false;
	ship_help_sql("DROP VIEW payload; ALTER TABLE kept RENAME TO payload");
	repaired = true;
	return false;
}

/* The store fails in the middle of what would be one chunk. */
START_TEST(failing_read_skips_nothing)
{
	repaired = false;
	ship_help_fill(4, 10, -1, "");
	ship_help_sql(
	    "ALTER TABLE payload RENAME TO kept; CREATE VIEW payload AS "
	    "SELECT"
	    " batch, CASE batch WHEN 3 THEN abs(-9223372036854775808) ELSE"
	    " lines END AS lines, times FROM kept");
	ship_help_until(arrived_then_repaired);
	ship_help_each_once(40, -1, 1);
}
END_TEST

/* Can the lines [from, to) of the batch be read, as a chunk of theirs is? */
static bool
readable(struct batch_ref *c, size_t from, size_t to)
{
	struct chunk *p = chunk_new();
	struct chunk_line line;
	int rc;

	ck_assert_int_eq(chunk_add(p, c, from, to, 1), 0);
	rc = chunk_line(p, to - from - 1, &line, &ship_rig.err);
	chunk_unload(p);
	chunk_free(p);
	return rc == 0;
}

/* A batch that goes in several chunks is unpacked for the first one. */
START_TEST(batch_is_unpacked_once)
{
	struct batch_reader *k;
	struct batch_ref *c;
	struct store *s;

	ship_help_fill(1, 100, -1, "");
	s = store_open(ship_rig.path, STORE_DURABLE, &ship_rig.err);
	k = batch_reader_new(s, NULL);
	ck_assert_int_eq(batch_reader_next(k, 0, &c, &ship_rig.err), 1);
	ck_assert(readable(c, 0, 10));
	ship_help_sql("UPDATE payload SET lines = x'00'");
	ck_assert(readable(c, 10, 20));
	ck_assert(readable(c, 0, 10));
	/* At rest nothing is held. */
	batch_reader_rest(k);
	ck_assert(!readable(c, 20, 30));
	batch_ref_release(c);
	batch_reader_free(k);
	store_close(s);
}
END_TEST

static bool
reported(struct store *s)
{
	(void)s;
	return store_damaged(ship_rig.path);
}

/* Nothing of it is delivered, nothing goes past it for good; the store gives
 * it up to be fetched again. */
START_TEST(damaged_batch_is_reported)
{
	char message[1024];
	int times[41];

	fake_script.max = (size_t)_i;
	ship_help_fill(4, 10, -1, "");
	ship_help_sql(
	    "UPDATE payload SET lines = substr(lines, 1, 20) || x'00' || "
	    "substr(lines, 22) WHERE batch = (SELECT min(batch) + 1 FROM "
	    "payload)");
	ship_help_until(reported);
	ck_assert_int_eq(store_check(ship_rig.path, message, sizeof(message),
			     &ship_rig.err),
	    0);
	ck_assert_msg(strstr(message, " events are to be fetched") != NULL,
	    "%s", message);
	ck_assert(!store_damaged(ship_rig.path));
	ship_help_until(ship_help_all_settled);
	ship_help_one_letter(-1, "", 0);
	ship_help_count(40, times);
	for (int i = 10; i < 20; i++)
		ck_assert_int_eq(times[i], 0);
}
END_TEST

/* What was sent, a line for each chunk. */
static void
sent_is(const char *want)
{
	FILE *f = fopen(ship_rig.sent, "r");
	char text[4096];
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	ck_assert_str_eq(text, want);
}

/* Splunk HEC: earlier events are in, this one is bad, the others again. */
static enum verdict
up_to_four(int n, const struct chunk_line *line)
{
	if (n > 0 || (!line->checkpoint && line->number < 4))
		return VERDICT_DELIVERED;
	return !line->checkpoint && line->number == 4 ? VERDICT_REFUSED
						      : VERDICT_RETRY;
}

START_TEST(first_lines_and_one_bad_are_settled)
{
	fake_script.each = up_to_four;
	ship_help_fill(2, 5, -1, "");
	ship_help_until(ship_help_all_settled);
	sent_is("0 1 2 3 4 5 6 7 8 9 c\n5 6 7 8 9 c\n");
	ship_help_each_once(10, 4, 1);
	ship_help_one_letter(4, "not this one", strlen("{\"n\":4,\"w\":\"\"}"));
}
END_TEST

static enum verdict
all_in(int n, const struct chunk_line *line)
{
	(void)n;
	(void)line;
	return VERDICT_DELIVERED;
}

START_TEST(each_batch_goes_alone)
{
	fake_script.each = all_in;
	fake_script.batches = true;
	ship_help_fill(3, 2, -1, "");
	ship_help_until(ship_help_all_settled);
	sent_is("0 1\n2 3\n4 5 c\n");
}
END_TEST

/* Elasticsearch: some are in, some again, here and there. */
static enum verdict
holes(int n, const struct chunk_line *line)
{
	bool in = line->number == 3 || line->number == 4 || line->number == 5 ||
	    line->number == 8;

	return n > 0 || (in && !line->checkpoint) ? VERDICT_DELIVERED
						  : VERDICT_RETRY;
}

START_TEST(only_what_is_not_settled_is_sent_again)
{
	fake_script.each = holes;
	ship_help_fill(2, 5, -1, "");
	ship_help_until(ship_help_all_settled);
	sent_is("0 1 2 3 4 5 6 7 8 9 c\n0 1 2 6 7 9 c\n");
	ship_help_each_once(10, -1, 1);
	ship_help_one_letter(-1, "", 0);
}
END_TEST

/* Every third, so that the chunk has more parts than CHUNK_RANGES, and again
 * every third of the rest. */
static enum verdict
every_third(int n, const struct chunk_line *line)
{
	return n > 3 || (line->number + (uint64_t)n) % 3 == 0
	    ? VERDICT_DELIVERED
	    : VERDICT_RETRY;
}

START_TEST(many_holes)
{
	fake_script.each = every_third;
	ship_help_fill(3, 500, -1, "");
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(1500, -1, 1);
	ship_help_one_letter(-1, "", 0);
}
END_TEST

/* Event 2 is never taken by this process. */
static enum verdict
never_two(int n, const struct chunk_line *line)
{
	(void)n;
	return line->number == 2 ? VERDICT_RETRY : VERDICT_DELIVERED;
}

static bool
behind_two(struct store *s)
{
	struct position pos;
	int times[21];

	ship_help_count(20, times);
	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL,
			     &ship_rig.err),
	    0);
	ck_assert_int_eq(pos.batch, 0);
	ck_assert_uint_le(pos.lines, 2);
	ck_assert_int_eq(times[2], 0);
	return pos.lines == 2 && times[3] > 0 && ship_help_chunks_sent() > 1;
}

START_TEST(crash_loses_no_line_between_settled_ones)
{
	int times[21];

	fake_script.max = 700;
	fake_script.each = never_two;
	ship_help_fill(4, 5, -1, "");
	ship_help_until_then(behind_two, SIGKILL);
	fake_script.each = NULL;
	ship_help_until(ship_help_all_settled);
	ship_help_count(20, times);
	for (int i = 0; i < 20; i++)
		ck_assert_msg(times[i] >= 1, "event %d is lost", i);
	ck_assert_int_eq(times[0], 1);
	ck_assert_int_eq(times[2], 1);
	ship_help_one_letter(-1, "", 0);
}
END_TEST

static struct canned *server;

/* Taken, not confirmed, not confirmed, confirmed; nothing has moved before the
 * last. */
static bool
confirmed(struct store *s)
{
	struct position pos;

	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL,
			     &ship_rig.err),
	    0);
	ck_assert(canned_count(server) >= 4 ||
	    (pos.batch == 0 && pos.lines == 0));
	return canned_count(server) >= 4 && ship_help_all_settled(s);
}

#define TAKEN "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"ack\":1}"
#define ACK_NO                                          \
	"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" \
	"{\"acks\":{\"1\":false}}"
#define ACK_YES                                         \
	"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" \
	"{\"acks\":{\"1\":true}}"

START_TEST(position_moves_when_confirmed)
{
	static const struct canned_reply table[] = {
		{ .path = "/in/bulk", .bytes = TAKEN },
		{ .path = "/in/ack", .bytes = ACK_NO },
		{ .path = "/in/ack", .bytes = ACK_NO },
		{ .path = "/in/ack", .bytes = ACK_YES },
		{ .path = NULL },
	};

	server = canned_start(table);
	(void)snprintf(ship_rig.receiver, sizeof(ship_rig.receiver), "%s/in",
	    canned_url(server));
	ship_help_fill(1, 10, -1, "");
	ship_help_until(confirmed);
	ck_assert_msg(canned_count(server) == 4, "%s", canned_requests(server));
	ship_help_one_letter(-1, "", 0);
	canned_stop(server);
}
END_TEST

#define BUSY "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy"

static struct canned_reply busy[] = {
	{ .path = "/in/bulk", .bytes = TAKEN },
	{ .path = "/in/ack", .bytes = BUSY },
	{ .path = NULL },
};

/* Status says why nothing is confirmed, as long as that is so: until it does,
 * the server is busy. */
static bool
told_and_confirmed(struct store *s)
{
	struct output_report r;

	ck_assert_int_eq(report_output(s, "", &r, &ship_rig.err), 1);
	if (strstr(r.error, "asking whether accepted events are kept fails") !=
		NULL &&
	    strstr(r.error, "answers 503: busy") != NULL)
		busy[1].bytes = ACK_YES;
	return r.error[0] == '\0' && ship_help_all_settled(s);
}

START_TEST(unheard_confirmations_are_told)
{
	const char *sent;

	busy[1].bytes = BUSY;
	server = canned_start(busy);
	(void)snprintf(ship_rig.receiver, sizeof(ship_rig.receiver), "%s/in",
	    canned_url(server));
	ship_help_fill(1, 10, -1, "");
	ship_help_until(told_and_confirmed);
	ck_assert_str_eq(busy[1].bytes, ACK_YES);
	sent = strstr(canned_requests(server), "/in/bulk");
	ck_assert_ptr_nonnull(sent);
	ck_assert_ptr_null(strstr(sent + 1, "/in/bulk"));
	canned_stop(server);
}
END_TEST

/*
 * Objects.  What is sent again has the name that it had, and the same bytes:
 * the store may have it already.
 */

#define CLOSED ""
#define WRITTEN                                                 \
	"HTTP/1.1 200 OK\r\nETag: \"7\"\r\nx-request-id: 7\r\n" \
	"Content-Length: 0\r\n\r\n"
#define GRANTED                                         \
	"HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n" \
	"{\"access_token\":\"t\",\"expires_in\":3600}"

static const struct {
	const struct output_type *type;
	const char *options; /* # is a service account's key */
} stores[] = {
	{ &output_s3, "aws: {region: eu-central-1, key: \"AKID:secret\"}" },
	{ &output_azure_blob, "account: acme, key: c2VjcmV0" },
	{ &output_gcs, "key: #" },
};

struct put {
	char target[256];
	const char *body;
	size_t len;
};

/* The requests that write, in their order. */
static size_t
puts_of(const char *data, size_t len, struct put *list, size_t max)
{
	const char *end = data + len, *at = data, *head, *length;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(end - at), "PUT /", 5)) != NULL) {
		ck_assert_uint_lt(n, max);
		head = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
		ck_assert_ptr_nonnull(head);
		length = strcasestr(at, "\r\nContent-Length: ");
		ck_assert(length != NULL && length < head);
		(void)snprintf(list[n].target, sizeof(list[n].target), "%.*s",
		    (int)strcspn(at + 4, " "), at + 4);
		list[n].body = head + 4;
		list[n].len = strtoul(length + 18, NULL, 10);
		ck_assert_uint_le(list[n].len, (size_t)(end - list[n].body));
		at = list[n].body + list[n].len;
		n++;
	}
	return n;
}

/* The connection ends once, and twice, before anything is answered. */
START_TEST(objects_keep_their_bounds)
{
	const struct output_type *type = stores[_i / 2].type;
	const char *options = stores[_i / 2].options;
	const size_t breaks = _i % 2 == 0 ? 1 : 2,
		     split = strcspn(options, "#");
	const struct canned_reply table[] = {
		{ .path = "/audit/", .bytes = CLOSED },
		{ .path = "/audit/", .bytes = breaks == 1 ? WRITTEN : CLOSED },
		{ .path = "/audit/", .bytes = WRITTEN },
		{ .path = "/token", .bytes = GRANTED },
		{ .path = NULL },
	};
	struct put list[8];
	char *key = rig_google_key(), *text;
	void *conf;
	size_t n;

	server = canned_start(table);
	text = options[split] == '\0'
	    ? xasprintf("{url: \"%s\", bucket: audit, parallel: 1, %s}",
		  canned_url(server), options)
	    : xasprintf("{url: \"%s\", bucket: audit, parallel: 1, "
			"token_url: \"%s/token\", %.*s%s}",
		  canned_url(server), canned_url(server), (int)split, options,
		  key);
	conf = rig_conf(type, text);
	ship_rig.type = type;
	ship_rig.conf = conf;
	ship_help_fill(3, 10, -1, "");
	ship_help_until(ship_help_all_settled);
	n = puts_of(canned_requests(server), canned_len(server), list, 8);
	/* Three batches, and the checkpoint behind them. */
	ck_assert_uint_eq(n, 4 + breaks);
	for (size_t i = 1; i < n; i++) {
		bool again = i <= breaks;

		ck_assert_msg((strcmp(list[i].target, list[i - 1].target) ==
				  0) == again,
		    "%s, %s", list[i - 1].target, list[i].target);
		if (again)
			ck_assert(list[i].len == list[0].len &&
			    memcmp(list[i].body, list[0].body, list[0].len) ==
				0);
	}
	ck_assert_ptr_nonnull(strstr(list[0].target,
	    "000000000000-000000000009.ndjson"));
	ship_help_one_letter(-1, "", 0);
	canned_stop(server);
	settings_release(type->type.settings, conf);
	free(conf);
	free(text);
	free(key);
}
END_TEST

Suite *
suite_ship(void)
{
	/* A chunk of one line each, of parts of a batch, of several. */
	static const int sizes[] = { 1, 700, 1 << 20 };
	Suite *s = suite_create("ship");
	TCase *tc = tcase_create("ship");

	tcase_add_checked_fixture(tc, ship_help_begin, ship_help_end);
	tcase_set_timeout(tc, 120);
	for (size_t i = 0; i < 3; i++) {
		tcase_add_loop_test(tc, everything_is_delivered_once, sizes[i],
		    sizes[i] + 1);
		tcase_add_loop_test(tc, damaged_batch_is_reported, sizes[i],
		    sizes[i] + 1);
	}
	tcase_add_test(tc, position_survives_a_restart);
	tcase_add_test(tc, retry_is_until_it_works);
	tcase_add_test(tc, failing_read_skips_nothing);
	tcase_add_test(tc, batch_is_unpacked_once);
	tcase_add_test(tc, first_lines_and_one_bad_are_settled);
	tcase_add_test(tc, each_batch_goes_alone);
	tcase_add_test(tc, only_what_is_not_settled_is_sent_again);
	tcase_add_test(tc, many_holes);
	tcase_add_test(tc, crash_loses_no_line_between_settled_ones);
	tcase_add_test(tc, position_moves_when_confirmed);
	tcase_add_test(tc, unheard_confirmations_are_told);
	tcase_add_loop_test(tc, objects_keep_their_bounds, 0, 2 * ROWS(stores));
	suite_add_tcase(s, tc);
	return s;
}
