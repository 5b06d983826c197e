/*
 * conclude.c - what the lines of all inputs say together: each feed's chain,
 * the keys, what is missing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "verify/agents.h"
#include "verify/chain.h"
#include "verify/verify_private.h"

bool
tally_is_wrong(const struct verify *v, enum finding_kind kind)
{
	return finding_rules[kind].wrong ||
	    (v->options.complete && finding_rules[kind].complete);
}

static bool
is_filled(const struct stream *s)
{
	return s->seen.n + s->n_marks > 0;
}

/* The agent's stream of a feed: with checkpoints by it, or what names no agent
 * where nobody has any; NULL: nothing is there. */
static struct stream *
find_stream(const struct verify *v, const char *agent, const char *feed)
{
	struct slice name = { .data = feed, .len = strlen(feed) };
	struct stream *found = NULL;
	size_t at = tally_position(v, (struct slice){ "", 0 }, name);

	for (; at < v->n_streams && strcmp(v->streams[at]->name, feed) == 0;
	     at++) {
		struct stream *s = v->streams[at];

		if (is_filled(s) && strcmp(s->agent, agent) == 0)
			return s;
		if (is_filled(s) && s->agent[0] == '\0' && !s->owned)
			found = s;
	}
	return found;
}

/* stream_repeated */
struct repeats {
	struct verify *v;
	const struct stream *stream;
	struct finding_run run;
};

static void
repeats_flush(struct repeats *r)
{
	if (r->run.first < r->run.end)
		finding_events(&r->v->findings, FINDING_REPEATED,
		    r->stream->name, r->run.first, r->run.end - 1,
		    "repeated, identical copies");
	r->run = (struct finding_run){ .first = 0 };
}

static void
repeated(void *ctx, const struct seen *copy)
{
	struct repeats *r = ctx;

	if (r->run.first < r->run.end && copy->index < r->run.end)
		return;
	if (!finding_run_extend(&r->run, copy->index, copy->index + 1)) {
		repeats_flush(r);
		(void)finding_run_extend(&r->run, copy->index, copy->index + 1);
	}
}

/* A stream of the feed that has the event; NULL: none. */
static struct stream *
holder(const struct verify *v, struct slice feed, uint64_t index)
{
	size_t i = tally_position(v, (struct slice){ "", 0 }, feed);

	for (;
	     i < v->n_streams && tally_compare(v->streams[i]->name, feed) == 0;
	     i++) {
		const struct seen_list *seen = &v->streams[i]->seen;
		size_t at = seen_list_find(seen, index);

		if (at < seen->n && seen->list[at].index == index)
			return v->streams[i];
	}
	return NULL;
}

/* parts_fn: what is left over.  A part that was repeated after its event was
 * whole is no more than a copy. */
static void
left_over(void *ctx, const struct frame *f, uint64_t place)
{
	struct verify *v = ctx;
	struct stream *s = holder(v, f->feed, f->number);
	char where[CHAIN_PLACE];

	if (f->kind != FRAME_EVENT || !tally_is_asked(v, f->feed.data))
		return;
	if (s != NULL)
		finding_events(&v->findings, FINDING_REPEATED, s->name,
		    f->number, f->number, "parts of it are repeated (%s)",
		    tally_place(v, place, where));
	else
		finding_events(&v->findings, FINDING_INCOMPLETE, f->feed.data,
		    f->number, f->number,
		    "incomplete, %u of its %u parts (from %s)", f->part,
		    f->parts, tally_place(v, place, where));
}

/* Sort the streams of one feed's name, and part what names no agent among
 * them. */
static void
settle_streams(struct verify *v, struct stream **group, size_t n)
{
	size_t filled = 0;

	for (size_t i = 0; i < n; i++) {
		struct stream *s = group[i];
		struct repeats r = { .v = v, .stream = s };

		/* Several agents may have the same event at one index. */
		s->shared = s->agent[0] == '\0' && n > 2;
		stream_sort(s, s->asked ? repeated : NULL, &r);
		repeats_flush(&r);
	}
	agents_settle(group, n);
	for (size_t i = 0; i < n; i++)
		filled += is_filled(group[i]);
	for (size_t i = 0; i < n && filled > 1; i++) {
		if (group[i]->agent[0] == '\0')
			continue;
		free(group[i]->label);
		group[i]->label =
		    xasprintf("%s/%s", group[i]->agent, group[i]->name);
	}
}

static void
check_streams(struct verify *v)
{
	struct findings unasked = { .n = 0 };
	size_t n;

	for (size_t i = 0; i < v->n_streams; i += n) {
		n = 1;
		while (i + n < v->n_streams &&
		    strcmp(v->streams[i]->name, v->streams[i + n]->name) == 0)
			n++;
		settle_streams(v, v->streams + i, n);
	}
	for (size_t i = 0; i < v->n_streams; i++) {
		struct stream *s = v->streams[i];
		struct chain c = { .digest = v->digest,
			.findings = s->asked ? &v->findings : &unasked,
			.claims = v->claims,
			.inputs = v->inputs };

		if (is_filled(s))
			chain_check(&c, s);
	}
	findings_release(&unasked);
}

/* keys_place */
static const char *
key_place(const void *ctx, uint64_t place)
{
	static char where[CHAIN_PLACE];

	return tally_place(ctx, place, where);
}

/* Check the keys of each feed of each agent, over all of its trees: whichever
 * stream is the first of them collects the others. */
static void
check_keys(struct verify *v)
{
	struct stream **trees = xcalloc(v->n_streams + 1, sizeof(*trees));

	for (size_t i = 0; i < v->n_streams; i++) {
		struct stream *s = v->streams[i];
		size_t len = strcspn(s->name, "~"), n = 0;
		bool first = true;

		for (size_t j = s->n_marks == 0 ? v->n_streams : 0;
		     first && j < v->n_streams; j++) {
			struct stream *t = v->streams[j];

			if (t->n_marks == 0 ||
			    strcmp(t->agent, s->agent) != 0 ||
			    strcspn(t->name, "~") != len ||
			    strncmp(t->name, s->name, len) != 0)
				continue;
			first = n > 0 || t == s;
			trees[n++] = t;
		}
		if (first && n > 0 && s->asked)
			keys_check(v->keys, trees, n, &v->findings, key_place,
			    v);
	}
	free(trees);
}

/* Whether anybody's stream of the feed is there. */
static bool
holds(const struct verify *v, const char *feed)
{
	for (size_t i = 0; i < v->n_streams; i++)
		if (is_filled(v->streams[i]) &&
		    strcmp(v->streams[i]->name, feed) == 0)
			return true;
	return false;
}

/* The statement about a feed that reaches farthest; size 0: none that counts.
 */
static struct claim
farthest(const struct verify *v, const struct claims_feed *w,
    const struct stream *agent, bool present)
{
	struct claim max = { .size = 0 };
	struct claim first = w->claim[0];

	for (size_t i = 0; i < w->n; i++) {
		const struct claim *c = &w->claim[i];

		if (c->index < first.index)
			first = *c;
		/* For a feed that is not there anyone's word is worth a
		 * look; for a tail only what is proven counts. */
		if (c->size > max.size &&
		    (!present || stream_is_proven(agent, c->index)))
			max = *c;
	}
	/* Where the agent's feed does not begin with its first event, all
	 * that the other had by then may lie before the input, too. */
	if (!present && !v->options.complete && agent->seen.n > 0 &&
	    agent->seen.list[0].index > 0 && max.size <= first.size)
		max.size = 0;
	return max;
}

/* The tree that an agent began after this one, when its store was lost: only
 * a signed one counts. */
static const char *
successor(const struct verify *v, const char *agent, const char *tree)
{
	char feed[FRAME_FEED + 1];

	(void)snprintf(feed, sizeof(feed), "%.*s", (int)strcspn(tree, "~"),
	    tree);
	for (size_t i = 0; i < v->n_streams; i++)
		if (v->streams[i]->n_marks > 0 &&
		    strcmp(v->streams[i]->agent, agent) == 0 &&
		    strcmp(v->streams[i]->name, tree) > 0 &&
		    claims_is_tree_of(v->streams[i]->name, feed))
			return v->streams[i]->name;
	return NULL;
}

/* What one agent's own feed says about one feed. */
static void
hear(struct verify *v, const struct claims_feed *w)
{
	char name[FRAME_FEED + 1], why[512];
	const struct stream *agent, *s;
	const struct chain c = { .findings = &v->findings,
		.claims = v->claims,
		.inputs = v->inputs };
	struct claim max;

	(void)snprintf(name, sizeof(name), "%.*s",
	    (int)strcspn(w->agent_feed, "/"), w->agent_feed);
	agent = find_stream(v, name, w->agent_feed);
	s = find_stream(v, name, w->feed);
	if (agent == NULL || !tally_is_asked(v, w->feed))
		return;
	max = farthest(v, w, agent, s != NULL);
	(void)snprintf(why, sizeof(why),
	    ": %s index %" PRIu64 " says that it had %" PRIu64 " events",
	    w->agent_feed, max.index, max.size);
	if (max.size > 0 && s == NULL)
		finding_feed(&v->findings, FINDING_GONE, w->feed,
		    "missing entirely%s", why);
	else if (s == NULL || max.size <= stream_size(s))
		return;
	else if (successor(v, name, w->feed) != NULL)
		finding_events(&v->findings, FINDING_RENEWED, s->label,
		    stream_size(s), max.size - 1,
		    "lost by the agent before it was shipped; the agent began "
		    "%s instead%s",
		    successor(v, name, w->feed), why);
	else
		chain_missing(&c, s, stream_size(s), max.size, why);
}

/* Whether there is any tree of the feed. */
static bool
holds_tree(const struct verify *v, const char *feed)
{
	for (size_t i = 0; i < v->n_streams; i++)
		if (claims_is_tree_of(v->streams[i]->name, feed) &&
		    holds(v, v->streams[i]->name))
			return true;
	return false;
}

static bool
is_reported_gone(const struct verify *v, const char *feed)
{
	for (size_t i = 0; i < v->findings.n; i++)
		if (v->findings.list[i].kind == FINDING_GONE &&
		    strcmp(v->findings.list[i].feed, feed) == 0)
			return true;
	return false;
}

/* Report the requested feeds of which the input has nothing. */
static void
check_absent(struct verify *v)
{
	const struct claims_feed *w;
	size_t n;

	w = claims_feeds(v->claims, &n);
	for (size_t i = 0; i < n; i++)
		hear(v, &w[i]);
	for (size_t i = 0; i < v->options.n_feeds; i++) {
		const char *feed = v->options.feeds[i];

		if (!holds_tree(v, feed) && !is_reported_gone(v, feed))
			finding_feed(&v->findings, FINDING_GONE, feed,
			    "the input holds none of its lines");
	}
	if (v->n_events + v->n_checkpoints == 0)
		finding_feed(&v->findings, FINDING_BROKEN, "",
		    "it holds no line of sealfeed; a syslog server must keep "
		    "the structured data, and an export the text as it came, "
		    "such as _raw, message or event.original");
}

/* Each agent whose feeds are there must have its own feed there. */
static void
check_agents(struct verify *v)
{
	for (size_t i = 0; i < v->n_streams && v->options.n_feeds == 0; i++) {
		const char *agent = v->streams[i]->agent;
		char own[sizeof(v->streams[i]->agent) + sizeof("/agent")];

		if (agent[0] == '\0' || v->streams[i]->n_marks == 0)
			continue;
		(void)snprintf(own, sizeof(own), "%s/agent", agent);
		if (!holds_tree(v, own) && !is_reported_gone(v, own))
			finding_feed(&v->findings, FINDING_GONE, own,
			    "missing entirely: the agent's own feed, which "
			    "records what the other feeds held");
	}
}

bool
verify_finish(struct verify *v)
{
	claims_sort(v->claims);
	check_streams(v);
	check_keys(v);
	parts_left(v->parts, left_over, v);
	check_absent(v);
	check_agents(v);
	findings_sort(&v->findings);
	v->well = true;
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		if (v->findings.of[kind] > 0 &&
		    tally_is_wrong(v, (enum finding_kind)kind))
			v->well = false;
	return v->well;
}
