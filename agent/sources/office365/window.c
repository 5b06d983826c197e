/*
 * window.c - which windows of time are listed.
 */
#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sources/office365/window.h"

/* The server measures 7 days when it gets to it. */
#define KEPT_MARGIN CLOCK_MINUTE
/* A feed that begins as far back as can be has this time for its first call
 * before something is lost. */
#define BEGIN_MARGIN (5 * CLOCK_MINUTE)
/* A window's end is put so far ahead of what the server's clock said last:
 * its Date has whole seconds, and what appears in this very second must not
 * wait for the next poll. */
#define AHEAD CLOCK_SECOND
/* What is said to be complete ends before the listing began. */
#define SETTLE (5 * CLOCK_SECOND)

#define HOURLY_EVERY CLOCK_HOUR
#define DAILY_EVERY CLOCK_DAY

static const struct {
	const char *key;
	size_t offset;
} cursor_keys[] = {
	{ "from", offsetof(struct o365_cursor, from) },
	{ "listed_to", offsetof(struct o365_cursor, listed) },
	{ "hourly", offsetof(struct o365_cursor, hourly) },
	{ "daily", offsetof(struct o365_cursor, daily) },
	{ "started", offsetof(struct o365_cursor, started) },
};
#define CURSOR_KEYS (sizeof(cursor_keys) / sizeof(cursor_keys[0]))

int
o365_cursor_read(const char *json, struct o365_cursor *c)
{
	json_t *top;
	int rc = 0;

	*c = (struct o365_cursor){ .from = 0 };
	if (*json == '\0')
		return 0;
	top = json_loads(json, 0, NULL);
	if (!json_is_object(top))
		rc = -1;
	for (size_t i = 0; i < CURSOR_KEYS && rc == 0; i++) {
		const json_t *v = json_object_get(top, cursor_keys[i].key);
		int64_t when;

		if (v == NULL)
			continue;
		if (!json_is_string(v) ||
		    clock_parse(json_string_value(v), json_string_length(v),
			&when) != 0)
			rc = -1;
		else
			memcpy((char *)c + cursor_keys[i].offset, &when,
			    sizeof(when));
	}
	json_decref(top);
	if (rc == 0 && (c->from == 0 || c->listed < c->from))
		rc = -1;
	if (rc != 0)
		*c = (struct o365_cursor){ .from = 0 };
	return rc;
}

int
o365_cursor_write(const struct o365_cursor *c, struct buf *out)
{
	const char *between = "{";

	for (size_t i = 0; i < CURSOR_KEYS; i++) {
		char text[CLOCK_TEXT];
		int64_t when;

		memcpy(&when, (const char *)c + cursor_keys[i].offset,
		    sizeof(when));
		if (when == 0)
			continue;
		(void)clock_format(when, 6, text);
		if (buf_addf(out, "%s\"%s\":\"%s\"", between,
			cursor_keys[i].key, text) != 0)
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
floor_second(int64_t t)
{
	return t - t % CLOCK_SECOND;
}

static int64_t
ceil_second(int64_t t)
{
	return floor_second(t + CLOCK_SECOND - 1);
}

/* The oldest time that can be asked for. */
static int64_t
oldest(int64_t now)
{
	return ceil_second(now - OFFICE365_KEPT + KEPT_MARGIN);
}

/* The end of a window that reaches into the present. */
static int64_t
present(int64_t now)
{
	return ceil_second(now + AHEAD);
}

void
o365_cursor_begin(struct o365_cursor *c, int64_t now, int64_t initial)
{
	c->from = max(floor_second(now - initial), oldest(now) + BEGIN_MARGIN);
	c->listed = c->from;
	/* There is nothing before from that a sweep could find yet. */
	c->hourly = now;
	c->daily = now;
}

struct window
o365_window(const struct o365_cursor *c, int64_t now, int64_t overlap,
    struct window *gap)
{
	/* A clock that was ahead of now has been put right. */
	int64_t listed = min(c->listed, now);
	struct window w;

	*gap = (struct window){ .from = 0 };
	if (listed < oldest(now))
		*gap = (struct window){ .from = listed, .to = oldest(now) };
	w.from = max(listed - overlap, c->from);
	w.from = max(floor_second(w.from), oldest(now));
	w.to = min(w.from + OFFICE365_SPAN, present(now));
	return w;
}

int64_t
o365_listed(const struct window *w, int64_t date)
{
	return max(min(w->to, date - SETTLE), w->from);
}

void
o365_sweep_due(const struct o365_cursor *c, int64_t now, struct sweep *s)
{
	int64_t back;

	s->kind = SWEEP_NONE;
	/* One noted in the future is of a clock that was wrong. */
	if (now - c->daily >= DAILY_EVERY || c->daily > now + CLOCK_HOUR) {
		s->kind = SWEEP_DAILY;
		back = OFFICE365_KEPT;
	} else if (now - c->hourly >= HOURLY_EVERY ||
	    c->hourly > now + CLOCK_HOUR) {
		s->kind = SWEEP_HOURLY;
		back = OFFICE365_SPAN;
	} else {
		return;
	}
	s->at = max(floor_second(now) - back, c->from);
	s->end = floor_second(now);
}

struct window
o365_sweep_slice(const struct sweep *s, int64_t now)
{
	struct window w;

	w.from = max(floor_second(s->at), oldest(now));
	w.to = max(min(w.from + OFFICE365_SPAN, s->end), w.from);
	return w;
}

void
o365_sweep_done(struct sweep *s, const struct window *slice, int64_t now,
    struct o365_cursor *c)
{
	s->at = slice->to;
	if (s->at < s->end)
		return;
	/* The daily one has been over the last day, too. */
	if (s->kind == SWEEP_DAILY)
		c->daily = now;
	c->hourly = now;
	s->kind = SWEEP_NONE;
}

void
o365_time(int64_t when, char *out)
{
	char text[CLOCK_TEXT];

	(void)clock_format(when, 0, text);
	memcpy(out, text, 19);
	out[19] = '\0';
}
