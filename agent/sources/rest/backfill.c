/*
 * backfill.c - spans of a stream's time, read beside its polls.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "sources/rest/rest_private.h"

/* So much time is asked for first; then more, as long as it takes no more
 * than so many pages. */
#define STEP CLOCK_HOUR
#define PAGES_FEW 2
#define PAGES_MANY 20

/* The stream as it can be asked for spans of time; NULL: it cannot. */
static const struct def_stream *
by_time(const struct def_stream *def)
{
	return def->cursor.kind == CURSOR_WINDOW ? def : def->bounded;
}

/* Does a request read up to now, whatever is asked for? */
static bool
is_open(const struct def_stream *def)
{
	return def->cursor.end == BOUND_OPEN || def->page.older != 0;
}

const char *
rest_bounds(const void *conf, const char *stream, struct source_bounds *out)
{
	const struct rest_conf *c = conf;
	const struct def_stream *def =
	    by_time(definition_stream(c->def, stream));

	if (def == NULL)
		return "the vendor gives only what is new, behind a cursor of "
		       "its own";
	if (c->dedupe == 0)
		return "its dedupe is 0, so what was collected before would "
		       "come again";
	*out = (struct source_bounds){ .kept = rest_retention(c, def),
		.step = is_open(def) ? INT64_MAX : def->cursor.span };
	return NULL;
}

static struct rest_stream *
state_of(struct stream *st)
{
	struct rest_stream **at = st->state;
	const struct rest_conf *c = st->source->conf;
	const struct def_stream *def;

	if (*at != NULL)
		return *at;
	def = by_time(definition_stream(c->def, st->name));
	*at = rest_stream_new(st, def);
	(*at)->aside = true;
	/* What a job takes hardly depends on the span. */
	(*at)->step = is_open(def)                     ? INT64_MAX
	    : def->job.used || def->cursor.span < STEP ? def->cursor.span
						       : STEP;
	return *at;
}

/* What one call reads: bounds are multiples of the unit, and a first instant
 * that a request leaves out is asked for, too. */
static struct window
first_part(const struct rest_stream *rs, const struct span *span)
{
	const struct def_cursor *c = &rs->def->cursor;
	const int64_t unit = c->granularity;
	struct window w = { .from = span->from - span->from % unit,
		.to = span->to + (unit - span->to % unit) % unit };

	if (w.to - w.from > rs->step)
		w.to = w.from +
		    (rs->step < unit ? unit : rs->step - rs->step % unit);
	if (c->start == BOUND_EXCLUSIVE)
		w.from -= unit;
	return w;
}

void
rest_backfill(struct worker *w, struct stream *st, const struct span *span,
    int64_t *to, struct outcome *r)
{
	struct rest_stream *rs = state_of(st);
	struct window_list l = { .window = first_part(rs, span),
		.thorough = true };

	if (rest_read_window(w, st, &l, r) != REPLY_OK)
		return;
	*to = l.window.to < span->to ? l.window.to : span->to;
	if (is_open(rs->def)) {
		*to = span->to;
	} else if (l.pages <= PAGES_FEW &&
	    rs->step <= rs->def->cursor.span / 2) {
		rs->step *= 2;
	} else if (l.pages > PAGES_MANY && rs->step / 2 >= CLOCK_MINUTE) {
		rs->step /= 2;
	}
}

void
rest_forget(struct stream *st)
{
	rest_stream_free(*(struct rest_stream **)st->state);
}
