/*
 * iterator.c - streams whose position the vendor keeps, and each request moves.
 *
 * A batch is durable before the next request.  Where its reply may have been
 * lost, on its way or with this process, the vendor is asked for the last batch
 * once more, whose events are repeats if they were not lost; one that cannot do
 * that has a gap.  Each feed has an iterator of its own name, which nobody else
 * moves: a dry run, a check or another agent would take events away.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/guid.h"
#include "http/server_clock.h"
#include "sources/rest/reading.h"
#include "store/commit.h"
#include "store/write_batch.h"

enum reply_class
rest_iterator_name(struct rest_stream *rs, struct stream *st, struct outcome *r)
{
	char name[GUID_TEXT];

	if (rs->token.len > 0)
		return outcome_set(r, REPLY_OK, "it has a name");
	if (guid_make(name) != 0 ||
	    buf_addf(&rs->token, "sealfeed-%s", name) != 0)
		return outcome_set(r, REPLY_RETRY,
		    "the system has no randomness for the name of an iterator");
	return rest_cursor_save(rs, st, NULL, r);
}

/* What the last reply had will not be told again. */
static enum reply_class
lose_batch(struct rest_stream *rs, struct stream *st, struct outcome *r)
{
	const struct source *s = st->source;
	struct gap_row gap = { .from = rs->newest != 0 ? rs->newest : rs->from,
		.to = server_clock_now(s->clock) };

	(void)snprintf(gap.cause, sizeof(gap.cause),
	    "a reply may have been lost, and the vendor does not send its "
	    "events again");
	(void)outcome_set(r, REPLY_GONE, "%s", gap.cause);
	s->trouble(s->ctx, st, r);
	return rest_cursor_save(rs, st, &gap, r);
}

enum reply_class
rest_iterator_ask(struct rest_stream *rs, struct stream *st,
    struct rest_values *v, struct outcome *r)
{
	const struct def_stream *def = rs->def;
	const bool can = def->resend.path != NULL, lost = rs->in_doubt;

	(void)outcome_set(r, REPLY_OK, "it may be asked");
	v->iterator = rs->token.data;
	v->ask = !rs->begun ? &def->request
	    : can && lost   ? &def->resend
			    : &def->next;
	rs->in_doubt = true;
	rs->was_in_doubt = can && lost;
	/* To begin once more loses nothing. */
	if (can || !rs->begun)
		return r->class;
	return lost ? lose_batch(rs, st, r) : rest_cursor_save(rs, st, NULL, r);
}

enum reply_class
reading_end_batch(struct reading *g, const struct rest_page *p,
    struct buf *next, struct outcome *r)
{
	struct rest_stream *rs = g->rs;
	const bool written =
	    rs->begun && g->rows == 0 && rs->def->resend.path != NULL;
	/* It says nothing of what is behind it. */
	const bool again = g->values.ask == &rs->def->resend;

	if (reading_newest(g) > rs->newest)
		rs->newest = reading_newest(g);
	rs->begun = true;
	rs->in_doubt = false;
	if (!written && reading_commit_cursor(g, r) != REPLY_OK) {
		rs->in_doubt = true;
		return r->class;
	}
	g->behind = again || rest_more(p);
	if (g->behind && g->pages < READING_PAGES &&
	    buf_addf(next, "%zu", g->pages) != 0)
		return outcome_set(r, REPLY_RETRY, "out of memory");
	return r->class;
}
