/*
 * loki_push.c - the body of a push to Loki.
 */
#include "outputs/http/loki_push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "delivery/chunk.h"
#include "outputs/http/protobuf.h"
#include "outputs/http/snappy.h"
#include "store/line.h"

/* Loki's creation_grace_period is ten minutes. */
#define AHEAD (5 * CLOCK_MINUTE)

/* Room in front of a stream for its head: a tag, and a length below 2^35. */
#define HEAD 6

/* A label, or an entry of structured metadata. */
struct pair {
	const char *name;
	struct slice value;
};

#define PAIRS_MAX 5

static struct slice
text_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

/*
 * What both encodings say of a line.
 */

/* The time under which Loki is to store it; true: not its own. */
static bool
is_moved(const struct loki *l, const struct chunk_line *line, int64_t *when)
{
	int64_t now = clock_now();

	*when = line->when;
	if (line->when >= now - l->late_after && line->when <= now + AHEAD)
		return false;
	*when = now;
	return true;
}

static size_t
labels_of(const struct intake *in, const struct chunk_line *line,
    struct pair out[PAIRS_MAX])
{
	size_t n = 0;

	out[n++] = (struct pair){ "service_name", text_of("sealfeed") };
	out[n++] = (struct pair){ "sealfeed_agent", text_of(in->out->agent) };
	out[n++] = (struct pair){ "sealfeed_feed", text_of(line->feed) };
	if (line->source_type[0] != '\0')
		out[n++] =
		    (struct pair){ "source", text_of(line->source_type) };
	if (line->checkpoint)
		out[n++] = (struct pair){ "kind", text_of("checkpoint") };
	return n;
}

/* An entry before it is written. */
struct entry {
	int64_t when;
	struct slice text;
	struct pair list[PAIRS_MAX];
	size_t n;
	char number[24];
	char time[CLOCK_TEXT];
	struct buf sealed;
};

/* The whole line with its feed and number. */
static int
seal(const struct intake *in, const struct chunk_line *line, struct entry *e)
{
	const struct line_name name = { in->out->agent, line->feed, line->via };

	buf_init(&e->sealed, line->len + LOKI_LABELS_MAX);
	if (line_add(&e->sealed,
		line->checkpoint ? LINE_CHECKPOINT : LINE_EVENT, name,
		line->number, line->value, line->len) != 0)
		return -1;
	e->text = (struct slice){ e->sealed.data, e->sealed.len - 1 };
	return 0;
}

static void
describe(struct intake *in, const struct chunk_line *line, bool moved,
    struct entry *e)
{
	struct slice id = { .data = NULL };

	e->text = intake_text(in, line);
	(void)snprintf(e->number, sizeof(e->number), "%llu",
	    (unsigned long long)line->number);
	e->list[e->n++] = (struct pair){ line->checkpoint ? "sealfeed_size"
							  : "sealfeed_index",
		text_of(e->number) };
	if (moved && line->when != INT64_MIN) {
		(void)clock_format(line->when, 6, e->time);
		e->list[e->n++] =
		    (struct pair){ "sealfeed_time", text_of(e->time) };
	}
	if (!line->checkpoint && json_valid(line->value, line->len))
		id = intake_plain_id(in, line);
	if (id.len > 0)
		e->list[e->n++] = (struct pair){ "sealfeed_id", id };
	if (line->version_of != NULL)
		e->list[e->n++] = (struct pair){ "sealfeed_version_of",
			text_of(line->version_of) };
	if (line->via != NULL)
		e->list[e->n++] =
		    (struct pair){ "sealfeed_via", text_of(line->via) };
}

/*
 * JSON.
 */

static int
json_pairs(struct buf *b, const struct pair *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (buf_addf(b, "%s\"%s\":", i == 0 ? "" : ",", list[i].name) !=
			0 ||
		    text_json_string(b, list[i].value.data,
			list[i].value.len) != 0)
			return -1;
	return 0;
}

static int
json_stream(const struct loki *l, const struct pair *labels, size_t n,
    struct buf *body)
{
	if (buf_adds(body, "{\"stream\":{") != 0 ||
	    json_pairs(body, labels, n) != 0 ||
	    (l->labels.len > 0 &&
		buf_add(body, l->labels.data, l->labels.len) != 0))
		return -1;
	return buf_adds(body, "},\"values\":[");
}

static int
json_entry(const struct entry *e, struct buf *body)
{
	if (buf_addf(body, "[\"%lld000\",", (long long)e->when) != 0 ||
	    text_json_string(body, e->text.data, e->text.len) != 0)
		return -1;
	if (e->n > 0 &&
	    (buf_adds(body, ",{") != 0 ||
		json_pairs(body, e->list, e->n) != 0 ||
		buf_adds(body, "}") != 0))
		return -1;
	return buf_adds(body, "]");
}

/*
 * Protobuf.  Labels are a text as queries have it, {name="value", …}, whose
 * strings are quoted as JSON quotes them.
 */

/* PushRequest: streams 1.  StreamAdapter: labels 1, entries 2. */
static int
put_stream(struct loki *l, const struct pair *labels, size_t n,
    struct buf *body)
{
	static const char room[HEAD];
	int rc = 0;

	l->streams =
	    xreallocarray(l->streams, l->n_streams + 1, sizeof(*l->streams));
	l->streams[l->n_streams++] = body->len;
	buf_clear(&l->entry);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = loki_label(l, &l->entry, labels[i].name, labels[i].value);
	if (rc == 0 && l->labels.len > 0)
		rc = buf_add(&l->entry, l->labels.data, l->labels.len);
	if (rc == 0)
		rc = buf_adds(&l->entry, "}");
	if (rc != 0 || buf_add(body, room, HEAD) != 0)
		return -1;
	l->entry.data[0] = '{';
	return protobuf_bytes(body, 1,
	    (struct slice){ l->entry.data, l->entry.len });
}

/* A string of protobuf is UTF-8; what is none becomes U+FFFD, as in JSON. */
static int
put_text(struct buf *b, unsigned field, struct slice text)
{
	struct buf clean = BUF_INIT(4 * text.len);
	int rc = 0;

	if (text_is_utf8(text))
		return protobuf_bytes(b, field, text);
	for (size_t i = 0, n; rc == 0 && i < text.len; i += n) {
		n = text_utf8(text.data + i, text.len - i);
		rc = n > 0 ? buf_add(&clean, text.data + i, n)
			   : buf_adds(&clean, "\xef\xbf\xbd");
		n = n > 0 ? n : 1;
	}
	if (rc == 0)
		rc = protobuf_bytes(b, field,
		    (struct slice){ clean.data, clean.len });
	buf_release(&clean);
	return rc;
}

/* EntryAdapter: timestamp 1, line 2, structuredMetadata 3.  Timestamp: seconds
 * 1, nanos 2.  LabelPairAdapter: name 1, value 2. */
static int
put_entry(struct loki *l, const struct entry *e, struct buf *body)
{
	struct buf time = BUF_INIT(32), *b = &l->entry;
	int rc = protobuf_number(&time, 1, (uint64_t)(e->when / CLOCK_SECOND));

	buf_clear(b);
	if (rc == 0)
		rc = protobuf_number(&time, 2,
		    (uint64_t)(e->when % CLOCK_SECOND) * 1000);
	if (rc == 0)
		rc =
		    protobuf_bytes(b, 1, (struct slice){ time.data, time.len });
	if (rc == 0)
		rc = put_text(b, 2, e->text);
	for (size_t i = 0; i < e->n && rc == 0; i++) {
		const struct slice name = text_of(e->list[i].name);

		rc = protobuf_head(b, 3,
		    protobuf_size(name.len) +
			protobuf_size(e->list[i].value.len));
		if (rc == 0)
			rc = protobuf_bytes(b, 1, name);
		if (rc == 0)
			rc = protobuf_bytes(b, 2, e->list[i].value);
	}
	buf_release(&time);
	return rc == 0
	    ? protobuf_bytes(body, 2, (struct slice){ b->data, b->len })
	    : -1;
}

/* The streams in body, each behind its head. */
static int
put_heads(const struct loki *l, const struct buf *body, struct buf *out)
{
	for (size_t i = 0; i < l->n_streams && l->streams[i] < body->len; i++) {
		size_t from = l->streams[i] + HEAD;
		size_t to =
		    i + 1 < l->n_streams && l->streams[i + 1] < body->len
		    ? l->streams[i + 1]
		    : body->len;

		if (protobuf_head(out, 1, to - from) != 0 ||
		    buf_add(out, body->data + from, to - from) != 0)
			return -1;
	}
	return 0;
}

/*
 * Either.
 */

int
loki_label(const struct loki *l, struct buf *b, const char *name,
    struct slice value)
{
	if (buf_addf(b, l->protobuf ? ",%s=" : ",\"%s\":", name) != 0)
		return -1;
	return text_json_string(b, value.data, value.len);
}

/* The line goes into another stream than the one before. */
static int
add_stream(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	struct loki *l = in->state;
	struct pair labels[PAIRS_MAX];
	size_t n = labels_of(in, line, labels);

	free(l->feed);
	l->feed = xstrdup(line->feed);
	l->checkpoint = line->checkpoint;
	return l->protobuf ? put_stream(l, labels, n, body)
			   : json_stream(l, labels, n, body);
}

static int
add_entry(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	const struct loki_conf *conf = in->conf;
	struct loki *l = in->state;
	struct entry e = { .n = 0 };
	bool moved = is_moved(l, line, &e.when);
	int rc = 0;

	if (conf->envelope == LOKI_SEAL)
		rc = seal(in, line, &e);
	else
		describe(in, line, moved, &e);
	if (rc == 0)
		rc =
		    l->protobuf ? put_entry(l, &e, body) : json_entry(&e, body);
	buf_release(&e.sealed);
	return rc;
}

/* A line of the stream before goes into it. */
int
loki_render(struct intake *in, const struct chunk_line *line, struct buf *body,
    struct err *err)
{
	struct loki *l = in->state;
	bool first = body->len == 0;
	bool same = !first && l->checkpoint == line->checkpoint &&
	    strcmp(l->feed, line->feed) == 0;
	int rc = 0;

	if (first)
		l->n_streams = 0;
	if (!l->protobuf)
		rc = buf_adds(body, first ? LOKI_PREFIX : same ? "," : "]},");
	if (rc != 0 || (!same && add_stream(in, line, body) != 0) ||
	    add_entry(in, line, body) != 0)
		return err_set(err, "request: too large");
	return 0;
}

int
loki_finish(struct intake *in, struct intake_request *r, struct err *err)
{
	struct loki *l = in->state;
	int rc;

	if (!l->protobuf)
		return 0;
	buf_clear(&l->whole);
	if (put_heads(l, &r->body, &l->whole) != 0)
		return err_set(err, "request: too large");
	buf_clear(&r->body);
	rc = snappy_pack(l->whole.data == NULL ? "" : l->whole.data,
	    l->whole.len, &r->body, err);
	/* An output at rest holds little. */
	buf_release(&l->whole);
	return rc;
}
