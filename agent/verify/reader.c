/*
 * reader.c - the records of an input.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "verify/export.h"
#include "verify/reader.h"
#include "verify/rows.h"
#include "verify/source.h"

/* A header is no longer. */
#define HEADER_MAX ((size_t)64 * 1024)

/* An object that is longer than this may be the answer to a search: then its
 * hits are read one by one. */
#define ANSWER_MIN ((size_t)1 << 20)

/* How an event of ours begins that nobody has touched: it is one line,
 * whatever its value. */
#define OWN_LINE "{\"feed\":\""

/* A line that is so many times longer than a record may be is of an input that
 * has no end, /dev/zero or a pipe of binary data. */
#define ENDLESS 16

/* Begins each value of a JSON text sequence (RFC 7464). */
#define RECORD '\x1e'

struct reader {
	const char *path;
	struct source *source;
	struct buf held; /* of the text, from before at on */
	size_t at;       /* where the next record begins */
	bool ended;
	bool begun;
	bool array; /* at stands between the elements of an array */
	uint64_t number;
	struct rows rows;
	struct buf names; /* the text of the header's cells */
	struct slice *name;
	size_t n_names;
	size_t max; /* bytes of a record */
	reader_fn *fn;
	void *ctx;
};

static const char *
text_of(const struct reader *r)
{
	return r->held.data == NULL ? "" : r->held.data + r->at;
}

static size_t
left(const struct reader *r)
{
	return r->held.len - r->at;
}

/* Have more of the text: 1, 0 it is at its end, -1. */
static int
more(struct reader *r, struct err *err)
{
	int rc;

	if (r->ended)
		return 0;
	buf_drop(&r->held, r->at);
	r->at = 0;
	rc = source_read(r->source, &r->held, err);
	r->ended = rc == 0;
	return rc;
}

/* Give a record of len bytes, NULL: one that is too long. */
static void
give(struct reader *r, const char *data, size_t len, bool cut,
    const struct reader_row *row)
{
	const struct reader_line line = { .data = data,
		.len = len,
		.number = r->number,
		.cut = cut,
		.row = row };

	r->fn(r->ctx, &line);
}

/* Move behind the next n bytes. */
static void
pass(struct reader *r, size_t n)
{
	const char *at = text_of(r), *end = at + n;

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		r->number++;
		at++;
	}
	r->at += n;
}

/* Pass over the rest of a line that is too long. */
static int
skip_line(struct reader *r, struct err *err)
{
	const char *lf = NULL;
	size_t passed = 0;
	int rc = 1;

	give(r, NULL, 0, false, NULL);
	while (rc == 1 && lf == NULL) {
		lf = memchr(text_of(r), '\n', left(r));
		passed += left(r);
		pass(r, lf == NULL ? left(r) : (size_t)(lf - text_of(r)) + 1);
		if (lf == NULL && passed / ENDLESS > r->max)
			return err_set(err,
			    "%s: line %llu is longer than %zu bytes, and none "
			    "that sealfeed writes is; what is behind it is not "
			    "read: name a file that a receiver wrote",
			    r->path, (unsigned long long)r->number,
			    r->max * ENDLESS);
		if (lf == NULL)
			rc = more(r, err);
	}
	return rc < 0 ? -1 : 0;
}

static int
take_line(struct reader *r, struct err *err)
{
	const char *lf = NULL;
	size_t n = 0;
	int rc = 1;

	while (rc == 1) {
		lf = memchr(text_of(r) + n, '\n', left(r) - n);
		n = lf == NULL ? left(r) : (size_t)(lf - text_of(r));
		if (n > r->max)
			return skip_line(r, err);
		if (lf != NULL)
			break;
		rc = more(r, err);
	}
	if (rc < 0)
		return -1;
	if (lf != NULL || left(r) > 0)
		give(r, text_of(r), n, lf == NULL, NULL);
	pass(r, lf == NULL ? n : n + 1);
	return 0;
}

/*
 * JSON.
 */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A value under way: its bytes so far, and where in it that is. */
struct scan {
	size_t n;
	size_t depth;
	bool string;
	bool escape;
	bool broken_line; /* an LF since last */
	char last; /* character that is no white space, outside strings */
};

enum scan_end { SCAN_MORE, SCAN_WHOLE, SCAN_NOT };

/* Whether a line may end between two characters.  A line that was cut, and the
 * next one, are not one value. */
static bool
may_break(char before, char behind)
{
	return strchr("{[,:", before) != NULL || strchr("]},:", behind) != NULL;
}

/* One character outside strings. */
static enum scan_end
scan_character(struct scan *s, char c)
{
	if (c == '\n')
		s->broken_line = true;
	if (is_space(c))
		return SCAN_MORE;
	if (c == '\0' || (s->broken_line && !may_break(s->last, c)))
		return SCAN_NOT;
	s->broken_line = false;
	s->last = c;
	s->string = c == '"';
	if (c == '{' || c == '[')
		s->depth++;
	else if (c == '}' || c == ']')
		s->depth--;
	return s->depth == 0 && !s->string ? SCAN_WHOLE : SCAN_MORE;
}

/* Go on to the end of the value, which begins with a bracket or a quote. */
static enum scan_end
scan(struct scan *s, const char *data, size_t len)
{
	enum scan_end end = SCAN_MORE;

	while (end == SCAN_MORE && s->n < len) {
		char c = data[s->n++];

		if (!s->string) {
			end = scan_character(s, c);
		} else if (s->escape) {
			s->escape = false;
		} else if (c == '"') {
			s->string = false;
			end = s->depth == 0 ? SCAN_WHOLE : SCAN_MORE;
		} else if (c == '\n') {
			end = SCAN_NOT;
		} else {
			s->escape = c == '\\';
		}
	}
	return end;
}

/* Whether a value that may be an element begins at s. */
static bool
begins_value(const char *s, const char *end)
{
	while (s < end && is_space(*s))
		s++;
	return s < end && (*s == '{' || *s == '[' || *s == '"');
}

/* Where, in the object that begins at s, its first array has its first element;
 * 0: there is none yet. */
static size_t
find_array(const char *s, size_t len)
{
	struct scan at = { .n = 0 };

	while (scan(&at, s, at.n + 1) == SCAN_MORE && at.n < len)
		if (s[at.n - 1] == '[' && !at.string &&
		    begins_value(s + at.n, s + len))
			return at.n;
	return 0;
}

/* The object at s is long: is it a container of what we look for? */
static bool
is_answer(const char *s, size_t len, size_t *array)
{
	struct scan element = { .n = 0 };
	size_t at = *array = find_array(s, len);

	while (at > 0 && at < len && is_space(s[at]))
		at++;
	return *array > 0 && at < len &&
	    scan(&element, s + at, len - at) == SCAN_WHOLE &&
	    export_holds(s + at, element.n, true);
}

/* The value at r->at is one record, unless it turns out to be none, or a long
 * container.  1 taken, 0 not, -1. */
static int
take_value(struct reader *r, struct err *err)
{
	enum scan_end end = SCAN_MORE;
	struct scan s = { .n = 0 };
	size_t look = ANSWER_MIN, array = 0;
	int rc = 1;

	while (rc == 1) {
		end = scan(&s, text_of(r), left(r));
		if (end != SCAN_MORE)
			break;
		if (s.n > look || s.n > r->max) {
			look *= 2;
			if (is_answer(text_of(r), s.n, &array) ||
			    (s.n > r->max && array > 0)) {
				pass(r, array);
				r->array = true;
				return 1;
			}
		}
		if (s.n > r->max)
			return 0;
		rc = more(r, err);
	}
	if (rc < 0)
		return -1;
	if (end != SCAN_WHOLE)
		return 0;
	give(r, text_of(r), s.n, false, NULL);
	pass(r, s.n);
	return 1;
}

/* Pass over white space and what else is in among; -1: it cannot be read. */
static int
skip(struct reader *r, const char *among, struct err *err)
{
	int rc = 1;

	while (rc == 1) {
		size_t n = 0;

		while (n < left(r) && text_of(r)[n] != '\0' &&
		    strchr(among, text_of(r)[n]) != NULL)
			n++;
		pass(r, n);
		if (left(r) > 0)
			return 0;
		rc = more(r, err);
	}
	return rc;
}

/* The next element of an array, or its end. */
static int
take_element(struct reader *r, struct err *err)
{
	int rc = skip(r, " \t\r\n,", err);

	if (rc < 0 || left(r) == 0)
		return rc;
	if (begins_value(text_of(r), text_of(r) + 1)) {
		rc = take_value(r, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	} else if (*text_of(r) == ']') {
		pass(r, 1);
		r->array = false;
		return 0;
	}
	r->array = false;
	return take_line(r, err);
}

/* What begins with a bracket at the begin of a line. */
static int
take_json(struct reader *r, struct err *err)
{
	int rc;

	while (left(r) < sizeof(OWN_LINE)) {
		rc = more(r, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
	}
	if (*text_of(r) == '[') {
		/* "[sealfeed@…" is none. */
		if (!begins_value(text_of(r) + 1, text_of(r) + left(r)))
			return take_line(r, err);
		pass(r, 1);
		r->array = true;
		return 0;
	}
	if (left(r) >= strlen(OWN_LINE) &&
	    memcmp(text_of(r), OWN_LINE, strlen(OWN_LINE)) == 0)
		return take_line(r, err);
	rc = take_value(r, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return take_line(r, err);
	/* The rest of the line, which has nothing more as a rule. */
	return r->array ? 0 : skip(r, " \t\r,", err) < 0 ? -1 : 0;
}

/*
 * Tables.
 */

/* Have a whole line, unless it is longer than a header; its length with the LF,
 * 0: there is none, -1. */
static ssize_t
first_line(struct reader *r, struct err *err)
{
	const char *lf = memchr(text_of(r), '\n', left(r));
	int rc = 1;

	while (rc == 1 && lf == NULL && left(r) <= HEADER_MAX) {
		rc = more(r, err);
		lf = memchr(text_of(r), '\n', left(r));
	}
	if (rc < 0)
		return -1;
	return lf == NULL ? 0 : (ssize_t)(lf - text_of(r)) + 1;
}

/* What may stand before a header: "sep=;" for a spreadsheet, a remark, or
 * nothing. */
static bool
is_preamble(struct slice line)
{
	while (line.len > 0 && is_space(line.data[line.len - 1]))
		line.len--;
	return line.len == 0 || line.data[0] == '#' ||
	    (line.len == 5 && strncasecmp(line.data, "sep=", 4) == 0);
}

/* The cells of the row at t are names from now on; empty: of no header. */
static void
take_names(struct reader *r, bool empty)
{
	struct rows *t = &r->rows;

	r->names = t->text;
	r->n_names = empty ? READER_COLUMNS : t->n;
	r->name = xcalloc(r->n_names, sizeof(*r->name));
	for (size_t i = 0; i < r->n_names; i++)
		r->name[i] = empty ? (struct slice){ .data = "", .len = 0 }
				   : rows_cell(t, i);
	t->text = (struct buf)BUF_INIT(r->max);
}

/* A table without a header: a cell of its first row is a line of ours, or holds
 * one, when the quotes are taken off. */
static bool
begin_headless(struct reader *r, size_t len)
{
	static const char delimiters[] = ",\t;|";
	struct rows *t = &r->rows;
	bool holds = false;

	if (strchr("{[<", *text_of(r)) != NULL ||
	    export_holds(text_of(r), len - 1, false))
		return false;
	for (size_t i = 0; delimiters[i] != '\0' && !holds; i++) {
		size_t n;

		rows_init(t, delimiters[i], r->max);
		n = rows_row(t, text_of(r), len, true, READER_COLUMNS);
		for (size_t k = 0; n == len && k < t->n && !holds; k++) {
			const struct slice cell = rows_cell(t, k);

			holds = t->n > 1 &&
			    export_holds(cell.data, cell.len, false);
		}
		if (!holds)
			rows_release(t);
	}
	if (holds)
		take_names(r, true);
	return holds;
}

/* The first line: a header, perhaps. */
static int
begin(struct reader *r, struct err *err)
{
	ssize_t len = first_line(r, err);
	struct rows *t = &r->rows;
	size_t n;

	while (len > 0 &&
	    is_preamble((struct slice){ text_of(r), (size_t)len })) {
		give(r, text_of(r), (size_t)len - 1, false, NULL);
		pass(r, (size_t)len);
		len = first_line(r, err);
	}
	r->begun = true;
	if (len <= 0)
		return (int)len;
	rows_init(t, rows_delimiter(text_of(r), (size_t)len - 1), r->max);
	if (t->delimiter == '\0') {
		(void)begin_headless(r, (size_t)len);
		return 0;
	}
	n = rows_row(t, text_of(r), (size_t)len, true, READER_COLUMNS);
	if (n == 0 || n == SIZE_MAX) {
		t->delimiter = '\0';
		return 0;
	}
	take_names(r, false);
	give(r, text_of(r), n - 1, false, NULL);
	pass(r, n);
	return 0;
}

static int
take_row(struct reader *r, struct err *err)
{
	struct slice cell[READER_COLUMNS];
	struct reader_row row = { .name = r->name, .cell = cell };
	size_t n = 0, tried = 0;
	int rc = 1;

	/* A long row is tried again when there is twice as much of it. */
	while (n == 0 && left(r) <= 2 * r->max) {
		if (rc == 0 || left(r) >= 2 * tried) {
			tried = left(r);
			n = rows_row(&r->rows, text_of(r), tried, rc == 0,
			    r->n_names);
		}
		if (n == 0)
			rc = more(r, err);
		if (rc < 0)
			return -1;
	}
	if (n == 0 || n == SIZE_MAX)
		return take_line(r, err);
	for (row.n = 0; row.n < r->rows.n; row.n++)
		cell[row.n] = rows_cell(&r->rows, row.n);
	give(r, text_of(r), n - (text_of(r)[n - 1] == '\n'), false, &row);
	pass(r, n);
	return 0;
}

/* The next record, or a step towards it: 1, 0 there is none, -1. */
static int
next(struct reader *r, struct err *err)
{
	int rc;

	if (left(r) == 0) {
		rc = more(r, err);
		if (rc != 1)
			return rc;
		if (left(r) == 0)
			return 1;
	}
	if (!r->begun)
		rc = begin(r, err);
	else if (r->rows.delimiter != '\0')
		rc = take_row(r, err);
	else if (*text_of(r) == RECORD) {
		pass(r, 1);
		rc = 0;
	} else if (r->array)
		rc = take_element(r, err);
	else if (*text_of(r) == '{' || *text_of(r) == '[')
		rc = take_json(r, err);
	else
		rc = take_line(r, err);
	return rc < 0 ? -1 : 1;
}

int
reader_lines(const char *path, reader_fn *fn, void *ctx, struct err *err)
{
	return reader_lines_upto(path, READER_LINE_MAX, fn, ctx, err);
}

int
reader_lines_upto(const char *path, size_t max, reader_fn *fn, void *ctx,
    struct err *err)
{
	struct reader r = {
		.path = strcmp(path, "-") == 0 ? "standard input" : path,
		.source = source_open(path, err),
		.held = BUF_INIT(2 * max + ((size_t)4 << 20)),
		.number = 1,
		.max = max,
		.fn = fn,
		.ctx = ctx,
	};
	int rc = 1;

	if (r.source == NULL)
		return -1;
	while (rc == 1)
		rc = next(&r, err);
	source_close(r.source);
	buf_release(&r.held);
	buf_release(&r.names);
	rows_release(&r.rows);
	free(r.name);
	return rc;
}
