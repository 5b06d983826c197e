/*
 * test_dialect.c - the seam between transport and dialects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/gzip.h"
#include "outputs/http/dialect.h"
#include "tests/unit/trial_rig.h"
#include "tests/unit/unit.h"

START_TEST(request_is_the_dialects)
{
	const char *r;

	trial_expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	trial_begin(1, 0, 0);
	courier_add(&intake_rig.c, "{broken\t\"");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	r = canned_requests(intake_rig.server);
	ck_assert_int_eq(strncmp(r, "PUT /in/bulk?key=1&from=0&to=2 HTTP", 35),
	    0);
	ck_assert_ptr_nonnull(strstr(r,
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(r, "\r\nX-Channel: 7c\r\n"));
	ck_assert_str_eq(rig_body(0),
	    "[{\"feed\":\"contoso/Audit.Exchange\",\"index\":42,"
	    "\"type\":\"office365\",\"time\":86400,\"event\":{\"Id\":0}},"
	    "{\"feed\":\"contoso/Audit.Exchange\",\"index\":43,"
	    "\"type\":\"office365\",\"time\":86400,"
	    "\"text\":\"{broken\\t\\\"\"}]");
	rig_end();
}
END_TEST

/* Items of a bulk answer with reasons of so many bytes: 200, 400 and 429 in
 * turn. */
static char *
bulk_answer(size_t n, int bytes)
{
	struct buf b = BUF_INIT(8 << 20);

	ck_assert_int_eq(buf_adds(&b, "{\"items\":["), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(buf_addf(&b,
				     "%s{\"status\":%d,\"error\":\"no%*s\"}",
				     i == 0 ? "" : ",",
				     i % 3 == 0       ? 200
					 : i % 3 == 1 ? 400
						      : 429,
				     bytes, ""),
		    0);
	ck_assert_int_eq(buf_adds(&b, "]}"), 0);
	return buf_take(&b, NULL);
}

START_TEST(lines_out_of_a_large_answer)
{
	char *answer = bulk_answer(240, 2000);

	trial_expect("/in/bulk", 200, answer);
	trial_begin(240, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_uint_gt(trial_seen.len, 256 << 10);
	ck_assert(!trial_seen.cut);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	for (size_t i = 0; i < 240; i++)
		ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, i),
		    i % 3 == 0       ? CHUNK_DELIVERED
			: i % 3 == 1 ? CHUNK_REFUSED
				     : CHUNK_OPEN);
	ck_assert_str_eq(intake_rig.c.why,
	    "item 2: no                            ");
	free(answer);
	rig_end();
}
END_TEST

START_TEST(larger_answers_are_cut)
{
	char *answer = bulk_answer(240, 8000);

	trial_expect("/in/bulk", 200, answer);
	trial_begin(240, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert(trial_seen.cut);
	ck_assert_uint_eq(trial_seen.len, INTAKE_ANSWER_MAX);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 240);
	free(answer);
	rig_end();
}
END_TEST

START_TEST(what_is_not_told_of_goes_again)
{
	trial_expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":400,\"error\":\"no\"}]}");
	trial_begin(5, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 3);
	rig_end();
}
END_TEST

/* Items are of what the request carried. */
START_TEST(lines_left_out_are_not_counted)
{
	trial_expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":400,\"error\":\"no\"},"
	    "{\"status\":429,\"error\":\"later\"}]}");
	trial_begin(1, 0, 0);
	courier_add(&intake_rig.c, "{\"Id\":\"skip\"}");
	courier_add(&intake_rig.c, "{\"Id\":2}");
	courier_add(&intake_rig.c, "{\"Id\":\"skip\"}");
	courier_add(&intake_rig.c, "{\"Id\":4}");
	courier_add(&intake_rig.c, "{\"Id\":\"skip\"}");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(intake_rig.c.why, "item 2: later");
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, i),
		    i == 2       ? CHUNK_REFUSED
			: i == 4 ? CHUNK_OPEN
				 : CHUNK_DELIVERED);
	rig_end();
}
END_TEST

START_TEST(what_stands_apart_begins_a_request)
{
	trial_expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	trial_begin(1, 0, 0);
	courier_add(&intake_rig.c, "{\"Id\":\"b\"}");
	courier_add(&intake_rig.c, "{\"Id\":\"apart\"}");
	courier_add(&intake_rig.c, "{\"Id\":\"d\"}");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_uint_eq(canned_count(intake_rig.server), 2);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, i),
		    CHUNK_DELIVERED);
	rig_end();
}
END_TEST

START_TEST(nothing_wanted_is_no_request)
{
	trial_expect("/", 500, "");
	trial_begin(1, 0, 0);
	chunk_free(intake_rig.c.chunk);
	intake_rig.c.chunk = chunk_new();
	courier_add(&intake_rig.c, "{\"Id\":\"skip\"}");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 0);
	rig_end();
}
END_TEST

/* The rendered bytes of a request and what they are on the wire. */
static size_t
body_size(const char *request, bool packed, size_t *wire)
{
	const char *length = strstr(request, "\r\nContent-Length: ");
	struct buf text = BUF_INIT(1 << 20);
	struct gzip *g = gzip_new();
	struct err err = ERR_INIT;
	size_t n;

	ck_assert_ptr_nonnull(length);
	*wire = strtoul(length + 18, NULL, 10);
	n = *wire;
	if (packed) {
		ck_assert_msg(gzip_unpack(g, strstr(request, "\r\n\r\n") + 4,
				  *wire, &text, &err) == 0,
		    "%s", err.text);
		n = text.len;
	}
	gzip_free(g);
	buf_release(&text);
	return n;
}

/* Ten events, of which one is larger than a request may be: it goes alone. */
START_TEST(limit_is_of_rendered_bytes)
{
	static const char all[] =
	    "{\"items\":[{\"status\":200},{\"status\":200},{\"status\":200},"
	    "{\"status\":200},{\"status\":200},{\"status\":200}]}";
	bool packed = _i == 1;
	size_t n = 0, wire, large = 0;
	const char *r;

	trial_conf.http.compress = packed;
	trial_conf.http.max_body = 450;
	trial_expect("/in/bulk", 200, all);
	trial_begin(10, 5, 5000);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 10);
	r = canned_requests(intake_rig.server);
	while (canned_len(intake_rig.server) >
	    (size_t)(r - canned_requests(intake_rig.server))) {
		size_t rendered = body_size(r, packed, &wire);

		if (rendered > 5000) {
			large++;
			ck_assert_ptr_nonnull(strstr(r, "from=5&to=6 "));
		} else {
			ck_assert_uint_le(rendered, 450);
		}
		ck_assert(!packed || rendered < 300 || wire < rendered);
		r = strstr(r, "\r\n\r\n") + 4 + wire;
		n++;
	}
	ck_assert_uint_eq(large, 1);
	/* Four of about 100 bytes fit: 0-3, 4, 5 alone, 6-9. */
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(canned_count(intake_rig.server), 4);
	rig_end();
}
END_TEST

START_TEST(one_event_a_request)
{
	trial_conf.lines_max = 1;
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_expect("/in/bulk", 503, "busy");
	trial_begin(5, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_uint_eq(canned_count(intake_rig.server), 3);
	ck_assert_ptr_nonnull(strstr(rig_request(2), "from=2&to=3 "));
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 2);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 3);
	ck_assert_msg(strstr(intake_rig.c.why, "answers 503: busy") != NULL,
	    "%s", intake_rig.c.why);
	rig_end();
}
END_TEST

/* By the status alone, of a request that carries one, and which is refused
 * again and again. */
START_TEST(the_one_event_is_at_fault)
{
	trial_conf.lines_max = 1;
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	for (int i = 0; i < 3; i++)
		trial_expect("/in/bulk", 400, "no field");
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_REFUSED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 2), CHUNK_DELIVERED);
	rig_end();
}
END_TEST

/* A refusal of one event that does not stay so, whatever it says. */
START_TEST(one_refusal_is_a_weak_hint)
{
	static const int status[] = { 400, 413, 422 };

	trial_conf.lines_max = 1;
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_expect("/in/bulk", status[_i], "a moment of its own");
	trial_expect("/in/bulk", status[_i], "a moment of its own");
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 3);
	ck_assert_uint_eq(canned_count(intake_rig.server), 5);
	rig_end();
}
END_TEST

/* Gzip that no header announces is unpacked for the judge, too. */
START_TEST(packed_answer)
{
	static const char items[] = "{\"items\":[{\"status\":200},"
				    "{\"status\":400,\"error\":\"no field\"}]}";
	struct buf bytes = BUF_INIT(4096), body = BUF_INIT(4096);
	struct gzip *g = gzip_new();
	struct err err = ERR_INIT;
	size_t len;

	ck_assert_int_eq(gzip_pack(g, items, strlen(items), &body, &err), 0);
	gzip_free(g);
	ck_assert_int_eq(buf_addf(&bytes,
			     "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
			     body.len),
	    0);
	ck_assert_int_eq(buf_add(&bytes, body.data, body.len), 0);
	buf_release(&body);
	len = bytes.len;
	rig_expect_bytes("/in/bulk", buf_take(&bytes, NULL), len);
	trial_begin(2, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 1);
	rig_end();
}
END_TEST

/* ship sends less at once behind a connection that broke, and not behind an
 * answer. */
START_TEST(broken_connections_are_counted)
{
	static const int statuses[] = { 0, 503 };

	trial_expect("/in/bulk", statuses[_i], "");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(intake_rig.c.out.breaks, statuses[_i] == 0);
	rig_end();
}
END_TEST

/* No dialect is asked about a page; of what it blocks itself only those lines
 * go again. */
START_TEST(blips_of_lines)
{
	trial_expect("/in/bulk", 200, "<!DOCTYPE HTML><title>Login</title>");
	trial_expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":403,\"error\":\"no\"},"
	    "{\"status\":200}]}");
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 3);
	ck_assert_uint_eq(canned_count(intake_rig.server), 3);
	ck_assert_ptr_nonnull(strstr(rig_body(2),
	    "[{\"feed\":\"contoso/Audit.Exchange\",\"index\":43,"));
	rig_end();
}
END_TEST

/* Neither leaves this machine. */
START_TEST(wrong_requests_are_not_sent)
{
	if (_i == 0)
		trial_conf.header = "x\r\nX-Evil: 1";
	else
		trial_conf.path = ".evil.example";
	trial_expect("/", 200, "{}");
	trial_begin(2, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_BLOCKED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 0);
	rig_end();
}
END_TEST

START_TEST(probe_is_the_dialects)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;

	trial_expect("/in/bulk", 200, "{\"items\":[]}");
	trial_begin(1, 0, 0);
	ck_assert_msg(output_trial.probe(&intake_rig.c.out, &message, &err) ==
		0,
	    "%s", err.text);
	ck_assert_int_eq(strncmp(canned_requests(intake_rig.server),
			     "POST /in/bulk?key=1&probe HTTP", 30),
	    0);
	ck_assert_str_eq(rig_body(1), "[]");
	ck_assert_uint_eq(canned_count(intake_rig.server), 2);
	ck_assert_str_eq(message.data, "step 0: step 1: ");
	buf_release(&message);
	rig_end();
}
END_TEST

START_TEST(probe_in_the_receivers_terms)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;

	trial_expect("/in/bulk", 200, "{\"items\":[]}");
	trial_expect("/in/bulk", 418, "short and stout");
	trial_begin(1, 0, 0);
	ck_assert_int_eq(output_trial.probe(&intake_rig.c.out, &message, &err),
	    -1);
	ck_assert_str_eq(err.text, "step 1: it is a teapot");
	buf_release(&message);
	rig_end();
}
END_TEST

/* The settings are not to blame: it is tried again, and nothing was sent. */
START_TEST(not_yet_is_no_refusal)
{
	trial_conf.later = true;
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_begin(1, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(intake_rig.c.why, "no token yet");
	ck_assert_uint_eq(canned_count(intake_rig.server), 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	rig_end();
}
END_TEST

START_TEST(tokens_are_renewed)
{
	trial_seen.renewed = 0;
	trial_expect("/in/bulk", 401, "who are you");
	trial_expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	trial_begin(1, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(trial_seen.renewed, 1);
	rig_end();
}
END_TEST

/* One line that no intake takes, and its neighbours. */
START_TEST(what_cannot_be_rendered_is_a_dead_letter)
{
	trial_expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	trial_begin(1, 0, 0);
	courier_add(&intake_rig.c, "{\"never\":1}");
	courier_add(&intake_rig.c, "{\"Id\":2}");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(intake_rig.c.refused, 1);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 2);
	ck_assert_uint_eq(canned_count(intake_rig.server), 1);
	rig_end();
}
END_TEST

/* The receiver stopped at the line at fault: what follows goes at once. */
START_TEST(the_rest_goes_at_once)
{
	trial_expect("/in/bulk", 200,
	    "{\"again\":true,\"items\":[{\"status\":200},"
	    "{\"status\":400,\"error\":\"no\"}]}");
	trial_expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	trial_begin(4, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 3);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 2);
	rig_end();
}
END_TEST

/* Without a line told of there is no end to it. */
START_TEST(again_needs_progress)
{
	trial_expect("/in/bulk", 200, "{\"again\":true,\"items\":[]}");
	trial_begin(2, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(canned_count(intake_rig.server), 1);
	rig_end();
}
END_TEST

/* Of which type the source of a feed is, by the feed's name alone. */
START_TEST(type_of_a_feed)
{
	static const struct config_type vendor = { .name = "office365" };
	static char agent[] = "fra1", same[] = "fra1", contoso[] = "contoso";
	struct config_entry sources[] = {
		{ .name = same, .type = &vendor },
		{ .name = contoso, .type = &vendor },
	};
	const struct config config = {
		.agent.name = agent, .sources = sources, .n_sources = 2
	};
	static const struct {
		const char *feed;
		const char *type;
	} feeds[] = {
		{ "contoso/DLP.All", "office365" },
		{ "contoso/DLP.All~20261122T042658Z", "office365" },
		{ "contoso2/DLP.All", "" },
		{ "fra1/agent", "agent" },
		{ "fra1/agent~20261122T042658Z", "agent" },
		{ "fra1/agents", "office365" },
	};
	struct batch_reader *reader = batch_reader_new(NULL, &config);
	struct dead_letter d = { .event = BUF_INIT(16) };
	struct chunk *chunk = chunk_new();
	struct chunk_line line;
	struct err err = ERR_INIT;
	struct batch_ref *event;

	ck_assert_int_eq(buf_adds(&d.event, "{}"), 0);
	(void)snprintf(d.feed, sizeof(d.feed), "%s", feeds[_i].feed);
	event = batch_reader_dead_letter(reader, &d);
	ck_assert_int_eq(chunk_add(chunk, event, 0, 1, batch_ref_bytes(event)),
	    0);
	batch_ref_release(event);
	ck_assert_int_eq(chunk_line(chunk, 0, &line, &err), 0);
	ck_assert_str_eq(line.source_type, feeds[_i].type);
	chunk_free(chunk);
	batch_reader_free(reader);
	buf_release(&d.event);
}
END_TEST

Suite *
suite_dialect(void)
{
	Suite *s = suite_create("dialect");
	TCase *tc = tcase_create("dialect");

	tcase_add_checked_fixture(tc, trial_set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, request_is_the_dialects);
	tcase_add_test(tc, lines_out_of_a_large_answer);
	tcase_add_test(tc, larger_answers_are_cut);
	tcase_add_test(tc, what_is_not_told_of_goes_again);
	tcase_add_test(tc, lines_left_out_are_not_counted);
	tcase_add_test(tc, what_stands_apart_begins_a_request);
	tcase_add_test(tc, nothing_wanted_is_no_request);
	tcase_add_loop_test(tc, limit_is_of_rendered_bytes, 0, 2);
	tcase_add_test(tc, one_event_a_request);
	tcase_add_test(tc, the_one_event_is_at_fault);
	tcase_add_loop_test(tc, one_refusal_is_a_weak_hint, 0, 3);
	tcase_add_test(tc, packed_answer);
	tcase_add_loop_test(tc, broken_connections_are_counted, 0, 2);
	tcase_add_test(tc, blips_of_lines);
	tcase_add_loop_test(tc, wrong_requests_are_not_sent, 0, 2);
	tcase_add_test(tc, probe_is_the_dialects);
	tcase_add_test(tc, probe_in_the_receivers_terms);
	tcase_add_test(tc, not_yet_is_no_refusal);
	tcase_add_test(tc, tokens_are_renewed);
	tcase_add_test(tc, what_cannot_be_rendered_is_a_dead_letter);
	tcase_add_test(tc, the_rest_goes_at_once);
	tcase_add_test(tc, again_needs_progress);
	tcase_add_loop_test(tc, type_of_a_feed, 0, 6);
	suite_add_tcase(s, tc);
	return s;
}
