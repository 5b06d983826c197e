/*
 * rows.c - CSV and its kin, with a header.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "verify/rows.h"

/* Longest name of a column. */
#define NAME_MAX_LEN 128

/* A header of one cell is one only by these names. */
static const char *const sole_names[] = { "_raw", "raw", "message", "msg",
	"event", "event.original", "full_message", "log", "_source",
	"_source.message", NULL };

static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
	    strchr("_@.-/ ()[]#:%$&*+?'", c) != NULL;
}

/* The cell of a header that begins at s, without quotes; returns where it
 * ends, NULL: it is no name. */
static const char *
header_cell(const char *s, const char *end, char delimiter, struct slice *name)
{
	bool quoted = s < end && *s == '"';

	s += quoted;
	name->data = s;
	while (s < end && *s != '"' && (quoted || *s != delimiter)) {
		if (*s == '\0' || (!quoted && !is_name_character(*s)))
			return NULL;
		s++;
	}
	name->len = (size_t)(s - name->data);
	if (quoted && (s == end || *s++ != '"'))
		return NULL;
	if (name->len == 0 || name->len > NAME_MAX_LEN)
		return NULL;
	return s == end || *s == delimiter ? s : NULL;
}

static bool
is_sole_name(struct slice name)
{
	for (size_t i = 0; sole_names[i] != NULL; i++)
		if (strlen(sole_names[i]) == name.len &&
		    strncasecmp(sole_names[i], name.data, name.len) == 0)
			return true;
	return false;
}

static bool
is_header(const char *s, const char *end, char delimiter)
{
	struct slice name;
	size_t n = 1;

	for (;; n++) {
		s = header_cell(s, end, delimiter, &name);
		if (s == NULL)
			return false;
		if (s == end)
			break;
		s++;
	}
	return n > 1 || is_sole_name(name);
}

char
rows_delimiter(const char *line, size_t len)
{
	static const char delimiters[] = ",\t;|";

	if (len > 0 && line[len - 1] == '\r')
		len--;
	for (size_t i = 0; delimiters[i] != '\0'; i++)
		if (is_header(line, line + len, delimiters[i]))
			return delimiters[i];
	return '\0';
}

void
rows_init(struct rows *t, char delimiter, size_t max)
{
	*t = (struct rows){ .delimiter = delimiter, .text = BUF_INIT(max) };
}

void
rows_release(struct rows *t)
{
	buf_release(&t->text);
	free(t->end);
	*t = (struct rows){ .delimiter = '\0' };
}

/* Where something begins in a cell in quotes that is not as it stands; NULL:
 * nothing does. */
static const char *
find_special(const struct rows *t, const char *s, const char *end)
{
	if (!t->backslash)
		return memchr(s, '"', (size_t)(end - s));
	while (s < end && *s != '"' && *s != '\\')
		s++;
	return s < end ? s : NULL;
}

/* The cell in quotes at s; where it ends, NULL: not within len, or (*bad) too
 * long. */
static const char *
quoted_cell(struct rows *t, const char *s, const char *end, bool *bad)
{
	const char *at;

	while ((at = find_special(t, s, end)) != NULL) {
		*bad = buf_add(&t->text, s, (size_t)(at - s)) != 0;
		s = at + 1;
		if (*bad)
			return NULL;
		if (*at == '"' && (t->backslash || s == end || *s != '"'))
			return s;
		if (s == end)
			return NULL;
		/* The second one of two quotes, or what is behind a
		 * backslash. */
		if (*s == '"' || *s == '\\')
			at = s++;
		*bad = buf_add(&t->text, at, 1) != 0;
		if (*bad)
			return NULL;
	}
	return NULL;
}

static const char *
plain_cell(struct rows *t, const char *s, const char *end, bool *bad)
{
	const char *begin = s;

	while (s < end && *s != t->delimiter && *s != '\n')
		s++;
	*bad =
	    buf_add(&t->text, begin,
		(size_t)(s - begin) -
		    (s > begin && s[-1] == '\r' && s < end && *s == '\n')) != 0;
	return *bad ? NULL : s;
}

static void
end_cell(struct rows *t, size_t most)
{
	t->cells++;
	if (t->n >= most)
		return;
	if ((t->n & (t->n - 1)) == 0)
		t->end = xreallocarray(t->end, t->n == 0 ? 1 : 2 * t->n,
		    sizeof(*t->end));
	t->end[t->n++] = t->text.len;
}

/* rows_row() with quotes as t has them now. */
static size_t
take_row(struct rows *t, const char *s, size_t len, bool ended, size_t most)
{
	const char *at = s, *end = s + len;
	bool bad = false;

	buf_clear(&t->text);
	t->n = 0;
	t->cells = 0;
	for (;;) {
		bool quoted = at < end && *at == '"';

		at = quoted ? quoted_cell(t, at + 1, end, &bad)
			    : plain_cell(t, at, end, &bad);
		if (at == NULL)
			return bad || ended ? SIZE_MAX : 0;
		if (at == end && !ended)
			return 0; /* a quote, or more of the cell, may follow */
		if (at < end && *at == '\r' && at + 1 < end && at[1] == '\n')
			at++;
		if (at < end && *at != '\n' && *at != t->delimiter)
			return SIZE_MAX;
		end_cell(t, most);
		if (at == end)
			return len;
		if (*at++ == '\n')
			return (size_t)(at - s);
	}
}

size_t
rows_row(struct rows *t, const char *s, size_t len, bool ended, size_t most)
{
	size_t n = take_row(t, s, len, ended, most), other;

	if (n != SIZE_MAX && n != 0 && t->width == 0)
		t->width = t->cells;
	if (n == 0 || (n != SIZE_MAX && t->cells == t->width))
		return n;
	/* Perhaps it is written the other way. */
	t->backslash = !t->backslash;
	other = take_row(t, s, len, ended, most);
	if (n == SIZE_MAX
		? other != SIZE_MAX
		: other != SIZE_MAX && other != 0 && t->cells == t->width)
		return other;
	t->backslash = !t->backslash;
	return take_row(t, s, len, ended, most);
}

struct slice
rows_cell(const struct rows *t, size_t i)
{
	size_t from = i == 0 ? 0 : t->end[i - 1];

	return (struct slice){ t->text.data == NULL ? "" : t->text.data + from,
		t->end[i] - from };
}
