/*
 * window.c - which windows of time are asked for, and the polls that do it.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/server_clock.h"
#include "sources/common/window.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"

/* Polls that follow each other faster than this read the whole overlap only
 * so often, and the last seconds in between; and where the whole takes long,
 * for no more than a tenth of the time.  But what is late does not wait longer
 * than a quarter of the overlap for that, if it can be read in a fourth of the
 * time. */
#define FULL_EVERY (15 * CLOCK_SECOND)
#define FULL_SHARE 10
#define FULL_MOST 4
#define HOT_OVERLAP (2 * CLOCK_SECOND)

/* A time noted further in the future is of a clock that was wrong. */
#define CLOCK_WRONG CLOCK_HOUR

/* A cursor, as JSON. */
#define CURSOR_MAX 1024

#define WINDOW_TIMES (2 + WINDOW_SWEEPS + WINDOW_OWN)

/* A time in a cursor. */
struct cursor_time {
	const char *key;
	int64_t *at;
};

/* Those that c has, in the order in which they are written. */
static size_t
cursor_times(const struct window_spec *spec, struct window_cursor *c,
    struct cursor_time out[WINDOW_TIMES])
{
	size_t n = 0;

	out[n++] = (struct cursor_time){ "from", &c->from };
	out[n++] = (struct cursor_time){ "listed_to", &c->listed };
	for (size_t i = 0; spec->sweeps[i].every != 0; i++)
		out[n++] =
		    (struct cursor_time){ spec->sweeps[i].key, &c->swept[i] };
	for (size_t i = 0; spec->own[i] != NULL; i++)
		out[n++] = (struct cursor_time){ spec->own[i], &c->own[i] };
	return n;
}

int
window_cursor_read(const struct window_spec *spec, const char *json,
    struct window_cursor *c)
{
	struct cursor_time times[WINDOW_TIMES];
	size_t n = cursor_times(spec, c, times);
	json_t *top;
	int rc = 0;

	*c = (struct window_cursor){ .from = 0 };
	if (*json == '\0')
		return 0;
	top = json_loads(json, 0, NULL);
	if (!json_is_object(top))
		rc = -1;
	for (size_t i = 0; i < n && rc == 0; i++) {
		const json_t *v = json_object_get(top, times[i].key);

		if (v != NULL &&
		    (!json_is_string(v) ||
			clock_parse(json_string_value(v), json_string_length(v),
			    times[i].at) != 0))
			rc = -1;
	}
	json_decref(top);
	if (rc == 0 && (c->from == 0 || c->listed < c->from))
		rc = -1;
	if (rc != 0)
		*c = (struct window_cursor){ .from = 0 };
	return rc;
}

int
window_cursor_write(const struct window_spec *spec,
    const struct window_cursor *c, struct buf *out)
{
	struct window_cursor copy = *c;
	struct cursor_time times[WINDOW_TIMES];
	size_t n = cursor_times(spec, &copy, times);
	const char *between = "{";

	for (size_t i = 0; i < n; i++) {
		char text[CLOCK_TEXT];

		if (*times[i].at == 0)
			continue;
		(void)clock_format(*times[i].at, 6, text);
		if (buf_addf(out, "%s\"%s\":\"%s\"", between, times[i].key,
			text) != 0)
			return -1;
		between = ",";
	}
	return buf_adds(out, "}");
}

static int64_t
max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
round_down(const struct window_spec *spec, int64_t t)
{
	return t - t % spec->unit;
}

static int64_t
round_up(const struct window_spec *spec, int64_t t)
{
	return round_down(spec, t + spec->unit - 1);
}

/* The oldest time that can be asked for. */
static int64_t
oldest(const struct window_spec *spec, int64_t now)
{
	return round_up(spec, now - spec->kept + spec->late);
}

void
window_cursor_begin(const struct window_spec *spec, struct window_cursor *c,
    int64_t now, int64_t initial)
{
	c->from = max(round_down(spec, now - initial),
	    oldest(spec, now) + spec->slack);
	c->listed = c->from;
	/* There is nothing before from that a sweep could find yet. */
	for (size_t i = 0; spec->sweeps[i].every != 0; i++)
		c->swept[i] = now;
}

struct window
window_next(const struct window_spec *spec, const struct window_cursor *c,
    int64_t now, int64_t overlap, struct window *gap)
{
	int64_t first = oldest(spec, now);
	/* A clock that was ahead of now has been put right. */
	int64_t listed = min(c->listed, now);
	struct window w;

	*gap = (struct window){ .from = 0 };
	if (listed < first)
		*gap = (struct window){ .from = listed, .to = first };
	w.from = max(listed - overlap, c->from);
	w.from = max(round_down(spec, w.from), first);
	w.to = min(w.from + spec->span, round_up(spec, now + spec->ahead));
	return w;
}

int64_t
window_listed(const struct window_spec *spec, const struct window *w,
    int64_t date)
{
	return max(min(w->to, date - spec->settle), w->from);
}

void
window_sweep_due(const struct window_spec *spec, const struct window_cursor *c,
    int64_t now, struct sweep *s)
{
	s->kind = NULL;
	for (size_t i = 0; spec->sweeps[i].every != 0; i++)
		if (now - c->swept[i] >= spec->sweeps[i].every ||
		    c->swept[i] > now + CLOCK_WRONG)
			s->kind = &spec->sweeps[i];
	if (s->kind == NULL)
		return;
	s->at = max(round_down(spec, now) - s->kind->back, c->from);
	s->end = round_down(spec, now);
}

struct window
window_sweep_slice(const struct window_spec *spec, const struct sweep *s,
    int64_t now)
{
	struct window w;

	w.from = max(round_down(spec, s->at), oldest(spec, now));
	w.to = max(min(w.from + spec->span, s->end), w.from);
	return w;
}

void
window_sweep_done(const struct window_spec *spec, struct sweep *s,
    const struct window *slice, int64_t now, struct window_cursor *c)
{
	s->at = slice->to;
	if (s->at < s->end)
		return;
	/* A long one has been over what the shorter ones read, too. */
	for (size_t i = 0; &spec->sweeps[i] <= s->kind; i++)
		c->swept[i] = now;
	s->kind = NULL;
}

void
window_load(struct window_state *s, const struct window_spec *spec,
    struct stream *st)
{
	char *json;

	if (s->spec != NULL)
		return;
	s->spec = spec;
	json = feed_cursor(st->feed);
	if (window_cursor_read(spec, json, &s->cursor) != 0)
		/* Whatever it was: reading all again costs only requests. */
		window_cursor_begin(spec, &s->cursor,
		    server_clock_now(st->source->clock), spec->kept);
	free(json);
}

enum reply_class
window_save(struct window_state *s, struct stream *st, struct write_batch *p,
    struct outcome *r)
{
	struct write_batch *own = p == NULL ? write_batch_new(st->feed) : NULL;
	struct buf json = BUF_INIT(CURSOR_MAX);
	struct commit_result res;
	struct err err = ERR_INIT;

	if (p == NULL)
		p = own;
	(void)outcome_set(r, REPLY_OK, "committed");
	if (window_cursor_write(s->spec, &s->cursor, &json) != 0)
		(void)outcome_set(r, REPLY_RETRY, "the cursor is too long");
	else
		write_batch_cursor(p, json.data);
	if (r->class == REPLY_OK && feed_commit(p, &res, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	buf_release(&json);
	write_batch_free(own);
	return r->class;
}

/* It moved over nothing new: to be written with what else is. */
static void
save_later(const struct window_state *s, struct stream *st)
{
	struct buf json = BUF_INIT(CURSOR_MAX);

	if (window_cursor_write(s->spec, &s->cursor, &json) == 0)
		feed_cursor_later(st->feed, json.data);
	buf_release(&json);
}

/* The cursor began by the local clock.  Where that was ahead, what lies before
 * is read, too; where it was behind, it began further back than it had to. */
static void
begin_earlier(struct window_state *s, struct server_clock *clock)
{
	struct window_cursor *c = &s->cursor;
	int64_t skew = server_clock_skew(clock);
	int64_t from = max(min(c->from, c->from + skew),
	    oldest(s->spec, server_clock_now(clock)) + s->spec->slack);

	if (from == c->from)
		return;
	c->from = from;
	c->listed = from;
}

enum reply_class
window_begin(struct window_state *s, struct stream *st, struct outcome *r)
{
	struct server_clock *clock = st->source->clock;
	struct window_cursor *c = &s->cursor;
	bool known = server_clock_known(clock);
	int64_t before = c->listed;

	(void)outcome_set(r, REPLY_OK, "begun");
	if (c->from == 0) {
		window_cursor_begin(s->spec, c, server_clock_now(clock),
		    s->spec->initial);
		s->guessed = !known;
		(void)window_save(s, st, NULL, r);
	} else if (s->guessed && known) {
		s->guessed = false;
		begin_earlier(s, clock);
		(void)window_save(s, st, NULL, r);
	}
	if (r->class == REPLY_OK &&
	    (st->listed == INT64_MIN || st->listed == before))
		st->listed = c->listed;
	return r->class;
}

/* All of l is read: move the cursor on, with a gap if there is one. */
static void
move(struct window_state *s, struct stream *st, const struct window_list *l,
    const struct window *gap, struct outcome *r)
{
	struct gap_row row = { .from = gap->from, .to = gap->to };
	struct write_batch *p;

	s->cursor.listed = window_listed(s->spec, &l->window, l->date);
	if (l->fresh == 0 && gap->from == gap->to) {
		save_later(s, st);
		return;
	}
	p = write_batch_new(st->feed);
	if (gap->from < gap->to) {
		(void)snprintf(row.cause, sizeof(row.cause), "%s",
		    s->spec->lost);
		write_batch_gap(p, &row);
	}
	(void)window_save(s, st, p, r);
	write_batch_free(p);
}

/*
 * Is what lies before gap->to surely no longer kept?  Where only the vendor's
 * clock says so, the vendor is asked for the first part of it; and has it
 * that, the cursor goes on from there.
 */
static bool
is_lost(struct window_state *s, struct worker *w, struct stream *st,
    window_list_fn *list, const struct window *gap, struct outcome *r)
{
	const struct window_spec *spec = s->spec;
	struct window_list l = { .window.from = round_down(spec, gap->from) };

	(void)outcome_set(r, REPLY_OK, "both clocks say so");
	if (oldest(spec, clock_now()) >= gap->to)
		return true;
	l.window.to = min(l.window.from + spec->span, gap->to);
	if (list(w, st, &l, r) == REPLY_CLOCK) {
		(void)outcome_set(r, REPLY_OK, "the vendor says so");
		return true;
	}
	if (r->class == REPLY_OK)
		s->cursor.listed = l.window.to;
	return false;
}

int64_t
window_full_pause(const struct window_spec *spec, int64_t took)
{
	int64_t soon = max(spec->overlap / FULL_MOST, took * FULL_MOST);

	return max(min(took * FULL_SHARE, soon), FULL_EVERY);
}

int64_t
window_full_overlap(const struct window_spec *spec, int64_t listed,
    int64_t whole)
{
	int64_t hot = whole > 0 ? max(listed - whole, 0) : 0;

	return spec->overlap + min(hot, (spec->span - spec->overlap) / 2);
}

/*
 * One clock is wrong, and it may be the one that is gone by: ask for what is
 * new by the other one.  What comes of it is a gain; what goes wrong with it
 * says nothing.
 */
static void
poll_by_other_clock(struct window_state *s, struct worker *w, struct stream *st,
    window_list_fn *list, int64_t now, int64_t there, size_t *fresh)
{
	const struct window_spec *spec = s->spec;
	struct window_list l = { .thorough = false };
	struct outcome r;

	if (now - there <= SERVER_CLOCK_APART &&
	    there - now <= SERVER_CLOCK_APART)
		return;
	l.window.to = round_up(spec, there + spec->ahead);
	l.window.from = round_down(spec, there - spec->overlap);
	l.window.from = max(l.window.from, l.window.to - spec->span);
	(void)list(w, st, &l, &r);
	*fresh += l.fresh;
}

/* Read the newest window.  True: more of the past remains. */
static bool
poll_newest(struct window_state *s, struct worker *w, struct stream *st,
    window_list_fn *list, size_t *fresh, struct outcome *r)
{
	int64_t now = server_clock_now(st->source->clock);
	int64_t mono = clock_monotonic();
	struct window_list l = { .thorough = false };
	bool full = mono >= s->full;
	int64_t overlap = full
	    ? window_full_overlap(s->spec, s->cursor.listed, s->whole)
	    : min(s->spec->overlap, HOT_OVERLAP);
	struct window gap;

	/* A clock that was ahead has been put right: what was missed while
	 * the cursor followed it is looked for at once. */
	if (s->cursor.listed > now + SERVER_CLOCK_APART)
		memset(s->cursor.swept, 0, sizeof(s->cursor.swept));

	l.window = window_next(s->spec, &s->cursor, now, overlap, &gap);
	if (gap.from < gap.to && !is_lost(s, w, st, list, &gap, r))
		return r->class == REPLY_OK;
	(void)list(w, st, &l, r);
	*fresh = l.fresh;
	if (r->class != REPLY_OK)
		return false;
	if (full) {
		poll_by_other_clock(s, w, st, list, now, clock_now(), fresh);
		poll_by_other_clock(s, w, st, list, now,
		    clock_now() + server_clock_claim(st->source->clock), fresh);
		s->full =
		    mono + window_full_pause(s->spec, clock_monotonic() - mono);
		s->whole = min(l.window.to, now);
	}
	/* The cursor is more careful: what is there to be seen now is not
	 * all that will have been available by now. */
	st->listed = min(l.window.to + s->spec->beyond, now);
	move(s, st, &l, &gap, r);
	return l.window.to < min(now, round_up(s->spec, now + s->spec->ahead));
}

/* Read one slice of a sweep if one is due.  True: slices remain. */
static bool
poll_sweep(struct window_state *s, struct worker *w, struct stream *st,
    window_list_fn *list, size_t *fresh, struct outcome *r)
{
	int64_t now = server_clock_now(st->source->clock);
	struct window_list l = { .thorough = true };

	if (s->sweep.kind == NULL)
		window_sweep_due(s->spec, &s->cursor, now, &s->sweep);
	if (s->sweep.kind == NULL)
		return false;
	l.window = window_sweep_slice(s->spec, &s->sweep, now);
	if (l.window.from < l.window.to)
		(void)list(w, st, &l, r);
	*fresh += l.fresh;
	if (r->class != REPLY_OK)
		return false;
	window_sweep_done(s->spec, &s->sweep, &l.window, now, &s->cursor);
	if (s->sweep.kind == NULL)
		(void)window_save(s, st, NULL, r);
	return s->sweep.kind != NULL;
}

enum poll_next
window_poll(struct window_state *s, struct worker *w, struct stream *st,
    window_list_fn *list, struct outcome *r)
{
	size_t fresh = 0;
	bool behind, more;

	if (s->guessed && server_clock_known(st->source->clock) &&
	    window_begin(s, st, r) != REPLY_OK)
		return POLL_REST;

	behind = poll_newest(s, w, st, list, &fresh, r);
	if (r->class != REPLY_OK)
		return POLL_REST;
	more = poll_sweep(s, w, st, list, &fresh, r);
	if (r->class != REPLY_OK)
		return POLL_REST;
	if (behind || more)
		return POLL_AGAIN;
	return fresh > 0 ? POLL_SOON : POLL_REST;
}
