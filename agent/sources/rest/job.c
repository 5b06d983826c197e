/*
 * job.c - work that the vendor does before a window can be read: it is
 * submitted, asked after, and may take hours and a restart.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/server_clock.h"
#include "sources/common/pages.h"
#include "sources/rest/pick.h"
#include "sources/rest/rest_private.h"

/* What stands for a job that has no id. */
#define NAMELESS "-"

/* Ask, and append the value at a pointer of the reply; NULL: what it says does
 * not matter. */
static enum reply_class
ask(struct worker *w, struct stream *st, const struct rest_values *v,
    const struct def_request *request, const char *pointer, struct buf *out,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	struct rest_request q = { .headers = NULL };
	struct http_reply reply;

	http_reply_init(&reply);
	if (rest_request_of(v, request, NULL, &q) != 0) {
		(void)outcome_set(r, REPLY_CONFIG,
		    "the request is too long; see the source's options");
	} else {
		q.q.feed = st->feed;
		q.q.no_content = pointer == NULL;
		if (request_send(w, rs->api, &q.q, &reply, r) == REPLY_OK &&
		    pointer != NULL &&
		    (reply.body.data == NULL ||
			pages_token(pick_raw((struct slice){ reply.body.data,
						 reply.body.len },
					pointer),
			    out) != 0 ||
			out->len == 0))
			rules_unexpected(rs->api->rules, &reply,
			    "the state of a job", r);
	}
	rest_request_release(&q);
	http_reply_release(&reply);
	return r->class;
}

static bool
is_one_of(const struct buf *state, char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(state->data, *names) == 0)
			return true;
	return false;
}

/* Forget the job: another one will be submitted. */
static enum reply_class
give_up(struct rest_stream *rs, struct stream *st, const char *why,
    const char *state, struct outcome *r)
{
	struct outcome saved;

	buf_clear(&rs->job);
	if (rest_cursor_save(rs, st, NULL, &saved) != REPLY_OK) {
		*r = saved;
		return r->class;
	}
	return outcome_set(r, REPLY_RETRY,
	    "the job that was to make the events ready %s: %.100s", why, state);
}

static enum reply_class
submit(struct worker *w, struct stream *st, const struct rest_values *v,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;

	buf_clear(&rs->job);
	if (ask(w, st, v, &rs->def->job.submit, rs->def->job.id, &rs->job, r) !=
	    REPLY_OK) {
		buf_clear(&rs->job);
		return r->class;
	}
	if (rs->def->job.id == NULL && buf_adds(&rs->job, NAMELESS) != 0)
		return outcome_set(r, REPLY_RETRY, "out of memory");
	rs->part = *v->window;
	rs->part_at = rs->part_date = rs->job_at =
	    server_clock_now(w->source->clock);
	buf_clear(&rs->part_page);
	return rest_cursor_save(rs, st, NULL, r);
}

/* Ask after it until it is done. */
static enum reply_class
wait_for(struct worker *w, struct stream *st, struct rest_values *v,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const struct def_job *j = &rs->def->job;
	struct source *s = w->source;
	struct buf state = BUF_INIT(1024);

	v->job = rs->job.data;
	for (;;) {
		buf_clear(&state);
		if (ask(w, st, v, &j->poll, j->status, &state, r) != REPLY_OK ||
		    is_one_of(&state, j->done))
			break;
		if (!is_one_of(&state, j->running)) {
			(void)give_up(rs, st, "has failed", state.data, r);
			break;
		}
		if (server_clock_now(s->clock) - rs->job_at > j->deadline) {
			(void)give_up(rs, st, "takes too long", state.data, r);
			break;
		}
		if (!s->rest(s->ctx, j->every)) {
			(void)outcome_set(r, REPLY_STOPPED,
			    "the agent is stopping");
			break;
		}
	}
	/* One that the vendor does not know any more is submitted again. */
	if (r->class == REPLY_GONE || r->class == REPLY_CURSOR)
		(void)give_up(rs, st, "is not known any more", "", r);
	buf_release(&state);
	return r->class;
}

enum reply_class
rest_job(struct worker *w, struct stream *st, struct rest_values *v,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const bool ours = rs->job.len > 0 && rs->part.from == v->window->from &&
	    rs->part.to == v->window->to;

	(void)outcome_set(r, REPLY_OK, "the job is known");
	if (!ours && submit(w, st, v, r) != REPLY_OK)
		return r->class;
	return wait_for(w, st, v, r);
}
