/*
 * frame.c - what one line of an export says.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/line.h"
#include "verify/frame.h"

#define SD_OURS "[sealfeed@"
#define BOM "\xef\xbb\xbf"

/* Where a scan stands in a line. */
struct scan {
	const char *at;
	const char *end;
};

bool
frame_feed_is_good(struct slice feed)
{
	if (feed.len == 0 || feed.len > FRAME_FEED)
		return false;
	for (size_t i = 0; i < feed.len; i++) {
		char c = feed.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '-' && c <= '9') || c == '_' || c == '~'))
			return false;
	}
	return true;
}

int
frame_number(struct slice s, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (s.len == 0 || s.len > 20)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit = (uint64_t)(s.data[i] - '0');

		if (s.data[i] < '0' || s.data[i] > '9' ||
		    n > (max - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	*number = n;
	return 0;
}

/* RFC 5424 section 6.3.2: SD-NAME. */
static struct slice
scan_name(struct scan *s)
{
	struct slice name = { .data = s->at };

	while (s->at<s->end && * s->at> ' ' && *s->at <= '~' &&
	    strchr("=\"]", *s->at) == NULL)
		s->at++;
	name.len = (size_t)(s->at - name.data);
	return name;
}

/* SP name="value", escapes left in the value; -1: no parameter. */
static int
scan_param(struct scan *s, struct slice *name, struct slice *value)
{
	while (s->at < s->end && *s->at == ' ')
		s->at++;
	*name = scan_name(s);
	if (name->len == 0 || s->end - s->at < 2 || s->at[0] != '=' ||
	    s->at[1] != '"')
		return -1;
	s->at += 2;
	value->data = s->at;
	while (s->at < s->end && *s->at != '"')
		s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
	value->len = (size_t)(s->at - value->data);
	if (s->at >= s->end)
		return -1;
	s->at++;
	return 0;
}

/* One SD-ELEMENT; params says how many it had.  -1: none here. */
static int
skip_element(struct scan *s, size_t *params)
{
	struct slice name;
	struct slice value;

	*params = 0;
	if (s->at == s->end || *s->at != '[')
		return -1;
	s->at++;
	if (scan_name(s).len == 0)
		return -1;
	while (s->at < s->end && *s->at == ' ') {
		if (scan_param(s, &name, &value) == -1)
			return -1;
		(*params)++;
	}
	if (s->at == s->end || *s->at != ']')
		return -1;
	s->at++;
	return 0;
}

struct own {
	struct slice feed, index, checkpoint, part, parts, format;
};

static const struct {
	const char *name;
	size_t offset;
} own_params[] = {
	{ .name = "feed", .offset = offsetof(struct own, feed) },
	{ .name = "index", .offset = offsetof(struct own, index) },
	{ .name = "checkpoint", .offset = offsetof(struct own, checkpoint) },
	{ .name = "part", .offset = offsetof(struct own, part) },
	{ .name = "parts", .offset = offsetof(struct own, parts) },
	{ .name = "format", .offset = offsetof(struct own, format) },
};

/* Keep a parameter that means something; -1 when it is there twice. */
static int
keep_param(struct own *own, struct slice name, struct slice value)
{
	for (size_t i = 0; i < sizeof(own_params) / sizeof(own_params[0]);
	     i++) {
		struct slice *to = (struct slice *)(void *)((char *)own +
		    own_params[i].offset);

		if (strlen(own_params[i].name) != name.len ||
		    memcmp(own_params[i].name, name.data, name.len) != 0)
			continue;
		if (to->data != NULL)
			return -1;
		*to = value;
	}
	return 0;
}

/* The element of ours that begins at s->at. */
static int
scan_own(struct scan *s, struct own *own)
{
	struct slice name;
	struct slice value;

	s->at++;
	(void)scan_name(s);
	while (s->at < s->end && *s->at == ' ')
		if (scan_param(s, &name, &value) == -1 ||
		    keep_param(own, name, value) == -1)
			return -1;
	if (s->at == s->end || *s->at != ']')
		return -1;
	s->at++;
	return 0;
}

static enum frame_kind
read_own(const struct own *own, struct frame *f)
{
	bool event = own->index.data != NULL;
	uint64_t part = 0;
	uint64_t parts = 0;

	/* Text that merely mentions us has no such parameters. */
	if (own->feed.data == NULL)
		return FRAME_NOTHING;
	if (!frame_feed_is_good(own->feed) ||
	    event == (own->checkpoint.data != NULL))
		return FRAME_BROKEN;
	if (frame_number(event ? own->index : own->checkpoint, INT64_MAX,
		&f->number) == -1)
		return FRAME_BROKEN;
	if (own->part.data != NULL || own->parts.data != NULL)
		if (frame_number(own->part, FRAME_PARTS, &part) == -1 ||
		    frame_number(own->parts, FRAME_PARTS, &parts) == -1 ||
		    part == 0 || part > parts)
			return FRAME_BROKEN;
	f->feed = own->feed;
	f->part = (unsigned)part;
	f->parts = (unsigned)parts;
	f->syslog = true;
	f->wrapped = own->format.data != NULL;
	return event ? FRAME_EVENT : FRAME_CHECKPOINT;
}

/* Pass over the elements behind ours.  A JSON array as MSG looks like one
 * without parameters where a template leaves the space out. */
static void
skip_others(struct scan *s)
{
	size_t params;

	for (;;) {
		struct scan next = *s;

		if (skip_element(&next, &params) == -1 ||
		    (params == 0 &&
			(next.at == next.end ||
			    strchr(" [", *next.at) == NULL)))
			return;
		*s = next;
	}
}

/* MSG; of a part only the one space that the syntax has is not its own. */
static struct slice
message_of(struct scan s, const struct frame *f)
{
	if (s.at < s.end && *s.at == ' ')
		s.at++;
	if (f->part > 1)
		return (struct slice){ .data = s.at,
			.len = (size_t)(s.end - s.at) };
	while (s.at < s.end && *s.at == ' ')
		s.at++;
	if (s.end - s.at >= (ptrdiff_t)strlen(BOM) &&
	    memcmp(s.at, BOM, strlen(BOM)) == 0)
		s.at += strlen(BOM);
	return (struct slice){ .data = s.at, .len = (size_t)(s.end - s.at) };
}

static struct slice
word(struct scan *s)
{
	struct slice w = { .data = s->at };

	while (s->at < s->end && *s->at != ' ')
		s->at++;
	w.len = (size_t)(s->at - w.data);
	if (s->at < s->end)
		s->at++;
	return w;
}

/* The HOSTNAME in a header "<PRI>1 TIME HOSTNAME" or, as files have it, "1 TIME
 * HOSTNAME" or "TIME HOSTNAME"; whatever else stands there may differ from part
 * to part. */
static struct slice
host_of(struct scan s)
{
	const char *version = memmem(s.at, (size_t)(s.end - s.at), ">1 ", 3);
	struct slice w;

	if (version != NULL)
		s.at = version + 3;
	w = word(&s);
	if (w.len == 1 && w.data[0] == '1')
		w = word(&s);
	if (w.len < strlen("2026-01-01T") || w.data[4] != '-' ||
	    w.data[10] != 'T')
		return (struct slice){ .data = "" };
	w = word(&s);
	return w.len > FRAME_FEED ? (struct slice){ .data = "" } : w;
}

static enum frame_kind
parse_syslog(const char *line, size_t len, struct frame *f)
{
	struct scan s = { .at = line, .end = line + len };
	enum frame_kind kind = FRAME_NOTHING;

	while (kind != FRAME_EVENT && kind != FRAME_CHECKPOINT) {
		struct own own = { .feed = { .data = NULL } };
		enum frame_kind found = FRAME_NOTHING;

		s.at = memmem(s.at, (size_t)(s.end - s.at), SD_OURS,
		    strlen(SD_OURS));
		if (s.at == NULL)
			return kind;
		if (scan_own(&s, &own) == 0)
			found = read_own(&own, f);
		else if (own.feed.data != NULL)
			found = FRAME_BROKEN;
		if (found != FRAME_NOTHING)
			kind = found;
	}
	f->host = host_of((struct scan){ .at = line, .end = s.at });
	skip_others(&s);
	f->value = message_of(s, f);
	return kind;
}

/* Does another member follow in s, which begins with the value of one?  Then
 * the object is not written as ours are. */
static bool
has_more(struct slice s)
{
	bool string = false;
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		const char c = s.data[i];

		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (string)
			continue;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		else if (c == ',' && depth == 0)
			return true;
	}
	return false;
}

static enum frame_kind
parse_ndjson(const char *line, size_t len, struct frame *f)
{
	struct line l;
	bool cut = line_parse(line, len, &l) == -1;

	if (!cut && has_more(l.value))
		return FRAME_NOTHING;

	if ((cut && line_parse_cut(line, len, &l) == -1) ||
	    !frame_feed_is_good(l.feed) || l.number > INT64_MAX)
		return FRAME_BROKEN;
	*f = (struct frame){
		.feed = l.feed,
		.number = l.number,
		.value = l.value,
		.agent = l.agent,
		.cut = cut,
	};
	return l.kind == LINE_EVENT ? FRAME_EVENT : FRAME_CHECKPOINT;
}

enum frame_kind
frame_parse(const char *line, size_t len, struct frame *frame)
{
	static const char ndjson[] = "{\"feed\":";

	/* None of ours has one in it. */
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	if (len >= strlen(ndjson) && memcmp(line, ndjson, strlen(ndjson)) == 0)
		frame->kind = parse_ndjson(line, len, frame);
	else
		frame->kind = parse_syslog(line, len, frame);
	return frame->kind;
}

/* "#ooo" at s for a control character: its value, else -1. */
static int
escaped(const char *s, size_t len)
{
	int c;

	if (len < 4 || s[0] != '#' || s[1] != '0' || s[2] < '0' || s[2] > '3' ||
	    s[3] < '0' || s[3] > '7')
		return -1;
	c = (s[2] - '0') * 8 + (s[3] - '0');
	return c < ' ' ? c : -1;
}

size_t
frame_unescape(const char *s, size_t len, bool everywhere, char *out)
{
	bool string = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = -1;

		if (everywhere || !string)
			c = escaped(s + i, len - i);
		if (c != -1) {
			out[n++] = (char)c;
			i += 3;
			continue;
		}
		if (s[i] == '"')
			string = !string;
		out[n++] = s[i];
		if (s[i] == '\\' && string && i + 1 < len)
			out[n++] = s[++i];
	}
	return n;
}

size_t
frame_respace(const char *s, size_t len, bool spaced, char *out)
{
	bool string = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!string &&
		    (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' ||
			s[i] == '\n'))
			continue;
		out[n++] = s[i];
		if (s[i] == '"')
			string = !string;
		else if (s[i] == '\\' && string && i + 1 < len)
			out[n++] = s[++i];
		else if (spaced && !string && (s[i] == ',' || s[i] == ':'))
			out[n++] = ' ';
	}
	return n;
}

/* What is held of incomplete events, together: far more than a receiver lets
 * arrive out of order. */
#define HELD_MAX (256 * 1024 * 1024)
#define PENDING_MAX 1024

/* Parts with other bytes than one before, of an event; a forger's doing. */
#define SPARE_MAX 16
#define COMBINATIONS_MAX 64

struct piece {
	unsigned part;
	uint64_t place;
	size_t len;
	char *data;
};

struct pending {
	char feed[FRAME_FEED + 1];
	char host[FRAME_FEED + 1];
	struct frame frame; /* value unused; feed and host point to these */
	uint64_t place;
	unsigned distinct;
	struct piece *piece; /* sorted by part */
	size_t n;
};

struct parts {
	struct pending *pending[PENDING_MAX];
	size_t n;
	size_t held;
};

struct parts *
parts_new(void)
{
	return xcalloc(1, sizeof(struct parts));
}

static void
drop(struct parts *p, size_t at)
{
	struct pending *e = p->pending[at];

	for (size_t i = 0; i < e->n; i++) {
		p->held -= e->piece[i].len;
		free(e->piece[i].data);
	}
	free(e->piece);
	free(e);
	p->pending[at] = p->pending[--p->n];
}

void
parts_free(struct parts *p)
{
	if (p == NULL)
		return;
	while (p->n > 0)
		drop(p, p->n - 1);
	free(p);
}

static bool
equal(struct slice a, struct slice b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Where the event of f is kept, p->n: nowhere.  Two agents may have feeds of
 * the same name, and each is the host of its messages. */
static size_t
find(const struct parts *p, const struct frame *f)
{
	size_t i;

	/* Its other parts came just before, mostly. */
	for (i = p->n; i-- > 0;) {
		const struct frame *e = &p->pending[i]->frame;

		if (e->number == f->number && e->parts == f->parts &&
		    e->kind == f->kind && equal(e->feed, f->feed) &&
		    equal(e->host, f->host))
			return i;
	}
	return p->n;
}

static size_t
begin(struct parts *p, const struct frame *f, uint64_t place)
{
	struct pending *e = xcalloc(1, sizeof(*e));

	memcpy(e->feed, f->feed.data, f->feed.len);
	e->frame = *f;
	e->frame.feed.data = e->feed;
	if (f->host.len > 0)
		memcpy(e->host, f->host.data, f->host.len);
	e->frame.host.data = e->host;
	e->frame.value = (struct slice){ .data = "" };
	e->place = place;
	p->pending[p->n] = e;
	return p->n++;
}

/* Keep f's bytes in e: 1 kept, 0 known already, -1 too many. */
static int
keep(struct parts *p, struct pending *e, const struct frame *f, uint64_t place)
{
	size_t at = 0;
	size_t same = 0;

	for (; at < e->n && e->piece[at].part <= f->part; at++) {
		const struct piece *k = &e->piece[at];

		if (k->part != f->part)
			continue;
		if (k->len == f->value.len &&
		    memcmp(k->data, f->value.data, k->len) == 0)
			return 0;
		same++;
	}
	if (e->n - e->distinct >= SPARE_MAX && same > 0)
		return -1;
	e->piece = xreallocarray(e->piece, e->n + 1, sizeof(*e->piece));
	memmove(&e->piece[at + 1], &e->piece[at],
	    (e->n - at) * sizeof(*e->piece));
	e->piece[at] = (struct piece){ .part = f->part,
		.place = place,
		.len = f->value.len,
		.data = xstrndup(f->value.data, f->value.len) };
	e->n++;
	e->distinct += same == 0;
	p->held += f->value.len;
	return 1;
}

/* The combination with that number: of each part the (number mod variants)th,
 * as the digits of a mixed-radix number; what is left of number behind the
 * last part is not 0 when there are no more. */
static size_t
combine(const struct pending *e, size_t number, struct buf *out,
    uint64_t *place)
{
	size_t i = 0;

	buf_clear(out);
	while (i < e->n) {
		const struct piece *piece;
		size_t variants = 1;

		while (i + variants < e->n &&
		    e->piece[i + variants].part == e->piece[i].part)
			variants++;
		piece = &e->piece[i + number % variants];
		number /= variants;
		if (variants > 1)
			*place = piece->place;
		i += variants;
		if (buf_add(out, piece->data, piece->len) == -1)
			return 1;
	}
	return number;
}

static void
complete(struct pending *e, uint64_t place, parts_fn *fn, void *ctx)
{
	struct buf whole = BUF_INIT(HELD_MAX);
	struct frame f = e->frame;

	f.part = 0;
	f.parts = 0;
	for (size_t i = 0; i < COMBINATIONS_MAX; i++) {
		uint64_t at = place;

		if (combine(e, i, &whole, &at) != 0)
			break;
		f.value =
		    (struct slice){ .data = whole.data, .len = whole.len };
		fn(ctx, &f, at);
	}
	buf_release(&whole);
}

int
parts_add(struct parts *p, const struct frame *f, uint64_t place, parts_fn *fn,
    void *ctx)
{
	size_t at = find(p, f);

	if (p->held + f->value.len > HELD_MAX)
		return -1;
	if (at == p->n) {
		if (p->n == PENDING_MAX)
			return -1;
		at = begin(p, f, place);
	}
	if (keep(p, p->pending[at], f, place) == -1)
		return -1;
	if (p->pending[at]->distinct == p->pending[at]->frame.parts) {
		complete(p->pending[at], place, fn, ctx);
		drop(p, at);
	}
	return 0;
}

void
parts_left(const struct parts *p, parts_fn *fn, void *ctx)
{
	for (size_t i = 0; i < p->n; i++) {
		struct frame f = p->pending[i]->frame;

		f.part = p->pending[i]->distinct;
		fn(ctx, &f, p->pending[i]->place);
	}
}
