/*
 * take.c - rows become events of a write batch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/merkle.h"
#include "http/error_value.h"
#include "sources/common/events.h"
#include "sources/rest/decode.h"
#include "sources/rest/pick.h"
#include "sources/rest/reading.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/identity.h"
#include "store/write_batch.h"

/* What separates the parts of an id; no part has it. */
#define ID_GLUE "\x1f"

/* -- rows ------------------------------------------------------------------ */

static uint64_t
hash_of(const struct element *el)
{
	uint64_t h = UINT64_C(1469598103934665603) ^ el->len;

	for (size_t i = 0; el->data != NULL && i < el->len; i++)
		h = (h ^ (unsigned char)el->data[i]) * UINT64_C(1099511628211);
	return h | 1;
}

/* An element that is no event is told of once, however often an overlap has
 * it. */
static void
lose(struct reading *g, const struct element *el)
{
	const struct window *w = g->values.window;
	const uint64_t hash = hash_of(el);
	uint64_t *known = &g->odd[hash % REST_ODD];
	const struct lost_event l = { .what = "page",
		.n = g->rows - 1,
		.key = "",
		.from = w != NULL ? w->from : g->values.start,
		.to = reading_until(g) };

	if (*known == hash || g->trying)
		return;
	*known = hash;
	events_lose(g->batch, g->st, &l, el);
}

/* The parts of an id, each at its pointer, one behind the other; data NULL
 * where all are missing. */
static struct slice
joined_id(struct reading *g, const struct element *el)
{
	const struct slice row = { el->data, el->len };
	bool any = false;

	buf_clear(&g->id);
	for (char **p = g->rs->def->id; *p != NULL; p++) {
		struct slice part = pick(row, *p);

		any = any || identity_named(part);
		if ((p != g->rs->def->id && buf_adds(&g->id, ID_GLUE) != 0) ||
		    (part.data != NULL &&
			buf_add(&g->id, part.data, part.len) != 0))
			return (struct slice){ .data = NULL };
	}
	return (struct slice){ any ? g->id.data : NULL, g->id.len };
}

/* The id that the vendor gives to a row; data NULL: none. */
static struct slice
row_id(struct reading *g, const struct element *el)
{
	if (g->rs->def->id == NULL)
		return (struct slice){ .data = NULL };
	if (g->rs->def->id_key == NULL)
		return joined_id(g, el);
	if (el->id.data == NULL || !identity_named(el->id))
		return (struct slice){ .data = NULL };
	return el->id;
}

static int64_t
row_time(const struct reading *g, const struct element *el)
{
	const struct def_time *t = &g->rs->def->time;
	struct slice text = el->time;
	int64_t when;

	if (g->rs->def->time_key == NULL)
		text = pick((struct slice){ el->data, el->len }, t->at);
	if (text.data == NULL ||
	    when_read((enum when_format)t->format, text, &when) != 0)
		return INT64_MIN;
	return when;
}

/* Add a row that has no id: its bytes and a number are one. */
static int
add_nameless(struct reading *g, const struct element *el, int64_t when,
    struct err *err)
{
	const struct slice row = { el->data, el->len };
	uint8_t leaf[DIGEST_LEN];
	char id[REST_ROW_ID];

	merkle_leaf(g->digest, el->data, el->len, leaf);
	if (g->equal == NULL)
		g->equal =
		    rest_rows_new(g->rs->def->cursor.kind == CURSOR_WINDOW);
	if (rest_rows_id(g->equal, leaf, id) != 0)
		return err_set(err,
		    "the window has more rows without an id than can be told "
		    "apart; a shorter span is needed");
	if (g->object == NULL)
		return write_batch_add_hashed(g->batch, row,
		    (struct slice){ id, strlen(id) }, when, leaf, err);
	/* Equal rows of two objects are two events. */
	buf_clear(&g->id);
	if (buf_addf(&g->id, "%s" ID_GLUE "%s", g->object, id) != 0)
		return err_set(err, "what a row leads to is too long");
	return write_batch_add_hashed(g->batch, row,
	    (struct slice){ g->id.data, g->id.len }, when, leaf, err);
}

/* Commit what there is. */
int
reading_commit(struct reading *g, struct err *err)
{
	const struct source *s = g->st->source;
	struct commit_result res;

	if (feed_commit(g->batch, &res, err) != 0)
		return -1;
	memcpy(g->rs->odd, g->odd, sizeof(g->odd));
	g->fresh += res.events;
	if (res.latest > g->latest)
		g->latest = res.latest;
	for (int i = 0; i < LATE_BUCKETS; i++)
		if (res.late[i] > 0)
			feed_count(g->st->feed,
			    (enum feed_counter)(FEED_LATE_10S + i),
			    res.late[i]);
	if (res.late_sum > 0)
		feed_count(g->st->feed, FEED_LATE_SUM, res.late_sum);
	if (res.events > 0)
		s->committed(s->ctx, g->st);
	return 0;
}

/* The text inside a row that is the event becomes el; false: there is none, and
 * the row is the event. */
static bool
find_inside(struct reading *g, const struct element *el, struct element *inner)
{
	const char *at = g->rs->def->records.inside;
	struct slice text;

	if (at == NULL || g->object != NULL)
		return false;
	text = pick((struct slice){ el->data, el->len }, at);
	buf_clear(&g->inside);
	if (text.data == NULL || decode_string(text, &g->inside) != 0 ||
	    g->inside.len == 0)
		return false;
	/* An event is one line. */
	for (size_t i = 0; i < g->inside.len; i++)
		if (g->inside.data[i] == '\n' || g->inside.data[i] == '\r')
			g->inside.data[i] = ' ';
	*inner =
	    (struct element){ .data = g->inside.data, .len = g->inside.len };
	return true;
}

/* What comes next is behind the last row of a page; of a first page that is in
 * another order than the ids, behind the least of them. */
static void
note_id(struct reading *g, struct slice id)
{
	const struct buf *l = &g->last_id;

	if (g->rs->def->page.least && *g->values.page == '\0' && l->len > 0 &&
	    (id.data == NULL || id.len > l->len ||
		(id.len == l->len && memcmp(id.data, l->data, l->len) > 0)))
		return;
	buf_clear(&g->last_id);
	if (id.data != NULL && buf_add(&g->last_id, id.data, id.len) != 0)
		buf_clear(&g->last_id);
}

static int
add_event(struct reading *g, const struct element *el, struct err *err)
{
	struct element inner;
	struct slice id;
	int64_t when;
	int rc;

	if (el->data == NULL || el->bad != NULL) {
		lose(g, el);
		return 0;
	}
	if (g->trying)
		return 0;
	if (find_inside(g, el, &inner)) {
		const char *key = g->rs->def->id_key;
		char pointer[128];

		if (key != NULL &&
		    snprintf(pointer, sizeof(pointer), "/%s", key) <
			(int)sizeof(pointer))
			inner.id = pick((struct slice){ inner.data, inner.len },
			    pointer);
		inner.time = pick((struct slice){ inner.data, inner.len },
		    g->rs->def->time.at);
		el = &inner;
	}
	id = row_id(g, el);
	when = row_time(g, el);
	if (when > g->newest)
		g->newest = when;
	if (when != INT64_MIN && when < g->oldest)
		g->oldest = when;
	note_id(g, id);
	if (id.data != NULL)
		rc =
		    write_batch_add(g->batch, el->data, el->len, id, when, err);
	else
		rc = add_nameless(g, el, when, err);
	if (rc == 0 &&
	    (write_batch_bytes(g->batch) >= WRITE_BATCH_BYTES ||
		write_batch_events(g->batch) >= BATCH_EVENTS))
		rc = reading_commit(g, err);
	return rc;
}

int
reading_event(struct reading *g, const struct element *el, struct err *err)
{
	const int rc = add_event(g, el, err);

	g->stuck = g->stuck || rc != 0;
	return rc;
}

/* Remember what a row leads to, unless that has been brought. */
static int
note_lead(struct reading *g, const struct element *el, struct err *err)
{
	const struct def_fetch *f = &g->rs->def->fetch;
	const char *at = f->url != NULL ? f->url : f->id != NULL ? f->id : "";
	const uint64_t hash = hash_of(el);
	struct slice lead;

	if (!f->always && g->rs->brought != NULL &&
	    g->rs->brought[hash % REST_BROUGHT] == hash)
		return 0;
	lead = pick((struct slice){ el->data, el->len }, at);
	if (lead.data == NULL || lead.len == 0) {
		struct element odd = *el;

		odd.bad = "it leads to nothing, since what fetch asks for is "
			  "missing";
		lose(g, &odd);
		return 0;
	}
	if (g->n_leads % 256 == 0)
		g->row_hashes = xreallocarray(g->row_hashes, g->n_leads + 256,
		    sizeof(*g->row_hashes));
	if (decode_string(lead, &g->leads) != 0 ||
	    buf_add(&g->leads, "", 1) != 0)
		return err_set(err,
		    "what the rows of a page lead to is too "
		    "long");
	g->row_hashes[g->n_leads++] = hash;
	return 0;
}

int
reading_row(void *ctx, const struct element *el, struct err *err)
{
	struct reading *g = ctx;

	g->rows++;
	if (!g->rs->def->fetch.used)
		return reading_event(g, el, err);
	if (el->data == NULL || el->bad != NULL) {
		lose(g, el);
		return 0;
	}
	if (!g->trying && note_lead(g, el, err) != 0)
		g->stuck = true;
	return g->stuck ? -1 : 0;
}

/* -- bytes ----------------------------------------------------------------- */

int
reading_bytes(void *ctx, const char *data, size_t len, struct err *err)
{
	struct reading *g = ctx;

	if (g->rs->def->whole && buf_add(&g->whole, data, len) != 0)
		return err_set(err,
		    "the reply is longer than %zu MiB, the most that is read "
		    "as a whole",
		    READING_WHOLE / (1024 * 1024));
	if (g->event != NULL)
		return 0;
	return splitter_push(g->splitter, data, len, err);
}

int
reading_decoded(struct reading *g, struct splitter *s, struct slice event,
    struct err *err)
{
	splitter_reset(s);
	g->stuck = false;
	if (splitter_push(s, event.data, event.len, err) == 0 &&
	    splitter_end(s, err) == 0)
		return 0;
	return g->stuck ? -1 : 1;
}

/* decode_fn */
static int
take_decoded(void *ctx, struct slice event, const char *bad, struct err *err)
{
	struct reading *g = ctx;
	const struct element odd = {
		.data = event.data, .len = event.len, .bad = bad
	};

	return bad != NULL ? reading_row(g, &odd, err)
			   : reading_decoded(g, g->event, event, err);
}

bool
reading_failed(struct reading *g, const struct splitter *s, size_t n,
    const struct buf *whole, const struct http_reply *reply, struct outcome *r)
{
	const struct slice body = { whole->data, whole->len };
	struct err err = ERR_INIT;

	for (size_t i = 0; error_places[i] != NULL; i++) {
		const struct slice v = s != NULL
		    ? splitter_value(s, n + i)
		    : pick_raw(body, error_places[i]);

		if (v.data == NULL ||
		    !rules_beside(g->rs->api->rules, reply, v.data, v.len, r))
			continue;
		if (!g->trying && reading_commit(g, &err) != 0)
			(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
		return true;
	}
	return false;
}

int
reading_decode(struct reading *g, struct decode *d, const struct buf *body,
    decode_fn *fn, void *ctx, struct err *err)
{
	const struct element all = { .data = body->data, .len = body->len };
	const uint64_t hash = hash_of(&all);
	uint64_t *known = &g->rs->cut[hash % REST_CUT];
	int rc;

	d->settled = *known == hash;
	rc = decode(d, (struct slice){ body->data, body->len }, fn, ctx, err);
	if (rc <= 0)
		return rc;
	*known = hash;
	/* What is in front of it is good; its text is the better cause. */
	if (!g->trying) {
		struct err why = ERR_INIT;

		if (reading_commit(g, &why) != 0)
			*err = why;
	}
	return -1;
}

int
reading_end(struct reading *g, struct err *err)
{
	const struct def_records *r = &g->rs->def->records;
	struct decode d = { .format = (enum record_format)r->format,
		.at = r->at,
		.names = r->names,
		.absent_is_empty = r->absent_is_empty,
		.columns = r->columns,
		.column = r->column,
		.kept = &g->columns };

	if (g->event == NULL)
		return splitter_end(g->splitter, err);
	return reading_decode(g, &d, &g->whole, take_decoded, g, err);
}
