/*
 * format.c - events in the formats of SIEMs that have no parser for JSON.
 */
#include <arpa/inet.h>
#include <jansson.h>

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/data.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/chunk.h"
#include "outputs/format.h"
#include "outputs/format_map.h"

/* Of larger events no fields are taken: a tree of theirs is ten times as
 * large. */
#define MAPPED_MAX ((size_t)1 << 20)

/* Bytes of the header's parts, and of values that no dictionary bounds. */
#define HEADER_MAX 512
#define VALUE_MAX 1023

/* Larger numbers are not exact as they are parsed: rawEvent has them. */
#define EXACT_MAX 9007199254740992.0

/* More than any value that is mapped, escaped. */
#define SCRATCH_MAX ((size_t)64 << 10)

const char *const format_names[] = { "raw", "wazuh", "cef", "leef", NULL };

struct format {
	enum format_kind kind;
	char *agent;
	struct format_map *maps;
	const struct format_map *map; /* of type */
	char *type;                   /* of the last event's source */
	struct buf value;             /* scratch: one field, as plain text */
	char delimiter;               /* of LEEF, of this line */
};

/* Where the values of CEF end ("Implementing ArcSight CEF", chapter 2: CEF
 * Key Names For Event Producers).  What is not here may have VALUE_MAX. */
static const struct {
	const char *key;
	size_t max;
} cef_sizes[] = {
	{ "act", 63 },
	{ "app", 31 },
	{ "cs1", 4000 },
	{ "cs2", 4000 },
	{ "cs3", 4000 },
	{ "cs4", 4000 },
	{ "cs5", 4000 },
	{ "cs6", 4000 },
	{ "dntdom", 255 },
	{ "externalId", 40 },
	{ "outcome", 63 },
	{ "proto", 31 },
	{ "requestContext", 2048 },
	{ "sntdom", 255 },
};

/* Keys whose values are addresses, and of those what a version 6 one has
 * instead, with its label. */
static const struct {
	const char *key;
	const char *six;
	const char *label;
} addresses[] = {
	{ "src", "c6a2", "Source IPv6 Address" },
	{ "dst", "c6a3", "Destination IPv6 Address" },
	{ "dvc", "c6a1", "Device IPv6 Address" },
};

static char *
format_folder(void)
{
	return data_folder("formats", "outputs/formats");
}

struct format *
format_new(enum format_kind kind, const char *agent, const char *folder,
    struct err *err)
{
	struct format *f = xcalloc(1, sizeof(*f));
	char *own = folder == NULL ? format_folder() : xstrdup(folder);

	f->kind = kind;
	f->agent = xstrdup(agent);
	f->maps = format_maps_load(own, err);
	buf_init(&f->value, SCRATCH_MAX);
	free(own);
	if (f->maps != NULL)
		return f;
	format_free(f);
	return NULL;
}

void
format_free(struct format *f)
{
	if (f == NULL)
		return;
	format_maps_free(f->maps);
	buf_release(&f->value);
	free(f->agent);
	free(f->type);
	free(f);
}

static void
turn_to(struct format *f, const char *type)
{
	if (f->type != NULL && strcmp(f->type, type) == 0)
		return;
	free(f->type);
	f->type = xstrdup(type);
	f->map = format_map_of(f->maps, type);
}

bool
format_knows(const struct format *f, const char *type)
{
	return format_map_of(f->maps, type)->type[0] != '\0';
}

/* What a type without a mapping is called: as it is. */
static const char *
named(const struct format *f, const char *name)
{
	return f->map->type[0] == '\0' && f->type[0] != '\0' ? f->type : name;
}

static int
add_wazuh(const struct format *f, const struct chunk_line *line,
    struct buf *out)
{
	const char *name = named(f, f->map->wazuh);

	if (buf_addf(out,
		"{\"integration\":\"%s\",\"sealfeed\":{\"feed\":\"%s\","
		"\"%s\":%llu,\"agent\":\"%s%s%s\"},\"%s\":",
		line->checkpoint ? "sealfeed" : name, line->feed,
		line->checkpoint ? "size" : "index",
		(unsigned long long)line->number, f->agent,
		line->via == NULL ? "" : "\",\"via\":\"",
		line->via == NULL ? "" : line->via,
		line->checkpoint ? "checkpoint" : name) != 0 ||
	    buf_add(out, line->value, line->len) != 0)
		return -1;
	return buf_adds(out, "}");
}

/* One level of a pointer, which ends at end, in an object or array. */
static const json_t *
step(const json_t *at, const char *s, size_t len)
{
	char name[128];
	size_t n = 0;

	if (len >= sizeof(name))
		return NULL;
	for (size_t i = 0; i < len; i++) {
		bool escape = s[i] == '~' && i + 1 < len;

		name[n++] =
		    (char)(escape ? (s[i + 1] == '1' ? '/' : '~') : s[i]);
		i += escape;
	}
	name[n] = '\0';
	if (json_is_array(at) && n > 0 && n < 9 &&
	    strspn(name, "0123456789") == n)
		return json_array_get(at, strtoul(name, NULL, 10));
	return json_object_get(at, name);
}

static const json_t *
find(const json_t *at, const char *pointer)
{
	while (at != NULL && *pointer == '/') {
		size_t len = strcspn(++pointer, "/");

		at = step(at, pointer, len);
		pointer += len;
	}
	return at;
}

/* Make f->value the text of a scalar; false: it is none, or has nothing. */
static bool
take_scalar(struct format *f, const json_t *v)
{
	int rc = -1;

	buf_clear(&f->value);
	if (json_is_string(v)) {
		size_t len = json_string_length(v);

		/* No field may have more. */
		rc = buf_add(&f->value, json_string_value(v),
		    len < SCRATCH_MAX / 2 ? len : SCRATCH_MAX / 2);
	} else if (json_is_integer(v)) {
		rc = buf_addf(&f->value, "%lld",
		    (long long)json_integer_value(v));
	} else if (json_is_real(v) && fabs(json_real_value(v)) < EXACT_MAX) {
		rc = buf_addf(&f->value, "%.17g", json_real_value(v));
	} else if (json_is_boolean(v)) {
		rc = buf_adds(&f->value, json_is_true(v) ? "true" : "false");
	}
	return rc == 0 && f->value.len > 0;
}

/* Make f->value what the first of from stands for. */
static bool
take(struct format *f, const json_t *event, char *const *from)
{
	for (; *from != NULL; from++) {
		if ((*from)[0] == '/') {
			if (take_scalar(f, find(event, *from)))
				return true;
			continue;
		}
		buf_clear(&f->value);
		return buf_adds(&f->value, *from) == 0;
	}
	return false;
}

/* Cut f->value to max bytes, between two characters. */
static void
cut(struct format *f, size_t max)
{
	const char *s = f->value.data;
	size_t n = max;

	if (f->value.len <= max)
		return;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	f->value.len = n;
}

/* Append f->value as a part of the header and its "|". */
static int
add_header(struct format *f, struct buf *out)
{
	cut(f, HEADER_MAX);
	for (size_t i = 0; i < f->value.len; i++) {
		char c = f->value.data[i];
		bool special = c == '|' || c == '\\';

		if (iscntrl((unsigned char)c) ||
		    (f->kind == FORMAT_LEEF && c == '|'))
			c = ' ';
		else if (f->kind == FORMAT_CEF && special &&
		    buf_adds(out, "\\") != 0)
			return -1;
		if (buf_add(out, &c, 1) != 0)
			return -1;
	}
	return buf_adds(out, "|");
}

static int
add_header_text(struct format *f, const char *text, struct buf *out)
{
	buf_clear(&f->value);
	if (buf_adds(&f->value, text) != 0)
		return -1;
	return add_header(f, out);
}

/* Append a value of CEF's extension, escaped. */
static int
add_escaped(const char *s, size_t len, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		const char *as = s[i] == '=' ? "\\="
		    : s[i] == '\\'           ? "\\\\"
		    : s[i] == '\n'           ? "\\n"
		    : s[i] == '\r'           ? "\\r"
					     : NULL;

		if (as == NULL)
			continue;
		if (buf_add(out, s + from, i - from) != 0 ||
		    buf_adds(out, as) != 0)
			return -1;
		from = i + 1;
	}
	return buf_add(out, s + from, len - from);
}

/* Append " key=" or, of LEEF, the delimiter and "key=". */
static int
add_key(const struct format *f, const char *key, struct buf *out)
{
	if (buf_add(out, &f->delimiter, 1) != 0 || buf_adds(out, key) != 0)
		return -1;
	return buf_adds(out, "=");
}

/* Append a field with f->value, in which control characters that the format
 * does not escape become spaces. */
static int
add_field(struct format *f, const char *key, size_t max, struct buf *out)
{
	cut(f, max);
	for (size_t i = 0; i < f->value.len; i++) {
		char *c = &f->value.data[i];

		if (iscntrl((unsigned char)*c) &&
		    (f->kind == FORMAT_LEEF || (*c != '\n' && *c != '\r')))
			*c = ' ';
	}
	if (add_key(f, key, out) != 0)
		return -1;
	return f->kind == FORMAT_CEF
	    ? add_escaped(f->value.data, f->value.len, out)
	    : buf_add(out, f->value.data, f->value.len);
}

static size_t
size_of(const struct format *f, const char *key)
{
	size_t n = sizeof(cef_sizes) / sizeof(cef_sizes[0]);

	for (size_t i = 0; f->kind == FORMAT_CEF && i < n; i++)
		if (strcmp(cef_sizes[i].key, key) == 0)
			return cef_sizes[i].max;
	return VALUE_MAX;
}

/* Make f->value a bare address: vendors write "192.0.2.1:443" and
 * "[2001:db8::1]:443", too.  Returns its version, 0: it is none. */
static int
take_address(struct format *f)
{
	char text[INET6_ADDRSTRLEN + 8] = "";
	char *s = text, *end;
	struct in6_addr any;

	if (f->value.len == 0 || f->value.len >= sizeof(text))
		return 0;
	memcpy(text, f->value.data, f->value.len);
	if (s[0] == '[') {
		end = strchr(++s, ']');
		if (end == NULL)
			return 0;
		*end = '\0';
	} else if ((end = strchr(s, ':')) != NULL && end == strrchr(s, ':')) {
		*end = '\0';
	}
	memmove(f->value.data, s, strlen(s));
	f->value.len = strlen(s);
	return inet_pton(AF_INET, s, &any) == 1 ? 4
	    : inet_pton(AF_INET6, s, &any) == 1 ? 6
						: 0;
}

/* Append the field of an address: 1 done, 0 key is of none, -1. */
static int
add_address(struct format *f, const char *key, struct buf *out)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		int version;

		if (strcmp(addresses[i].key, key) != 0)
			continue;
		version = take_address(f);
		if (version == 0)
			return 1;
		if (version == 4 || f->kind == FORMAT_LEEF)
			return add_field(f, key, VALUE_MAX, out) == 0 ? 1 : -1;
		if (add_field(f, addresses[i].six, VALUE_MAX, out) != 0)
			return -1;
		return buf_addf(out, " %sLabel=%s", addresses[i].six,
			   addresses[i].label) == 0
		    ? 1
		    : -1;
	}
	return 0;
}

/* Is key the label of one that was not written last? */
static bool
label_of_nothing(const char *key, const char *last)
{
	static const char label[] = "Label";
	size_t len = strlen(key), n = sizeof(label) - 1;

	return len > n && strcmp(key + len - n, label) == 0 &&
	    (strlen(last) != len - n || strncmp(last, key, len - n) != 0);
}

static int
add_fields(struct format *f, const json_t *event, struct buf *out)
{
	const struct format_fields *all =
	    f->kind == FORMAT_CEF ? &f->map->cef : &f->map->leef;
	const char *last = "";

	for (size_t i = 0; i < all->n; i++) {
		const char *key = all->list[i].key;
		int rc;

		if (label_of_nothing(key, last) ||
		    !take(f, event, all->list[i].from))
			continue;
		rc = add_address(f, key, out);
		if (rc == 0)
			rc = add_field(f, key, size_of(f, key), out);
		if (rc < 0)
			return -1;
		last = key;
	}
	return 0;
}

/* The time in the form that the language has for it. */
static int
add_time(const struct format *f, const struct chunk_line *line, struct buf *out)
{
	char text[CLOCK_TEXT];

	if (line->when == INT64_MIN)
		return 0;
	if (f->kind == FORMAT_CEF)
		return buf_addf(out, " rt=%lld",
		    (long long)(line->when / (CLOCK_SECOND / 1000)));
	(void)clock_format(line->when, 3, text);
	return buf_addf(out,
	    "%cdevTime=%s%cdevTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
	    f->delimiter, text, f->delimiter);
}

/* A control character that the event does not have. */
static char
delimiter_of(const struct chunk_line *line)
{
	static const char good[] = "\t\x1f\x1e\x1d\x1c\x01";

	for (const char *c = good; *c != '\0'; c++)
		if (memchr(line->value, *c, line->len) == NULL)
			return *c;
	return '\t';
}

/* Append the header. */
static int
add_headers(struct format *f, const struct chunk_line *line,
    const json_t *event, struct buf *out)
{
	const struct format_map *m = f->map;
	bool cef = f->kind == FORMAT_CEF, own = line->checkpoint;

	if (buf_adds(out, cef ? "CEF:0|" : "LEEF:2.0|") != 0 ||
	    add_header_text(f, own ? "sealfeed" : m->vendor, out) != 0 ||
	    add_header_text(f, own ? "sealfeed" : named(f, m->product), out) !=
		0 ||
	    buf_adds(out, "1|") != 0)
		return -1;
	if (own || !take(f, event, m->class)) {
		buf_clear(&f->value);
		if (buf_adds(&f->value, own ? "checkpoint" : "event") != 0)
			return -1;
	}
	if (add_header(f, out) != 0)
		return -1;
	if (!cef)
		return buf_addf(out, "x%02X|", (unsigned)f->delimiter);
	if (own || !take(f, event, m->name)) {
		buf_clear(&f->value);
		if (buf_adds(&f->value, own ? "checkpoint" : "event") != 0)
			return -1;
	}
	if (add_header(f, out) != 0)
		return -1;
	return buf_addf(out, "%ld|", own ? 0 : m->severity);
}

static int
add_mapped(struct format *f, const struct chunk_line *line, const json_t *event,
    struct buf *out)
{
	f->delimiter = f->kind == FORMAT_CEF ? ' ' : delimiter_of(line);
	if (add_headers(f, line, event, out) != 0 ||
	    buf_addf(out, "sealfeedFeed=%s%csealfeed%s=%llu%csealfeedAgent=%s",
		line->feed, f->delimiter, line->checkpoint ? "Size" : "Index",
		(unsigned long long)line->number, f->delimiter,
		f->agent) != 0 ||
	    (line->via != NULL &&
		buf_addf(out, "%csealfeedVia=%s", f->delimiter, line->via) !=
		    0) ||
	    add_time(f, line, out) != 0)
		return -1;
	if (f->kind == FORMAT_LEEF &&
	    buf_addf(out, "%csev=%ld", f->delimiter,
		line->checkpoint || f->map->severity == 0
		    ? 1
		    : f->map->severity) != 0)
		return -1;
	if (!line->checkpoint && add_fields(f, event, out) != 0)
		return -1;
	if (add_key(f, "rawEvent", out) != 0)
		return -1;
	return f->kind == FORMAT_CEF ? add_escaped(line->value, line->len, out)
				     : buf_add(out, line->value, line->len);
}

/* The event as a tree; NULL: it is none that could be mapped.  One number that
 * is larger than others makes no other field impossible. */
static json_t *
parse(const struct chunk_line *line)
{
	json_t *event;

	if (line->checkpoint || line->len > MAPPED_MAX)
		return NULL;
	event = json_loadb(line->value, line->len, JSON_ALLOW_NUL, NULL);
	if (event != NULL)
		return event;
	return json_loadb(line->value, line->len,
	    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
}

int
format_add(struct format *f, const struct chunk_line *line, struct buf *out)
{
	json_t *event;
	int rc;

	turn_to(f, line->source_type == NULL ? "" : line->source_type);
	if (f->kind == FORMAT_WAZUH)
		return add_wazuh(f, line, out);
	event = parse(line);
	rc = add_mapped(f, line, event, out);
	json_decref(event);
	return rc;
}
