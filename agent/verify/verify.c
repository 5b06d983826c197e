/*
 * verify.c - takes the lines of the inputs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "evidence/note.h"
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

const char *
tally_place(const struct verify *v, uint64_t place, char out[CHAIN_PLACE])
{
	const struct chain c = { .inputs = v->inputs };

	return chain_place(&c, place, out);
}

bool
tally_is_asked(const struct verify *v, const char *feed)
{
	for (size_t i = 0; i < v->options.n_feeds; i++)
		if (claims_is_tree_of(feed, v->options.feeds[i]))
			return true;
	return v->options.n_feeds == 0;
}

int
tally_compare(const char *s, struct slice text)
{
	int order = text.len == 0 ? 0 : strncmp(s, text.data, text.len);

	return order != 0 ? order : s[text.len] != '\0';
}

static int
compare_name(const struct stream *s, struct slice agent, struct slice feed)
{
	int order = tally_compare(s->name, feed);

	return order != 0 ? order : tally_compare(s->agent, agent);
}

size_t
tally_position(const struct verify *v, struct slice agent, struct slice feed)
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

/* The stream of an agent's feed, begun when it is new; NULL: too many. */
static struct stream *
stream_of(struct verify *v, struct slice agent, struct slice feed)
{
	size_t at;

	if (v->last != NULL && compare_name(v->last, agent, feed) == 0)
		return v->last;
	at = tally_position(v, agent, feed);
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
	    cp->origin[signer.len] == '/' &&
	    tally_compare(feed, f->feed) == 0 &&
	    (f->agent.len == 0 || tally_compare(cp->signer, f->agent) == 0);
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
