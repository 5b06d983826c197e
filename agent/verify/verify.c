/*
 * verify.c - takes the lines of the inputs and draws conclusions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "evidence/note.h"
#include "verify/agents.h"
#include "verify/chain.h"
#include "verify/verify_private.h"
#include "verify/wrapped.h"

/* A readable line is no longer, so its other readings are not, either. */
#define SCRATCH_MAX READER_LINE_MAX

struct verify *
verify_new(const struct verify_options *options)
{
	struct verify *v = xcalloc(1, sizeof(*v));

	v->options = *options;
	v->digest = digest_new();
	v->parts = parts_new();
	v->claims = claims_new();
	v->export = export_new();
	v->scratch = (struct buf)BUF_INIT(SCRATCH_MAX);
	v->envelope = (struct buf)BUF_INIT(SCRATCH_MAX);
	proof_init(&v->proof);
	v->keys = keys_new(options->keys, options->n_keys);
	return v;
}

void
verify_free(struct verify *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n_streams; i++)
		stream_free(v->streams[i]);
	for (size_t i = 0; i < v->n_inputs; i++)
		free(v->inputs[i]);
	free(v->streams);
	free(v->inputs);
	digest_free(v->digest);
	parts_free(v->parts);
	claims_free(v->claims);
	export_free(v->export);
	findings_release(&v->findings);
	proof_release(&v->proof);
	buf_release(&v->scratch);
	buf_release(&v->envelope);
	keys_free(v->keys);
	free(v);
}

/* chain_place() */
static const char *
tally_place(const struct verify *v, uint64_t place, char out[CHAIN_PLACE])
{
	const struct chain c = { .inputs = v->inputs };

	return chain_place(&c, place, out);
}

/* Whether --feed lets this one in. */
static bool
tally_is_asked(const struct verify *v, const char *feed)
{
	for (size_t i = 0; i < v->options.n_feeds; i++)
		if (claims_is_tree_of(feed, v->options.feeds[i]))
			return true;
	return v->options.n_feeds == 0;
}

static int
compare_text(const char *s, struct slice text)
{
	int order = text.len == 0 ? 0 : strncmp(s, text.data, text.len);

	return order != 0 ? order : s[text.len] != '\0';
}

static int
compare_name(const struct stream *s, struct slice agent, struct slice feed)
{
	int order = compare_text(s->name, feed);

	return order != 0 ? order : compare_text(s->agent, agent);
}

/* Where the stream of an agent's feed is, or would be. */
static size_t
position(const struct verify *v, struct slice agent, struct slice feed)
{
	size_t low = 0;
	size_t high = v->n_streams;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_name(v->streams[mid], agent, feed) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_filled(const struct stream *s)
{
	return s->seen.n + s->n_marks > 0;
}

/* The agent's stream of a feed: with checkpoints by it, or what names no agent
 * where nobody has any; NULL: nothing is there. */
static struct stream *
tally_find(const struct verify *v, const char *agent, const char *feed)
{
	struct slice name = { .data = feed, .len = strlen(feed) };
	struct stream *found = NULL;
	size_t at = position(v, (struct slice){ "", 0 }, name);

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

/* The stream of an agent's feed, begun when it is new; NULL: too many. */
static struct stream *
stream_of(struct verify *v, struct slice agent, struct slice feed)
{
	size_t at;

	if (v->last != NULL && compare_name(v->last, agent, feed) == 0)
		return v->last;
	at = position(v, agent, feed);
	if (at == v->n_streams ||
	    compare_name(v->streams[at], agent, feed) != 0) {
		if (v->n_streams == TALLY_FEEDS) {
			if (!v->too_many)
				finding_feed(&v->findings, FINDING_BROKEN, "",
				    "more than %d feeds; the others are not "
				    "checked",
				    TALLY_FEEDS);
			v->too_many = true;
			return NULL;
		}
		v->streams = xreallocarray(v->streams, v->n_streams + 1,
		    sizeof(struct stream *));
		memmove(v->streams + at + 1, v->streams + at,
		    (v->n_streams - at) * sizeof(struct stream *));
		v->streams[at] = stream_new(agent, feed);
		v->streams[at]->asked = tally_is_asked(v, v->streams[at]->name);
		v->n_streams++;
	}
	v->last = v->streams[at];
	return v->last;
}

/* Another reading of an event counts beside the bytes as they stand. */
static void
add_reading(struct verify *v, struct stream *s, const struct frame *f,
    const char *data, size_t len)
{
	uint8_t leaf[DIGEST_LEN];

	merkle_leaf(v->digest, data, len, leaf);
	seen_list_add(&s->other, f->number, v->place, leaf);
}

/* Readings of an event in which a syslog server escaped control characters. */
static void
unescaped_readings(struct verify *v, struct stream *s, const struct frame *f)
{
	size_t known = f->value.len;
	char *out;

	if (memmem(f->value.data, f->value.len, "#0", 2) == NULL)
		return;
	buf_clear(&v->scratch);
	out = buf_room(&v->scratch, f->value.len);
	for (int everywhere = 0; out != NULL && everywhere < 2; everywhere++) {
		size_t n = frame_unescape(f->value.data, f->value.len,
		    everywhere == 1, out);

		if (n == known)
			continue;
		known = n;
		add_reading(v, s, f, out, n);
	}
}

/* Readings of an event that was written anew with other white space: without
 * any, as vendors write, and with one space behind colons and commas. */
static void
respaced_readings(struct verify *v, struct stream *s, const struct frame *f)
{
	for (int spaced = 0; spaced < 2; spaced++) {
		size_t n;
		char *out;

		buf_clear(&v->scratch);
		out = buf_room(&v->scratch, 2 * f->value.len);
		if (out == NULL)
			return;
		n = frame_respace(f->value.data, f->value.len, spaced == 1,
		    out);
		if (n != f->value.len || memcmp(out, f->value.data, n) != 0)
			add_reading(v, s, f, out, n);
	}
}

/* The quote that ends the string at s; NULL: none does. */
static const char *
string_end(const char *s, const char *end)
{
	const char *quote = s;

	while ((quote = memchr(quote, '"', (size_t)(end - quote))) != NULL) {
		const char *slash = quote;

		while (slash > s && slash[-1] == '\\')
			slash--;
		if ((quote - slash) % 2 == 0)
			return quote;
		quote++;
	}
	return NULL;
}

/* Does the value end inside of itself? */
static bool
is_cut(struct slice value)
{
	const char *at = value.data, *end = at + value.len;
	size_t depth = 0;

	for (; at < end; at++) {
		if (*at == '{' || *at == '[') {
			depth++;
		} else if ((*at == '}' || *at == ']') && depth > 0) {
			depth--;
		} else if (*at == '"') {
			at = string_end(at + 1, end);
			if (at == NULL)
				return true;
		}
	}
	return value.len == 0 || depth > 0;
}

static void
take_event(struct verify *v, struct stream *s, const struct frame *f,
    uint64_t place)
{
	uint8_t leaf[DIGEST_LEN];

	if (is_cut(f->value))
		place |= PLACE_CUT;
	if (f->parsed)
		place |= PLACE_PARSED;
	v->place = place;
	merkle_leaf(v->digest, f->value.data, f->value.len, leaf);
	seen_list_add(&s->seen, f->number, place, leaf);
	s->events++;
	if (f->syslog)
		unescaped_readings(v, s, f);
	if (f->parsed)
		respaced_readings(v, s, f);
	if (f->other.data != NULL)
		add_reading(v, s, f, f->other.data, f->other.len);
	if (claims_is_agent(s->name))
		claims_event(v->claims, s->name, f->number, f->value);
}

/* The opened checkpoint's relations to its line and its peaks; NULL: good,
 * with *m complete; else what is wrong. */
static const char *
mark_make(struct verify *v, const struct frame *f, const struct checkpoint *cp,
    struct mark *m)
{
	const struct proof *p = &v->proof;
	struct merkle_range before;
	struct merkle_range after;
	uint8_t root[DIGEST_LEN];

	if (cp->size != f->number)
		return "the line's size is not the signed one";
	if (p->from >= cp->size || cp->size > MERKLE_MAX ||
	    merkle_load(&before, 0, p->from, p->before.data, p->before.len) ==
		-1)
		return "its peaks before do not fit its size";
	m->from = p->from;
	m->size = cp->size;
	memcpy(m->root, cp->root, DIGEST_LEN);
	merkle_root(v->digest, &before, m->before);
	m->n_before = before.n;
	m->peaks = xmalloc(p->before.len + p->after.len + 1);
	if (before.n > 0)
		memcpy(m->peaks, p->before.data, p->before.len);
	if (p->check.len == (cp->size - p->from) * PROOF_CODE) {
		m->check = xmalloc(p->check.len);
		memcpy(m->check, p->check.data, p->check.len);
	}
	if (merkle_load(&after, 0, cp->size, p->after.data, p->after.len) == -1)
		return "its peaks after do not fit its size";
	merkle_root(v->digest, &after, root);
	if (memcmp(root, cp->root, DIGEST_LEN) != 0)
		return "its peaks after do not hash to the signed root";
	memcpy(m->peaks + p->before.len, p->after.data, p->after.len);
	m->n_after = after.n;
	return NULL;
}

/* Whether the origin is that of the feed, signed by its own agent. */
static bool
is_origin(const struct checkpoint *cp, const struct frame *f)
{
	const struct slice signer = { cp->signer, strlen(cp->signer) };
	const char *feed = cp->origin + signer.len + 1;

	return strncmp(cp->origin, cp->signer, signer.len) == 0 &&
	    cp->origin[signer.len] == '/' && compare_text(feed, f->feed) == 0 &&
	    (f->agent.len == 0 || compare_text(cp->signer, f->agent) == 0);
}

static int
open_note(struct verify *v, struct checkpoint *cp, size_t *key, struct err *err)
{
	const struct proof *p = &v->proof;

	keys_follow(v->keys, (struct slice){ p->keys.data, p->keys.len },
	    &v->findings);
	return keys_open(v->keys, (struct slice){ p->note.data, p->note.len },
	    cp, key, err);
}

/* feed: the name of f's, as a string. */
static void
take_checkpoint(struct verify *v, const struct frame *f, const char *feed,
    uint64_t place)
{
	bool asked = tally_is_asked(v, feed);
	struct mark m = { .place = place };
	struct err err = ERR_INIT;
	const char *wrong;
	struct checkpoint cp;
	struct stream *s;
	char where[CHAIN_PLACE];

	(void)tally_place(v, place, where);
	if (proof_parse(f->value.data, f->value.len, &v->proof, &err) == -1 ||
	    open_note(v, &cp, &m.key, &err) == -1) {
		if (v->line->cut)
			v->cut = true;
		else if (asked)
			finding_checkpoint(&v->findings, feed, f->number,
			    "%s (%s)",
			    is_cut(f->value) ? "truncated by the receiver, "
					       "whose limit for a message is "
					       "too low"
					     : err.text,
			    where);
		return;
	}
	if (!is_origin(&cp, f)) {
		if (asked)
			finding_checkpoint(&v->findings, feed, f->number,
			    "its origin is another feed or agent: signed is "
			    "\"%s\" by %s (%s)",
			    cp.origin, cp.signer, where);
		return;
	}
	s = stream_of(v, (struct slice){ cp.signer, strlen(cp.signer) },
	    f->feed);
	if (s == NULL)
		return;
	wrong = mark_make(v, f, &cp, &m);
	if (wrong != NULL && asked)
		finding_checkpoint(&v->findings, feed, f->number, "%s (%s)",
		    wrong, where);
	/* The signed root counts, even where the unsigned peaks after do not
	 * agree with it. */
	if (m.size > 0)
		stream_mark(s, &m);
}

/* Take a whole event or checkpoint. */
static void
take(void *ctx, const struct frame *f, uint64_t place)
{
	struct verify *v = ctx;
	char feed[FRAME_FEED + 1];
	struct frame inner = *f;
	struct stream *s;

	(void)snprintf(feed, sizeof(feed), "%.*s", (int)f->feed.len,
	    f->feed.data);
	if (!tally_is_asked(v, feed) && !claims_is_agent(feed))
		return;
	/* A table that keeps MSG alone may not say that it is an envelope. */
	if (f->wrapped || f->kind == FRAME_CHECKPOINT)
		inner.value = wrapped_value(f->value, &v->envelope);
	else if (f->other.data == NULL &&
	    wrapped_is(f->value.data, f->value.len))
		inner.other = wrapped_value(f->value, &v->envelope);
	if (f->kind == FRAME_CHECKPOINT) {
		take_checkpoint(v, &inner, feed, place);
		return;
	}
	s = stream_of(v,
	    frame_feed_is_good(f->agent) ? f->agent : (struct slice){ "", 0 },
	    f->feed);
	if (s != NULL)
		take_event(v, s, &inner, place);
}

static void
broken(struct verify *v, uint64_t place, const char *why)
{
	char where[CHAIN_PLACE];

	if (v->line->cut)
		v->cut = true;
	else
		finding_feed(&v->findings, FINDING_BROKEN, "", "%s %s",
		    tally_place(v, place, where), why);
}

/* export_fn */
static void
take_frame(void *ctx, const struct frame *f)
{
	struct verify *v = ctx;
	uint64_t place = PLACE(v->n_inputs - 1, v->line->number);

	if (f->cut && v->line->cut) {
		v->cut = true;
		return;
	}
	if (f->kind == FRAME_EVENT)
		v->n_events++;
	else
		v->n_checkpoints++;
	if (f->part == 0)
		take(v, f, place);
	else if (parts_add(v->parts, f, place, take, v) == -1)
		broken(v, place,
		    "is a part of a split event, of which too many are "
		    "incomplete");
}

/* reader_fn */
static void
take_line(void *ctx, const struct reader_line *line)
{
	struct verify *v = ctx;
	uint64_t place = PLACE(v->n_inputs - 1, line->number);

	v->line = line;
	if (line->data == NULL) {
		broken(v, place, "is too long to be read");
		return;
	}
	switch (export_frames(v->export, line, take_frame, v)) {
	case FRAME_NOTHING:
		v->n_other += line->len > 0;
		break;
	case FRAME_BROKEN:
		broken(v, place,
		    "begins like a line of sealfeed, but is not one");
		break;
	case FRAME_EVENT:
	case FRAME_CHECKPOINT:
		break;
	}
}

int
verify_input(struct verify *v, const char *path, struct err *err)
{
	struct err why = ERR_INIT;
	int rc;

	v->inputs = xreallocarray(v->inputs, v->n_inputs + 1, sizeof(char *));
	v->inputs[v->n_inputs++] =
	    xstrdup(strcmp(path, "-") == 0 ? "standard input" : path);
	rc = reader_lines(path, take_line, v, &why);
	if (rc == -1) {
		finding_feed(&v->findings, FINDING_BROKEN, "", "%s", why.text);
		(void)err_set(err, "%s", why.text);
	}
	return rc;
}

bool
tally_is_wrong(const struct verify *v, enum finding_kind kind)
{
	return finding_rules[kind].wrong ||
	    (v->options.complete && finding_rules[kind].complete);
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
	size_t i = position(v, (struct slice){ "", 0 }, feed);

	for (; i < v->n_streams && compare_text(v->streams[i]->name, feed) == 0;
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
	agent = tally_find(v, name, w->agent_feed);
	s = tally_find(v, name, w->feed);
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
