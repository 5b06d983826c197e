/*
 * roles.c - what the roles do with a store, in small.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/merkle.h"
#include "base/text.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/line.h"
#include "store/position.h"
#include "store/report.h"
#include "store/store.h"
#include "store/tree.h"
#include "store/trouble.h"
#include "store/write_batch.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/roles.h"

#define LINES_MAX ((size_t)64 << 20)
#define EVENT_TEXT 64
#define SECOND 10 /* this event has the id of the first */
#define OUTPUT "siem"

static const char *const feeds[ROLES_FEEDS] = { "a/one", "a/two" };

uint64_t
roles_item(int item)
{
	return ((UINT64_C(1) << ROLES_EVENTS) - 1) << (item * ROLES_EVENTS);
}

/* -- collect ------------------------------------------------------------- */

static void
event_text(int feed, int number, char out[EVENT_TEXT])
{
	(void)snprintf(out, EVENT_TEXT, "{\"Id\":\"%d-%d\",\"n\":%d}", feed,
	    number == SECOND ? 0 : number, number);
}

static int
add_events(struct write_batch *p, int feed, int item, struct err *err)
{
	char text[EVENT_TEXT];
	int rc = 0;

	for (int i = 0; i < ROLES_EVENTS && rc == 0; i++) {
		struct slice id = { .data = text + strlen("{\"Id\":\"") };

		event_text(feed, item * ROLES_EVENTS + i, text);
		id.len = strcspn(id.data, "\"");
		rc = write_batch_add(p, text, strlen(text), id,
		    clock_now() - item * CLOCK_MINUTE, err);
	}
	return rc;
}

/* List the items from the one on that is the feed's next. */
static int
list(struct feed *f, struct write_batch *p, int items, struct err *err)
{
	char *cursor = feed_cursor(f);
	char key[32], next[32];
	int from = 0;

	/* "" and "lost": from the beginning. */
	if (sscanf(cursor, "{\"next\":%d}", &from) != 1 || from < 0)
		from = 0;
	free(cursor);
	for (; from < items; from++) {
		const struct listed l = { key, "https://x/y", clock_now(),
			INT64_MAX };

		(void)snprintf(key, sizeof(key), "item-%d", from);
		write_batch_listed(p, &l);
	}
	(void)snprintf(next, sizeof(next), "{\"next\":%d}", items);
	write_batch_cursor(p, next);
	return feed_commit(p, NULL, err);
}

/* What the vendor says of an item: its events, or that there is none such. */
static int
fetch(struct write_batch *p, int feed, const struct item *it, struct err *err)
{
	const uint8_t chain[DIGEST_LEN] = { 1 };
	struct gap_row gap = { .item = it->id, .cause = "404" };
	int item = -1;

	if (it->key == NULL || sscanf(it->key, "item-%d", &item) != 1 ||
	    item < 0 || item >= ROLES_ITEMS + ROLES_MORE) {
		write_batch_gap(p, &gap);
		return feed_commit(p, NULL, err);
	}
	if (add_events(p, feed, item, err) != 0)
		return -1;
	write_batch_item(p, it->id, ROLES_EVENTS, chain, true);
	return feed_commit(p, NULL, err);
}

static int
collect_feed(struct feed *f, int feed, int items, struct err *err)
{
	struct write_batch *p = write_batch_new(f);
	struct item it;
	int rc = list(f, p, items, err);

	while (rc == 0 && (rc = item_claim(f, &it, NULL, err)) == 1) {
		rc = fetch(p, feed, &it, err);
		if (rc == 0)
			rc = item_return(f, &it, 0, NULL, err);
		item_release(&it);
	}
	write_batch_free(p);
	return rc;
}

int
roles_collect(struct store *s, int items, struct err *err)
{
	int rc = 0;

	/* A filter of usual size would be most of the work. */
	s->filter_bytes = 4096;
	for (int i = 0; i < ROLES_FEEDS && rc == 0; i++) {
		struct feed *f = feed_open(s, feeds[i], CLOCK_DAY, err);

		rc = f == NULL ? -1 : collect_feed(f, i, items, err);
		feed_close(f);
	}
	return rc;
}

/* -- seal ---------------------------------------------------------------- */

/* Seal what is next, without a signature: 1, 0 nothing is, -1. */
static int
seal_one(struct store *s, struct err *err)
{
	struct digest *d = digest_new();
	struct unsealed u = { .feed_id = 0 };
	struct merkle_range peaks;
	int rc = batch_next_unsealed(s, &u, err);

	if (rc == 1) {
		peaks = u.peaks;
		FUZZ_CHECK(merkle_join(d, &peaks, &u.added) == 0);
		if (batch_seal(s, &u, &peaks, "{}", err) != 0)
			rc = -1;
	}
	buf_release(&u.check);
	digest_free(d);
	return rc;
}

int
roles_seal(struct store *s, struct err *err)
{
	int rc;

	do {
		rc = seal_one(s, err);
	} while (rc == 1);
	return rc;
}

/* -- ship ---------------------------------------------------------------- */

/* An event is delivered as it was made. */
static void
take_line(struct roles_siem *siem, const char *text, size_t len)
{
	struct line line;
	char event[EVENT_TEXT];
	int feed, id, number;

	FUZZ_CHECK(line_parse(text, len, &line) == 0);
	FUZZ_CHECK(line.value.len < sizeof(event));
	memcpy(event, line.value.data, line.value.len);
	event[line.value.len] = '\0';
	FUZZ_CHECK(sscanf(event, "{\"Id\":\"%d-%d\",\"n\":%d}", &feed, &id,
		       &number) == 3);
	FUZZ_CHECK(feed >= 0 && feed < ROLES_FEEDS && number >= 0 &&
	    number < 64);
	event_text(feed, number, event);
	FUZZ_CHECK(strncmp(event, line.value.data, line.value.len) == 0);
	siem->has[feed] |= UINT64_C(1) << number;
}

static void
take_lines(struct roles_siem *siem, const struct buf *lines, size_t from)
{
	const char *at = lines->data, *end = at + lines->len, *lf;

	for (size_t n = 0; at < end; at = lf + 1, n++) {
		lf = memchr(at, '\n', (size_t)(end - at));
		FUZZ_CHECK(lf != NULL);
		if (n >= from)
			take_line(siem, at, (size_t)(lf - at));
	}
}

/* A payload that cannot be unpacked is damage, which the queue of ship says. */
static int
take_batch(struct store *s, const struct batch *b, struct gzip *g,
    struct roles_siem *siem, size_t from, struct err *err)
{
	static int64_t when[BATCH_EVENTS];
	struct buf lines = BUF_INIT(LINES_MAX);
	int rc;

	FUZZ_CHECK(b->count <= BATCH_EVENTS);
	(void)batch_times(b, when, err);
	err_clear(err);
	rc = gzip_unpack(g, b->payload.data, b->payload.len, &lines, err);
	if (rc == 0)
		take_lines(siem, &lines, from);
	else
		store_flag_damage(s);
	buf_release(&lines);
	return rc;
}

int
roles_ship(struct store *s, struct roles_siem *siem, struct err *err)
{
	static const char *const outputs[] = { OUTPUT };
	const struct output_state state = { .mode = "confirmed" };
	struct gzip *g = gzip_new();
	struct position pos;
	struct batch b;
	int rc = position_set_outputs(s, outputs, 1, err);

	batch_init(&b);
	if (rc == 0)
		rc = position_read(s, OUTPUT, &pos, NULL, NULL, err);
	while (rc == 0 &&
	    (rc = batch_next_sealed(s, pos.batch, &b, err)) == 1) {
		rc = take_batch(s, &b, g, siem, pos.lines, err);
		pos = (struct position){ .batch = b.id };
		if (rc == 0)
			rc = position_move(s, OUTPUT, &pos, &state, err);
	}
	batch_release(&b);
	gzip_free(g);
	return rc;
}

/* -- watch --------------------------------------------------------------- */

static int
look_at_feeds(struct store *s, struct err *err)
{
	struct feed_report r = { .id = 0 };
	struct tree t = { .id = 0 };
	struct tree_begun b = { .id = 0 };
	uint8_t root[DIGEST_LEN];
	int rc;

	while ((rc = report_feed(s, r.id, &r, err)) == 1)
		(void)report_lag(&r, clock_now());
	while (rc == 0 && (rc = tree_next(s, t.id, &t, err)) == 1)
		rc =
		    t.sound && tree_root(s, &t, t.size, root, err) < 0 ? -1 : 0;
	while (rc == 0 && (rc = tree_begun_next(s, b.id, &b, err)) == 1)
		rc = 0;
	return rc;
}

static int
look_at_outputs(struct store *s, struct err *err)
{
	struct output_report o = { .name = "" };
	struct dead_letter d = { .event = BUF_INIT(LINES_MAX) };
	struct request q;
	int rc;

	while ((rc = report_output(s, o.name, &o, err)) == 1)
		;
	while (rc == 0 && (rc = dead_letter_next(s, NULL, d.id, &d, err)) == 1)
		rc = 0;
	buf_release(&d.event);
	while (rc == 0 && (rc = request_next(s, "skip", OUTPUT, &q, err)) == 1)
		rc = request_done(s, q.id, err);
	return rc;
}

static int
look_at_rows(struct store *s, struct err *err)
{
	struct gap_row g = { .id = 0 };
	struct version_row v = { .id = 0 };
	struct trouble t = { .subject = "" };
	uint64_t n, open;
	int rc;

	while ((rc = report_gap(s, g.id, &g, err)) == 1)
		;
	while (rc == 0 && (rc = report_version(s, v.id, &v, err)) == 1)
		rc = 0;
	while (rc == 0 && (rc = trouble_next(s, &t, err)) == 1)
		rc = 0;
	return rc == 0 ? report_gaps(s, &n, &open, err) : rc;
}

/* The way of an event. */
static int
trace(struct store *s, const char *id, struct err *err)
{
	struct trace_place places[8];
	struct trace_output o = { .name = "" };
	struct trace t;
	size_t n;
	int rc = trace_find(s, id, places, 8, &n, err);

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = trace_read(s, &places[i], &t, err);
		while (rc == 0 &&
		    (rc = trace_output(s, &t, o.name, &o, err)) == 1)
			rc = 0;
	}
	return rc < 0 ? -1 : 0;
}

int
roles_watch(struct store *s, struct err *err)
{
	int rc = look_at_feeds(s, err);

	if (rc == 0)
		rc = look_at_outputs(s, err);
	if (rc == 0)
		rc = look_at_rows(s, err);
	return rc == 0 ? trace(s, "0-0", err) : rc;
}

/* -- the store before it is damaged -------------------------------------- */

/* Stop where rc is not 0, and say why. */
static void
must(int rc, const struct err *err)
{
	if (rc != 0)
		(void)fprintf(stderr, "%s\n", err->text);
	FUZZ_CHECK(rc == 0);
}

static void
fill_other_tables(struct store *s, struct err *err)
{
	struct dead_letter d = { .output = OUTPUT,
		.feed = "a/one",
		.reason = "too large",
		.event = BUF_INIT(LINES_MAX) };
	const struct request q = {
		.kind = "skip", .target = OUTPUT, .argument = ""
	};
	const struct trouble t = { .subject = "a/one",
		.class = "vendor",
		.code = "AF429",
		.text = "too many requests" };

	FUZZ_CHECK(buf_adds(&d.event, "{}") == 0);
	must(dead_letter_add(s, &d, err), err);
	buf_release(&d.event);
	must(request_add(s, &q, err), err);
	must(trouble_set(s, &t, err), err);
	must(tree_retire(s, "a/three", "it was signed elsewhere", err), err);
	must(tree_set_log_id(s, "log", err), err);
}

static void
add_gap(struct store *s, struct err *err)
{
	const struct gap_row gap = {
		.cause = "it has expired", .event = "x", .event_len = 1
	};
	struct feed *f = feed_open(s, feeds[0], CLOCK_DAY, err);
	struct write_batch *p = write_batch_new(f);

	write_batch_gap(p, &gap);
	must(feed_commit(p, NULL, err), err);
	write_batch_free(p);
	feed_close(f);
}

void
roles_fill(const char *path, int items)
{
	struct err err = ERR_INIT;
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct roles_siem siem = { .has = { 0 } };

	FUZZ_CHECK(s != NULL);
	must(roles_collect(s, 1, &err), &err);
	must(roles_seal(s, &err), &err);
	must(roles_ship(s, &siem, &err), &err);
	add_gap(s, &err);
	fill_other_tables(s, &err);
	for (int n = 2; n <= items; n++) {
		must(roles_collect(s, n, &err), &err);
		must(roles_seal(s, &err), &err);
	}
	store_close(s);
}
