/*
 * framer.c - RFC 5424 messages in octet-counted frames.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "outputs/format.h"
#include "outputs/gelf.h"
#include "outputs/output.h"
#include "outputs/relp_reply.h"
#include "outputs/syslog/framer.h"

/* RFC 5424 section 6: most characters of these fields. */
#define HOST_MAX 255
#define MSGID_MAX 32

#define DIGITS_MAX 20 /* of a uint64_t */
/* More than the largest event, escaped. */
#define TEXT_MAX ((size_t)256 << 20)

#define CLOSING 3 /* bytes of '"] ' behind the last parameter */

/* Longest head of a message, which is everything but time, number, part and
 * MSG; room for a feed of 255 characters, each escaped. */
struct head {
	char text[HOST_MAX + MSGID_MAX + 800];
	size_t len;
};

struct framer {
	struct framer_spec spec;
	struct gelf *gelf; /* NULL: RFC 5424 */
	char *host;
	char *app;
	char *feed; /* that the heads are of */
	char begin[16];
	size_t begin_len;
	struct head event;
	struct head checkpoint;
	struct buf text; /* MSG in another format than raw */
};

/* A copy of s as a header field: printable ASCII, others become "?", NILVALUE
 * when nothing is left. */
static void
field(char *out, size_t max, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n < max; s++)
		out[n++] = *s > 32 && *s < 127 ? *s : '?';
	if (n == 0)
		out[n++] = '-';
	out[n] = '\0';
}

struct framer *
framer_new(const struct framer_spec *spec)
{
	struct framer *f = xcalloc(1, sizeof(*f));

	f->spec = *spec;
	f->host = xmalloc(HOST_MAX + 1);
	field(f->host, HOST_MAX, spec->host);
	f->app = xstrdup(spec->app);
	if (spec->gelf)
		f->gelf = gelf_new(f->host);
	buf_init(&f->text, TEXT_MAX);
	f->begin_len = (size_t)snprintf(f->begin, sizeof(f->begin), "<%u>1 ",
	    spec->priority);
	return f;
}

void
framer_free(struct framer *f)
{
	if (f == NULL)
		return;
	gelf_free(f->gelf);
	buf_release(&f->text);
	free(f->host);
	free(f->app);
	free(f->feed);
	free(f);
}

/* RFC 5424 section 6.3.3: a parameter's value escapes these three. */
static void
escape(char *out, size_t room, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n + 2 < room; s++) {
		if (*s == '"' || *s == '\\' || *s == ']')
			out[n++] = '\\';
		out[n++] = *s;
	}
	out[n] = '\0';
}

static void
make_head(struct framer *f, struct head *h, const char *msgid, const char *feed,
    const char *number)
{
	bool raw = f->spec.format == NULL;
	int n = snprintf(h->text, sizeof(h->text),
	    " %s %s - %s [sealfeed@%llu feed=\"%s\"%s%s%s %s=\"", f->host,
	    f->app, msgid, (unsigned long long)f->spec.enterprise, feed,
	    raw ? "" : " format=\"", raw ? "" : f->spec.format_name,
	    raw ? "" : "\"", number);

	h->len = (size_t)n;
}

/* Make the heads those of feed. */
static void
turn_to(struct framer *f, const char *feed)
{
	const char *slash = strchr(feed, '/');
	char msgid[MSGID_MAX + 1], escaped[520];

	free(f->feed);
	f->feed = xstrdup(feed);
	field(msgid, MSGID_MAX, slash == NULL ? feed : slash + 1);
	escape(escaped, sizeof(escaped), feed);
	make_head(f, &f->event, msgid, escaped, "index");
	make_head(f, &f->checkpoint, "checkpoint", escaped, "checkpoint");
}

/* Decimal digits of n, right-aligned in out[DIGITS_MAX]; returns how many. */
static size_t
digits(char *out, uint64_t n)
{
	size_t at = DIGITS_MAX;

	do {
		out[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return DIGITS_MAX - at;
}

#define VIA_BEFORE " via=\""
#define VIA_AROUND sizeof(VIA_BEFORE) /* with the quote behind it */

/* One message: its write batches, and their length together. */
struct message {
	const struct head *head;
	char time[CLOCK_TEXT];
	size_t time_len;
	char number[DIGITS_MAX];
	size_t number_len;
	const char *via; /* "": none */
	size_t via_len;
	char part[2 * DIGITS_MAX + 24]; /* ' part="1" parts="3"' */
	size_t part_len;
};

static char *
put(char *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	return to + len;
}

/* Bytes of the message without MSG. */
static size_t
around(const struct framer *f, const struct message *m)
{
	return f->begin_len + m->time_len + m->head->len + m->number_len +
	    (m->via_len > 0 ? VIA_AROUND + m->via_len : 0) + m->part_len +
	    CLOSING;
}

/* What stands before a message of size bytes; returns its length. */
static size_t
before(const struct framer *f, size_t size, char front[64])
{
	char count[DIGITS_MAX];
	size_t n;

	if (f->spec.lf)
		return 0;
	if (f->spec.transaction != NULL)
		return (size_t)snprintf(front, 64, "%u syslog %zu ",
		    relp_next(*f->spec.transaction), size);
	n = digits(count, size);
	memcpy(front, count + DIGITS_MAX - n, n);
	front[n] = ' ';
	return n + 1;
}

/* Append one frame. */
static int
add(const struct framer *f, const struct message *m, const char *msg,
    size_t len, struct buf *out)
{
	char front[64]; /* before the message */
	size_t size = around(f, m) + len;
	size_t n = before(f, size, front);
	char *to = buf_room(out, n + 1 + size);

	if (to == NULL)
		return -1;
	if (f->spec.transaction != NULL)
		*f->spec.transaction = relp_next(*f->spec.transaction);
	to = put(to, front, n);
	to = put(to, f->begin, f->begin_len);
	to = put(to, m->time, m->time_len);
	to = put(to, m->head->text, m->head->len);
	to = put(to, m->number + DIGITS_MAX - m->number_len, m->number_len);
	*to++ = '"';
	if (m->via_len > 0) {
		to = put(to, VIA_BEFORE, sizeof(VIA_BEFORE) - 1);
		to = put(to, m->via, m->via_len);
		*to++ = '"';
	}
	to = put(to, m->part, m->part_len);
	*to++ = ']';
	*to++ = ' ';
	to = put(to, msg, len);
	if (f->spec.lf || f->spec.transaction != NULL)
		*to++ = '\n';
	*to = '\0';
	out->len = (size_t)(to - out->data);
	return 0;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Length of a slice of at most room bytes that ends between two characters of
 * UTF-8 (of bytes that are not UTF-8, somewhere), and beside no white space if
 * it can: receivers take that off the ends of a message. */
static size_t
slice(const char *s, size_t len, size_t room)
{
	size_t whole = 0;

	if (len <= room)
		return len;
	for (size_t n = room; n > 1 && n > room - room / 4; n--) {
		if (((unsigned char)s[n] & 0xc0) == 0x80)
			continue;
		if (!is_space(s[n - 1]) && !is_space(s[n]))
			return n;
		if (whole == 0)
			whole = n;
	}
	return whole == 0 ? room : whole;
}

static size_t
count_parts(const char *s, size_t len, size_t room)
{
	size_t parts = 0;

	while (len > 0) {
		size_t n = slice(s, len, room);

		s += n;
		len -= n;
		parts++;
	}
	return parts;
}

static enum framed
add_parts(const struct framer *f, struct message *m, const char *s, size_t len,
    struct buf *out)
{
	size_t room, parts, before = out->len;

	/* Leave room for the longest numbers that part and parts can have. */
	m->part_len = sizeof(m->part) - 1;
	room = f->spec.max - (around(f, m));
	parts = count_parts(s, len, room);
	for (size_t i = 1; i <= parts; i++) {
		size_t n = slice(s, len, room);

		m->part_len = (size_t)snprintf(m->part, sizeof(m->part),
		    " part=\"%zu\" parts=\"%zu\"", i, parts);
		if (add(f, m, s, n, out) != 0) {
			out->len = before;
			return FRAME_MEMORY;
		}
		s += n;
		len -= n;
	}
	return FRAME_ADDED;
}

/* Where the optional last member of a checkpoint (line.h) begins with its
 * comma, or len where there is none. */
static size_t
without_check(const char *s, size_t len)
{
	static const char key[] = ",\"check\":";
	size_t at = len;

	if (len < sizeof(key) + 3 || memcmp(s + len - 2, "\"}", 2) != 0)
		return len;
	for (at = len - 3; at > 0 && s[at] != '"'; at--)
		continue;
	if (at < sizeof(key) ||
	    memcmp(s + at - (sizeof(key) - 1), key, sizeof(key) - 1) != 0)
		return len;
	return at - (sizeof(key) - 1);
}

/* Make line what is sent of it: -1 at the ceiling. */
static int
show(struct framer *f, struct chunk_line *line)
{
	if (f->spec.format == NULL)
		return 0;
	buf_clear(&f->text);
	if (format_add(f->spec.format, line, &f->text) != 0)
		return -1;
	line->value = f->text.data;
	line->len = f->text.len;
	return 0;
}

/* A checkpoint that is too large goes without its "check". */
static enum framed
add_checkpoint(struct framer *f, struct message *m,
    const struct chunk_line *line, struct buf *out)
{
	struct chunk_line shorter = *line;
	size_t cut = without_check(line->value, line->len);
	char *copy = xstrndup(line->value, cut + 1);
	enum framed rc = FRAME_MEMORY;

	if (cut < line->len) {
		copy[cut] = '}';
		shorter.len = cut + 1;
	}
	shorter.value = copy;
	if (show(f, &shorter) != 0)
		rc = FRAME_MEMORY;
	else if (around(f, m) + shorter.len > f->spec.max)
		rc = add_parts(f, m, shorter.value, shorter.len, out);
	else if (add(f, m, shorter.value, shorter.len, out) == 0)
		rc = FRAME_ADDED;
	free(copy);
	return rc;
}

/* A message in GELF, whose size is known behind it; a checkpoint that is too
 * large goes without its "check". */
static enum framed
add_gelf(struct framer *f, const struct chunk_line *line, struct buf *out,
    size_t *size)
{
	struct chunk_line shorter = *line;
	size_t before = out->len;
	enum framed rc = FRAME_ADDED;
	char *copy;

	if (gelf_add(f->gelf, line, out) != 0 || buf_add(out, "", 1) != 0)
		rc = FRAME_MEMORY;
	*size = out->len - before - (rc == FRAME_ADDED);
	if (rc == FRAME_ADDED && *size <= f->spec.max)
		return rc;
	out->len = before;
	shorter.len = without_check(line->value, line->len) + 1;
	if (rc != FRAME_ADDED || !line->checkpoint || shorter.len > line->len)
		return rc == FRAME_ADDED ? FRAME_LARGE : rc;
	copy = xstrndup(line->value, shorter.len);
	copy[shorter.len - 1] = '}';
	shorter.value = copy;
	rc = add_gelf(f, &shorter, out, size);
	free(copy);
	return rc;
}

enum framed
frame_add(struct framer *f, const struct chunk_line *line, struct buf *out,
    size_t *size)
{
	struct chunk_line shown = *line;
	struct message m;

	if (f->gelf != NULL)
		return add_gelf(f, line, out, size);
	if (f->feed == NULL || strcmp(f->feed, line->feed) != 0)
		turn_to(f, line->feed);
	*size = line->len;
	if (show(f, &shown) != 0)
		return FRAME_MEMORY;
	m.head = line->checkpoint ? &f->checkpoint : &f->event;
	m.time_len = clock_format(line->when, 3, m.time);
	m.number_len = digits(m.number, line->number);
	m.via = line->via != NULL ? line->via : "";
	m.via_len = strlen(m.via);
	m.part_len = 0;
	*size = around(f, &m) + shown.len;
	if (*size <= f->spec.max)
		return add(f, &m, shown.value, shown.len, out) == 0
		    ? FRAME_ADDED
		    : FRAME_MEMORY;
	if (line->checkpoint)
		return add_checkpoint(f, &m, line, out);
	if (f->spec.split)
		return add_parts(f, &m, shown.value, shown.len, out);
	return FRAME_LARGE;
}
