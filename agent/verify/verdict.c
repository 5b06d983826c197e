/*
 * verdict.c - all is read: what follows from it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify/chain.h"
#include "verify/tally.h"

bool
tally_is_wrong(const struct verify *v, enum found_kind kind)
{
	return found_rules[kind].wrong ||
	    (v->options.complete && found_rules[kind].complete);
}

/* stream_repeated */
struct repeats {
	struct verify *v;
	const struct stream *stream;
	struct found_run run;
};

static void
repeats_flush(struct repeats *r)
{
	if (r->run.first < r->run.end)
		found_events(&r->v->founds, FOUND_REPEATED, r->stream->name,
		    r->run.first, r->run.end - 1, "repeated, identical copies");
	r->run = (struct found_run){ .first = 0 };
}

static void
repeated(void *ctx, const struct seen *copy)
{
	struct repeats *r = ctx;

	if (r->run.first < r->run.end && copy->index < r->run.end)
		return;
	if (!found_run_extend(&r->run, copy->index, copy->index + 1)) {
		repeats_flush(r);
		(void)found_run_extend(&r->run, copy->index, copy->index + 1);
	}
}

/* parts_fn: what is left over.  A part that was repeated after its event was
 * whole is no more than a copy. */
static void
left_over(void *ctx, const struct frame *f, uint64_t place)
{
	struct verify *v = ctx;
	struct stream *s = tally_find(v, f->feed.data);
	char where[CHAIN_PLACE];
	size_t at = s == NULL ? 0 : seen_list_find(&s->seen, f->number);

	if (f->kind != FRAME_EVENT || !tally_is_asked(v, f->feed.data))
		return;
	if (s != NULL && at < s->seen.n && s->seen.list[at].index == f->number)
		found_events(&v->founds, FOUND_REPEATED, s->name, f->number,
		    f->number, "parts of it stand there once more (%s)",
		    tally_place(v, place, where));
	else
		found_events(&v->founds, FOUND_INCOMPLETE, f->feed.data,
		    f->number, f->number,
		    "incomplete, %u of its %u parts (from %s)", f->part,
		    f->parts, tally_place(v, place, where));
}

static void
check_streams(struct verify *v)
{
	struct founds unasked = { .n = 0 };

	for (size_t i = 0; i < v->n_streams; i++) {
		struct stream *s = v->streams[i];
		struct repeats r = { .v = v, .stream = s };
		struct chain c = { .digest = v->digest,
			.founds = s->asked ? &v->founds : &unasked,
			.witness = v->witness,
			.inputs = v->inputs };

		stream_sort(s, s->asked ? repeated : NULL, &r);
		repeats_flush(&r);
		if (s->seen.n + s->n_marks > 0 || s->asked)
			chain_check(&c, s);
	}
	founds_release(&unasked);
}

static bool
holds(const struct verify *v, const char *feed)
{
	const struct stream *s = tally_find(v, feed);

	return s != NULL && s->seen.n + s->n_marks > 0;
}

/* The statement about a feed that reaches farthest; size 0: none that counts.
 */
static struct witness_claim
farthest(const struct verify *v, const struct witness_feed *w,
    const struct stream *agent)
{
	struct witness_claim most = { .size = 0 };
	struct witness_claim first = w->claim[0];
	bool present = holds(v, w->feed);

	for (size_t i = 0; i < w->n; i++) {
		const struct witness_claim *c = &w->claim[i];

		if (c->index < first.index)
			first = *c;
		/* For a feed that is not there anyone's word is worth a
		 * look; for a tail only what is proven counts. */
		if (c->size > most.size &&
		    (!present || stream_is_proven(agent, c->index)))
			most = *c;
	}
	/* Where the agent's feed does not begin with its first event, all
	 * that the other had by then may lie before the input, too. */
	if (!present && !v->options.complete && agent->seen.n > 0 &&
	    agent->seen.list[0].index > 0 && most.size <= first.size)
		most.size = 0;
	return most;
}

/* The tree that an agent began after this one, when its store was lost: only
 * a signed one counts. */
static const char *
successor(const struct verify *v, const char *tree)
{
	char feed[FRAME_FEED + 1];

	(void)snprintf(feed, sizeof(feed), "%.*s", (int)strcspn(tree, "~"),
	    tree);
	for (size_t i = 0; i < v->n_streams; i++)
		if (v->streams[i]->n_marks > 0 &&
		    strcmp(v->streams[i]->name, tree) > 0 &&
		    witness_is_tree_of(v->streams[i]->name, feed))
			return v->streams[i]->name;
	return NULL;
}

/* What one agent's own feed says about one feed. */
static void
hear(struct verify *v, const struct witness_feed *w)
{
	const struct stream *agent = tally_find(v, w->agent_feed);
	const struct stream *s = tally_find(v, w->feed);
	const struct chain c = {
		.founds = &v->founds, .witness = v->witness, .inputs = v->inputs
	};
	struct witness_claim most;
	char why[512];

	if (agent == NULL || !tally_is_asked(v, w->feed))
		return;
	most = farthest(v, w, agent);
	(void)snprintf(why, sizeof(why),
	    ": %s index %" PRIu64 " says that it had %" PRIu64 " events",
	    w->agent_feed, most.index, most.size);
	if (most.size > 0 && !holds(v, w->feed))
		found_feed(&v->founds, FOUND_GONE, w->feed, "missing whole%s",
		    why);
	else if (most.size > stream_size(s) && successor(v, w->feed) != NULL)
		found_events(&v->founds, FOUND_RENEWED, w->feed, stream_size(s),
		    most.size - 1,
		    "lost by the agent before it was shipped, which began %s "
		    "instead%s",
		    successor(v, w->feed), why);
	else if (most.size > 0 && stream_size(s) < most.size)
		chain_missing(&c, s, stream_size(s), most.size, why);
}

/* Whether there is any tree of the feed. */
static bool
holds_tree(const struct verify *v, const char *feed)
{
	for (size_t i = 0; i < v->n_streams; i++)
		if (witness_is_tree_of(v->streams[i]->name, feed) &&
		    holds(v, v->streams[i]->name))
			return true;
	return false;
}

static bool
is_said_gone(const struct verify *v, const char *feed)
{
	for (size_t i = 0; i < v->founds.n; i++)
		if (v->founds.list[i].kind == FOUND_GONE &&
		    strcmp(v->founds.list[i].feed, feed) == 0)
			return true;
	return false;
}

/* Feeds of which there is nothing. */
static void
check_absent(struct verify *v)
{
	const struct witness_feed *w;
	size_t n;

	w = witness_feeds(v->witness, &n);
	for (size_t i = 0; i < n; i++)
		hear(v, &w[i]);
	for (size_t i = 0; i < v->options.n_feeds; i++) {
		const char *feed = v->options.feeds[i];

		if (!holds_tree(v, feed) && !is_said_gone(v, feed))
			found_feed(&v->founds, FOUND_GONE, feed,
			    "nothing of it is in the input");
	}
	if (v->n_events + v->n_checkpoints == 0)
		found_feed(&v->founds, FOUND_BROKEN, "",
		    "nothing of sealfeed is in it; a syslog server must keep "
		    "the structured data");
}

/* Each agent whose feeds are there must have its own feed there. */
static void
check_agents(struct verify *v)
{
	for (size_t i = 0; i < v->n_streams && v->options.n_feeds == 0; i++) {
		const char *agent = v->streams[i]->agent;
		char own[sizeof(v->streams[i]->agent) + sizeof("/agent")];

		if (agent[0] == '\0')
			continue;
		(void)snprintf(own, sizeof(own), "%s/agent", agent);
		if (!holds_tree(v, own) && !is_said_gone(v, own))
			found_feed(&v->founds, FOUND_GONE, own,
			    "missing whole: the agent's own feed, which says "
			    "what the others held");
	}
}

bool
verify_finish(struct verify *v)
{
	witness_sort(v->witness);
	check_streams(v);
	parts_left(v->parts, left_over, v);
	check_absent(v);
	check_agents(v);
	founds_sort(&v->founds);
	v->well = true;
	for (int kind = 0; kind < FOUND_KINDS; kind++)
		if (v->founds.of[kind] > 0 &&
		    tally_is_wrong(v, (enum found_kind)kind))
			v->well = false;
	return v->well;
}
