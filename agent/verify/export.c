/*
 * export.c - what SIEMs export.
 *
 * The JSON is scanned, not parsed: it has to be cut at its brackets and quotes
 * only, and events need not be what a parser takes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf16.h"
#include "verify/export.h"
#include "verify/record.h"
#include "verify/wrapped.h"

/* Strings inside of strings, and values inside of each other, that are looked
 * into. */
#define STRINGS_MAX 4
#define DEPTH_MAX 32

#define BOM "\xef\xbb\xbf"

struct export
{
	struct buf text[STRINGS_MAX]; /* of the string at each level */
	struct buf message;           /* of an event beside its feed */
	struct buf value;             /* of an event that is a string */
	struct buf feed;
	export_fn *fn;
	void *ctx;
	bool broken; /* something begins like a line */
};

/* A value of a member or cell.  json: as it stands in JSON; else its text. */
struct cell {
	struct slice s;
	bool json;
};

/* What an object or row has of a line. */
struct members {
	struct cell agent, feed, index, size, event, checkpoint, part, parts;
	struct cell message; /* a text that may be the event, or hold a line */
	int rank;            /* of the message's name, lower is better */
	/* agent, feed, index and size again, where they are marked as ours:
	 * beside names of the vendor and of the server those count. */
	struct cell own[4];
};

enum { OWN_AGENT, OWN_FEED, OWN_INDEX, OWN_SIZE };

/* How outputs mark them: as fields, and as an object or its members. */
static const char *const own_prefixes[] = { "sealfeed_", "sealfeed." };

static const struct {
	const char *name;
	size_t offset;
} own_names[] = {
	{ "agent", offsetof(struct members, agent) },
	{ "feed", offsetof(struct members, feed) },
	{ "index", offsetof(struct members, index) },
	{ "size", offsetof(struct members, size) },
	{ "event", offsetof(struct members, event) },
	{ "checkpoint", offsetof(struct members, checkpoint) },
	{ "part", offsetof(struct members, part) },
	{ "parts", offsetof(struct members, parts) },
};

/* Where servers keep what came, best first. */
static const char *const message_names[] = { "_raw", "event.original",
	"full_message", "raw", "rawdata", "raw_message", "rawmessage",
	"original", "message", "msg", "log", "short_message", "body", "line" };

#define MESSAGES ((int)(sizeof(message_names) / sizeof(message_names[0])))

static bool look_into(struct export *x, struct slice s, unsigned strings,
    unsigned depth);

struct export *
export_new(void)
{
	struct export *x = xcalloc(1, sizeof(*x));

	for (size_t i = 0; i < STRINGS_MAX; i++)
		buf_init(&x->text[i], READER_LINE_MAX);
	buf_init(&x->message, READER_LINE_MAX);
	buf_init(&x->value, READER_LINE_MAX);
	buf_init(&x->feed, FRAME_FEED);
	return x;
}

void
export_free(struct export *x)
{
	for (size_t i = 0; i < STRINGS_MAX; i++)
		buf_release(&x->text[i]);
	buf_release(&x->message);
	buf_release(&x->value);
	buf_release(&x->feed);
	free(x);
}

/*
 * JSON.
 */

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && strchr(" \t\r\n", s.data[0]) != NULL &&
	    s.data[0] != '\0') {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && strchr(" \t\r\n", s.data[s.len - 1]) != NULL &&
	    s.data[s.len - 1] != '\0')
		s.len--;
	return s;
}

/* Length of the string at s, with its quotes; 0: it has no end. */
static size_t
string_length(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Length of the value at s (len > 0), 0: it has no end. */
static size_t
value_length(struct slice s)
{
	size_t depth = 0, i = 0, n;

	if (s.data[0] == '"')
		return string_length(s);
	while (i < s.len) {
		char c = s.data[i];

		if (c == '"') {
			n = string_length((struct slice){
			    s.data + i, s.len - i });
			if (n == 0)
				return 0;
			i += n;
			continue;
		}
		if (depth == 0 && (c == ',' || c == ']' || c == '}'))
			return i;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		i++;
		if (depth == 0 && (c == '}' || c == ']'))
			return i;
	}
	return depth == 0 ? s.len : 0;
}

/* Take the next member (key not NULL) or element off rest, which begins behind
 * a bracket: its text as it stands.  False: there is none. */
static bool
next_value(struct slice *rest, struct slice *key, struct slice *value)
{
	size_t n;

	*rest = trim(*rest);
	if (rest->len > 0 && rest->data[0] == ',')
		*rest = trim((struct slice){ rest->data + 1, rest->len - 1 });
	if (key != NULL) {
		if (rest->len == 0 || rest->data[0] != '"')
			return false;
		n = string_length(*rest);
		*key = (struct slice){ rest->data + 1, n < 2 ? 0 : n - 2 };
		*rest = trim((struct slice){ rest->data + n, rest->len - n });
		if (n == 0 || rest->len == 0 || rest->data[0] != ':')
			return false;
		*rest = trim((struct slice){ rest->data + 1, rest->len - 1 });
	}
	n = rest->len == 0 ? 0 : value_length(*rest);
	if (n == 0)
		return false;
	*value = trim((struct slice){ rest->data, n });
	*rest = (struct slice){ rest->data + n, rest->len - n };
	return true;
}

static bool
add_escaped(struct buf *out, struct utf16 *u, struct slice s, size_t *i)
{
	static const char names[] = "\"\\/bfnrt", stands[] = "\"\\/\b\f\n\r\t";
	char hex[5] = "", unit[2];
	const char *name, *at = s.data + *i;
	unsigned long c;
	char *end;

	if (*at == 'u' && s.len - *i >= 5) {
		memcpy(hex, at + 1, 4);
		c = strtoul(hex, &end, 16);
		unit[0] = (char)(c >> 8);
		unit[1] = (char)(c & 0xff);
		*i += 4;
		return end == hex + 4 && utf16_add(u, unit, 2, out) == 0;
	}
	name = *at == '\0' ? NULL : strchr(names, *at);
	return utf16_end(u, out) == 0 && name != NULL &&
	    buf_add(out, stands + (name - names), 1) == 0;
}

/* Put what a string (with its quotes) stands for into out; false: it is none,
 * or too long. */
static bool
unquote(struct slice s, struct buf *out)
{
	struct utf16 u = { .order = UTF16_BE };
	size_t n;

	buf_clear(out);
	if (s.len < 2 || s.data[0] != '"' || s.data[s.len - 1] != '"')
		return false;
	s = (struct slice){ s.data + 1, s.len - 2 };
	for (size_t i = 0; i < s.len; i += n) {
		const char *at = s.data + i;
		const char *escape = memchr(at, '\\', s.len - i);

		n = escape == NULL ? s.len - i : (size_t)(escape - at);
		if (n > 0 &&
		    (utf16_end(&u, out) != 0 || buf_add(out, at, n) != 0))
			return false;
		if (escape == NULL)
			break;
		i += n + 1;
		n = 1;
		if (i == s.len || !add_escaped(out, &u, s, &i))
			return false;
	}
	return utf16_end(&u, out) == 0 && buf_adds(out, "") == 0;
}

/* The text of a cell: as it is, or what the string in it stands for. */
static bool
text_of(struct cell c, struct buf *out, struct slice *text)
{
	*text = c.s;
	if (!c.json)
		return c.s.data != NULL;
	if (!unquote(c.s, out))
		return false;
	*text = (struct slice){ out->data, out->len };
	return true;
}

/*
 * Objects and rows.
 */

static bool
is_name(struct slice key, const char *name)
{
	return key.len == strlen(name) &&
	    strncasecmp(key.data, name, key.len) == 0;
}

static bool
is_empty(struct cell c)
{
	return c.s.len == 0 || (c.json && is_name(c.s, "null"));
}

static void
add_member(struct members *m, struct slice key, struct cell c)
{
	for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++) {
		struct cell *to =
		    (struct cell *)(void *)((char *)m + own_names[i].offset);

		/* The first one counts; names are ours, so exact. */
		if (key.len == strlen(own_names[i].name) &&
		    memcmp(key.data, own_names[i].name, key.len) == 0 &&
		    to->s.data == NULL)
			*to = c;
	}
	for (int i = 0; i < MESSAGES; i++)
		if ((m->message.s.data == NULL || i < m->rank) &&
		    is_name(key, message_names[i]) &&
		    (!c.json || c.s.data[0] == '"')) {
			m->message = c;
			m->rank = i;
		}
}

/* One that is marked as ours; key without the mark. */
static void
add_own(struct members *m, struct slice key, struct cell c)
{
	static const char *const names[] = {
		[OWN_AGENT] = "agent",
		[OWN_FEED] = "feed",
		[OWN_INDEX] = "index",
		[OWN_SIZE] = "size",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_name(key, names[i]) && m->own[i].s.data == NULL)
			m->own[i] = c;
}

/* One that may be marked. */
static void
add_marked(struct members *m, struct slice key, struct cell c)
{
	struct slice rest, name, value;

	for (size_t i = 0; i < sizeof(own_prefixes) / sizeof(own_prefixes[0]);
	     i++) {
		size_t n = strlen(own_prefixes[i]);

		if (key.len > n && memcmp(key.data, own_prefixes[i], n) == 0)
			add_own(m, (struct slice){ key.data + n, key.len - n },
			    c);
	}
	if (!is_name(key, "sealfeed") || !c.json || c.s.data[0] != '{')
		return;
	rest = (struct slice){ c.s.data + 1, c.s.len - 1 };
	while (next_value(&rest, &name, &value))
		add_own(m, name, (struct cell){ value, true });
}

/* Under what some servers keep the names that came beside a message. */
static const char *const holders[] = { "attributes", "fields", "labels" };

/* As above, of a member that may be marked, or hold some that are. */
static void
add_any(struct members *m, struct slice key, struct cell c)
{
	struct slice rest, name, value;
	bool holds = false;

	add_member(m, key, c);
	add_marked(m, key, c);
	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
		holds = holds || is_name(key, holders[i]);
	if (!holds || !c.json || c.s.data[0] != '{')
		return;
	rest = (struct slice){ c.s.data + 1, c.s.len - 1 };
	while (next_value(&rest, &name, &value))
		add_marked(m, name, (struct cell){ value, true });
}

static void
add_members(struct members *m, struct slice object)
{
	struct slice rest = { object.data + 1, object.len - 1 }, key, value;

	while (next_value(&rest, &key, &value))
		add_any(m, key, (struct cell){ value, true });
}

/* What is marked as ours, and the message, is all that counts. */
static void
prefer_own(struct members *m, struct cell message)
{
	const struct members all = *m;

	if (all.own[OWN_FEED].s.data == NULL || is_empty(message))
		return;
	*m = (struct members){ .agent = all.own[OWN_AGENT],
		.feed = all.own[OWN_FEED],
		.index = all.own[OWN_INDEX],
		.size = all.own[OWN_SIZE],
		.message = message };
}

/* A number, in quotes or not; "7.0" where a table has made it one with a
 * fraction. */
static bool
number_of(struct cell c, uint64_t max, uint64_t *n)
{
	struct slice s = c.s;
	size_t zeros;

	if (c.json && s.len > 2 && s.data[0] == '"')
		s = (struct slice){ s.data + 1, s.len - 2 };
	for (zeros = s.len; zeros > 0 && s.data[zeros - 1] == '0'; zeros--)
		;
	if (zeros > 1 && zeros < s.len && s.data[zeros - 1] == '.')
		s.len = zeros - 1;
	return frame_number(s, max, n) == 0;
}

/* What stands beside feed and number: the event, or a message that is it. */
static bool
value_of(struct export *x, const struct members *m, struct cell own,
    struct frame *f)
{
	if (!is_empty(own)) {
		f->value = own.s;
		f->parsed = own.json && own.s.data[0] != '"';
		if (own.json && text_of(own, &x->value, &f->other))
			f->parsed = false;
		return true;
	}
	if (is_empty(m->message) ||
	    !text_of(m->message, &x->message, &f->value))
		return false;
	f->syslog = true;
	while (f->part <= 1 && f->value.len > 0 && f->value.data[0] == ' ') {
		f->value.data++;
		f->value.len--;
	}
	if (f->part <= 1 && f->value.len >= strlen(BOM) &&
	    memcmp(f->value.data, BOM, strlen(BOM)) == 0) {
		f->value.data += strlen(BOM);
		f->value.len -= strlen(BOM);
	}
	while (f->value.len > 0 &&
	    strchr("\r\n", f->value.data[f->value.len - 1]) != NULL &&
	    f->value.data[f->value.len - 1] != '\0')
		f->value.len--;
	return f->value.len > 0;
}

static bool
parts_of(const struct members *m, struct frame *f)
{
	uint64_t part = 0, parts = 0;

	if (is_empty(m->part) && is_empty(m->parts))
		return true;
	if (!number_of(m->part, FRAME_PARTS, &part) ||
	    !number_of(m->parts, FRAME_PARTS, &parts) || part == 0 ||
	    part > parts)
		return false;
	f->part = (unsigned)part;
	f->parts = (unsigned)parts;
	return true;
}

/* Give the line that the members make, if they do. */
static bool
assemble(struct export *x, const struct members *m)
{
	struct frame f = { .kind = FRAME_EVENT };
	struct cell own = m->event;

	if (!text_of(m->feed, &x->feed, &f.feed) || f.feed.len == 0 ||
	    !frame_feed_is_good(f.feed) || !parts_of(m, &f))
		return false;
	if (m->agent.s.len > 2 && m->agent.s.data[0] == '"' && m->agent.json)
		f.agent =
		    (struct slice){ m->agent.s.data + 1, m->agent.s.len - 2 };
	else if (!m->agent.json)
		f.agent = m->agent.s;
	if (!is_empty(m->checkpoint) &&
	    number_of(m->checkpoint, INT64_MAX, &f.number)) {
		f.kind = FRAME_CHECKPOINT; /* as structured data has it */
		own = (struct cell){ .json = false };
	} else if (!is_empty(m->checkpoint)) {
		f.kind = FRAME_CHECKPOINT;
		own = m->checkpoint;
		if (!number_of(m->size, INT64_MAX, &f.number))
			return false;
	} else if (!number_of(m->index, INT64_MAX, &f.number)) {
		return false;
	}
	if (!value_of(x, m, own, &f))
		return false;
	/* A checkpoint is JSON, however it is written. */
	if (f.kind == FRAME_CHECKPOINT && f.other.data != NULL)
		f.value = f.other;
	x->fn(x->ctx, &f);
	return true;
}

/* Look for a line in the text of a string or cell. */
static bool
look_into_text(struct export *x, struct cell c, unsigned strings,
    unsigned depth)
{
	struct slice text;

	/* All that can be a line has this in it. */
	if (strings == STRINGS_MAX || c.s.len < 4 ||
	    (c.json && c.s.data[0] != '"') ||
	    memmem(c.s.data, c.s.len, "feed", 4) == NULL)
		return false;
	return text_of(c, &x->text[strings], &text) &&
	    look_into(x, text, strings + 1, depth);
}

/* "sealfeed@32473": {"feed": "…", "index": "0"} somewhere in the object, where
 * a server has taken structured data apart; the message stands beside. */
static bool
structured(struct export *x, struct members *m, struct slice object)
{
	static const char name[] = "\"sealfeed@";
	const char *at = memmem(object.data, object.len, name, strlen(name));
	struct slice rest, key, value;

	if (at == NULL || is_empty(m->message))
		return false;
	rest = (struct slice){ at, (size_t)(object.data + object.len - at) };
	if (!next_value(&rest, &key, &value) || value.data[0] != '{')
		return false;
	*m = (struct members){ .message = m->message };
	add_members(m, value);
	return assemble(x, m);
}

static bool
look_into_object(struct export *x, struct slice object, unsigned strings,
    unsigned depth)
{
	struct slice rest = { object.data + 1, object.len - 1 }, key, value;
	struct members m = { .rank = 0 }, inner = { .rank = 0 };
	bool found = false;

	add_members(&m, object);
	if (look_into_text(x, m.message, strings, depth))
		return true;
	if (m.event.s.len > 0 && m.event.s.data[0] == '{')
		add_members(&inner, m.event.s);
	if (inner.message.s.data != NULL &&
	    look_into_text(x, inner.message, strings, depth))
		return true;
	prefer_own(&m, is_empty(inner.message) ? m.message : inner.message);
	if (assemble(x, &m))
		return true;
	while (next_value(&rest, &key, &value))
		if (look_into_text(x, (struct cell){ value, true }, strings,
			depth) ||
		    ((value.data[0] == '{' || value.data[0] == '[') &&
			look_into(x, value, strings, depth + 1)))
			found = true;
	return found || structured(x, &m, object);
}

static bool
look_into_array(struct export *x, struct slice array, unsigned strings,
    unsigned depth)
{
	struct slice rest = { array.data + 1, array.len - 1 }, value;
	bool found = false;

	while (next_value(&rest, NULL, &value))
		if (value.data[0] == '"'
			? look_into_text(x, (struct cell){ value, true },
			      strings, depth)
			: look_into(x, value, strings, depth + 1))
			found = true;
	return found;
}

/* Look for lines in a text, or a value of JSON. */
static bool
look_into(struct export *x, struct slice s, unsigned strings, unsigned depth)
{
	struct frame f = { .kind = FRAME_NOTHING };
	struct slice value = trim(s);

	if (depth == DEPTH_MAX)
		return false;
	if (depth == 0 || strings > 0)
		switch (wrapped_parse(s.data, s.len, &f)) {
		case FRAME_EVENT:
		case FRAME_CHECKPOINT:
			/* A string may be the event, or hold it. */
			if (!f.syslog && f.value.len > 0 &&
			    f.value.data[0] == '"')
				break;
			x->fn(x->ctx, &f);
			return true;
		case FRAME_BROKEN:
			x->broken = true;
			break;
		case FRAME_NOTHING:
			break;
		}
	if (value.len >= strlen(BOM) && memcmp(value.data, BOM, 3) == 0)
		value = trim((struct slice){ value.data + 3, value.len - 3 });
	if (value.len == 0)
		return false;
	if (value.data[0] == '{')
		return look_into_object(x, value, strings, depth);
	if (value.data[0] == '[')
		return look_into_array(x, value, strings, depth);
	return value.data[0] == '"' &&
	    look_into_text(x, (struct cell){ value, true }, strings, depth);
}

static bool
look_into_row(struct export *x, const struct reader_row *row)
{
	struct members m = { .rank = 0 };
	bool found = false;

	for (size_t i = 0; i < row->n; i++) {
		struct cell c = { row->cell[i], false };

		add_any(&m, row->name[i], c);
		if (look_into_text(x, c, 0, 0))
			found = true;
	}
	prefer_own(&m, m.message);
	return found || assemble(x, &m);
}

/* Our lines without the line feeds between them: with nothing, a comma, a CR or
 * NUL there, or counts of octets. */
static bool
look_into_joined(struct export *x, struct slice s)
{
	static const char own[] = "{\"feed\":";
	const size_t least = strlen(own);
	const char *begin = s.data, *at;
	bool found = false;

	s = trim(s);
	while (s.len > 0 && strchr("0123456789 ", s.data[0]) != NULL &&
	    s.data[0] != '\0') {
		s.data++;
		s.len--;
	}
	if (s.len < least || memcmp(s.data, own, least) != 0 ||
	    (s.data == begin && s.data[s.len - 1] == '}' &&
		memmem(s.data + 1, s.len - 1, own, least) == NULL))
		return false;
	while ((at = memmem(s.data, s.len, own, least)) != NULL) {
		const char *end = s.data + s.len;
		size_t n;

		s = (struct slice){ at, (size_t)(end - at) };
		n = value_length(s);
		n = n > 0 ? n : s.len;
		if (look_into(x, (struct slice){ at, n }, 0, 0))
			found = true;
		s = (struct slice){ at + n, s.len - n };
	}
	return found;
}

enum frame_kind
export_frames(struct export *x, const struct reader_line *line, export_fn *fn,
    void *ctx)
{
	const struct slice all = { line->data, line->len };
	bool found;

	x->fn = fn;
	x->ctx = ctx;
	x->broken = false;
	found = line->row != NULL && look_into_row(x, line->row);
	found = found || look_into_joined(x, all) || look_into(x, all, 0, 0);
	if (found)
		return FRAME_EVENT;
	return x->broken ? FRAME_BROKEN : FRAME_NOTHING;
}

/* export_fn */
static void
nothing(void *ctx, const struct frame *f)
{
	(void)ctx;
	(void)f;
}

bool
export_holds(const char *s, size_t len, bool json)
{
	struct export *x = export_new();
	bool found;

	x->fn = nothing;
	found = look_into(x, (struct slice){ s, len }, 0, json ? 1 : 0);
	export_free(x);
	return found;
}
