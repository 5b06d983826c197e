/*
 * decode.c - replies that are no JSON arrays of events.
 */
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "sources/rest/decode.h"
#include "sources/rest/pick.h"

#define EVENT_MAX ((size_t)16 * 1024 * 1024)
#define COLUMNS_MAX 1024

struct decoding {
	const struct decode *d;
	decode_fn *fn;
	void *ctx;
	struct err *err;
	int rc;
	const char *bad; /* what is wrong with the row at hand; NULL: nothing */
	bool cut;        /* it is not complete where the reply ends */
	struct buf event;
	struct buf names; /* of columns, each as a JSON string, NUL behind it */
	size_t at[COLUMNS_MAX]; /* where each begins */
	size_t n_names;
	size_t n; /* values of the row at hand */
};

/* Pass on a row that is no event, as it came. */
static int
give_bad(struct decoding *g, struct slice row, const char *bad)
{
	g->rc = g->fn(g->ctx, row, bad, g->err) == 0 ? 0 : -1;
	return g->rc;
}

/* Pass on an event; last: where it is none, the reply may end too early. */
static int
give(struct decoding *g, struct slice event, bool last)
{
	const int rc = g->fn(g->ctx, event, NULL, g->err);
	struct err why;

	g->rc = rc == 0 ? 0 : -1;
	g->cut = rc > 0 && last && !g->d->settled;
	if (rc <= 0 || g->cut)
		return g->rc;
	why = *g->err;
	err_clear(g->err);
	return give_bad(g, event, why.text);
}

static const char longer[] = "it is longer than 16 MiB";

/* -- lines ----------------------------------------------------------------- */

/* The next line that has anything in it; false: there is none. */
static bool
next_line(const char **at, const char *end, struct slice *line)
{
	while (*at < end) {
		const char *nl = memchr(*at, '\n', (size_t)(end - *at));
		const char *stop = nl != NULL ? nl : end;

		*line = (struct slice){ *at, (size_t)(stop - *at) };
		*at = nl != NULL ? nl + 1 : end;
		while (line->len > 0 &&
		    strchr(" \t\r", line->data[line->len - 1]) != NULL)
			line->len--;
		if (line->len > 0)
			return true;
	}
	return false;
}

/* Does any line look like an event?  Else it is another document. */
static bool
has_events(struct slice body)
{
	const char *at = body.data, *end = at + body.len;
	struct slice line;
	size_t n = 0;

	for (; next_line(&at, end, &line); n++) {
		const size_t bom =
		    line.len >= 3 && memcmp(line.data, "\xef\xbb\xbf", 3) == 0
		    ? 3
		    : 0;

		if (pick_whole((struct slice){
			line.data + bom, line.len - bom }))
			return true;
	}
	return n == 0;
}

static int
decode_lines(struct decoding *g, struct slice body)
{
	const char *at = body.data, *end = at + body.len;
	struct slice line;

	if (!has_events(body))
		return err_set(g->err, "no line of the reply is a JSON object");
	while (g->rc == 0 && next_line(&at, end, &line))
		(void)give(g, line, at == end && end[-1] != '\n');
	return g->rc;
}

/* -- rows with names ------------------------------------------------------- */

/* A column of this name. */
static int
add_name(struct decoding *g, struct slice name)
{
	if (g->n_names == COLUMNS_MAX)
		return err_set(g->err, "the reply has more than %d columns",
		    COLUMNS_MAX);
	g->at[g->n_names++] = g->names.len;
	if (text_json_string(&g->names, name.data != NULL ? name.data : "",
		name.len) != 0 ||
	    buf_add(&g->names, "", 1) != 0)
		return err_set(g->err, "the names of columns are too long");
	return 0;
}

/* The next value of the row at hand is this JSON text. */
static int
add_value(struct decoding *g, struct slice value)
{
	if (g->n_names == 0) {
		g->rc = err_set(g->err,
		    "the reply has rows, and no names of columns");
		return -1;
	}
	if (g->bad == NULL && g->n >= g->n_names)
		g->bad = "it has more values than there are columns";
	if (g->bad != NULL)
		return 0;
	if (buf_adds(&g->event, g->n == 0 ? "{" : ",") != 0 ||
	    buf_adds(&g->event, g->names.data + g->at[g->n]) != 0 ||
	    buf_adds(&g->event, ":") != 0 ||
	    buf_add(&g->event, value.data, value.len) != 0)
		g->bad = longer;
	g->n++;
	return 0;
}

/* The row, which came as raw, is complete. */
static int
end_row(struct decoding *g, struct slice raw)
{
	if (g->bad == NULL && buf_adds(&g->event, g->n == 0 ? "{}" : "}") != 0)
		g->bad = longer;
	if (g->bad != NULL)
		(void)give_bad(g, raw, g->bad);
	else
		(void)give(g, (struct slice){ g->event.data, g->event.len },
		    false);
	buf_clear(&g->event);
	g->n = 0;
	g->bad = NULL;
	return g->rc;
}

/* -- CSV ------------------------------------------------------------------- */

/* The line breaks behind them may be in the field, or not: where the next row
 * begins nobody can say. */
static const char unclosed[] =
    "its quotes are not closed before the end of the CSV";

/* Is this behind a field?  A NUL is of one. */
static bool
ends_field(char c)
{
	return c == ',' || c == '\r' || c == '\n';
}

/* One field into out, which is emptied before, as far as it fits; at is behind
 * it then.  What is wrong with it, or NULL. */
static const char *
read_field(const char **at, const char *end, struct buf *out)
{
	const char *s = *at;
	const bool quoted = s < end && *s == '"';
	const char *bad = NULL;

	buf_clear(out);
	if (quoted)
		s++;
	for (; s < end; s++) {
		if (quoted && *s == '"') {
			if (s + 1 == end || s[1] != '"')
				break;
			s++;
		} else if (!quoted && ends_field(*s)) {
			break;
		}
		if (bad == NULL && buf_add(out, s, 1) != 0)
			bad = longer;
	}
	if (quoted && s == end)
		bad = unclosed;
	*at = s + (quoted && s < end);
	return bad;
}

/* Behind a field: to the next one of the row, true, or behind the row. */
static bool
next_field(const char **at, const char *end)
{
	if (*at < end && **at == ',') {
		++*at;
		return true;
	}
	if (*at < end && **at == '\r')
		++*at;
	if (*at < end && **at == '\n')
		++*at;
	return false;
}

/* The JSON text of a value. */
static void
take_cell(struct decoding *g, const struct buf *field, struct buf *quoted)
{
	buf_clear(quoted);
	if (text_json_string(quoted, field->data != NULL ? field->data : "",
		field->len) != 0)
		g->bad = longer;
	else
		(void)add_value(g, (struct slice){ quoted->data, quoted->len });
}

/* One field of a row: the name of a column, or a value.  false: the row ends
 * behind it. */
static bool
take_field(struct decoding *g, const char **at, const char *end, bool name,
    struct buf *field, struct buf *quoted)
{
	const char *bad = read_field(at, end, field);

	if (bad != NULL)
		g->bad = bad;
	if (*at < end && !ends_field(**at)) {
		g->bad = "it has text behind a closing quote";
		while (*at < end && **at != '\r' && **at != '\n')
			++*at;
	} else if (g->bad == NULL && name) {
		g->rc = add_name(g, (struct slice){ field->data, field->len });
	} else if (g->bad == NULL) {
		take_cell(g, field, quoted);
	}
	return next_field(at, end);
}

/* Does the reply end within the row?  One that was cut off may come whole. */
static bool
is_cut(const struct decoding *g, const char *end)
{
	return g->bad == unclosed ||
	    (end[-1] != '\n' && end[-1] != '\r' &&
		(g->n < g->n_names || g->bad != NULL));
}

/* The next row: its names in the first one, else an event. */
static int
read_row(struct decoding *g, const char **at, const char *end, bool names)
{
	struct buf field = BUF_INIT(EVENT_MAX),
		   quoted = BUF_INIT(6 * EVENT_MAX);
	const char *begin = *at;
	struct slice raw;

	while (take_field(g, at, end, names, &field, &quoted) && g->rc == 0)
		continue;
	raw = (struct slice){ begin, (size_t)(*at - begin) };
	while (raw.len > 0 && strchr("\r\n", raw.data[raw.len - 1]) != NULL)
		raw.len--;
	if (g->rc == 0 && names && g->bad != NULL)
		g->rc = err_set(g->err,
		    "the row of the CSV with the names is none: %s", g->bad);
	g->cut = g->rc == 0 && !names && *at == end && !g->d->settled &&
	    is_cut(g, end);
	if (g->cut)
		g->rc = err_set(g->err, "the CSV ends within %s",
		    g->bad == unclosed ? "quotes" : "a row");
	if (g->rc == 0 && !names && raw.len > 0)
		(void)end_row(g, raw);
	buf_release(&field);
	buf_release(&quoted);
	return g->rc;
}

/* A line without anything in it is no row. */
static void
skip_lines(const char **at, const char *end)
{
	while (*at < end && (**at == '\n' || **at == '\r'))
		++*at;
}

/* Does the row begin with the names, the first of them in quotes or not? */
static bool
begins_with(const char *at, const char *end, const char *names)
{
	const size_t len = strlen(names);

	if (at < end && *at == '"')
		at++;
	return (size_t)(end - at) >= len && memcmp(at, names, len) == 0;
}

/* To the row that begins with the names, behind lines that say what the file
 * is; NULL: there is none. */
static const char *
find_names(const char *at, const char *end, const char *names)
{
	while (at != NULL && !begins_with(at, end, names)) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at != NULL)
			at++;
	}
	return at;
}

static int
decode_csv(struct decoding *g, struct slice body)
{
	const char *at = body.data, *end = at + body.len;

	while (end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	if (g->d->names != NULL &&
	    (at = find_names(at, end, g->d->names)) == NULL)
		return err_set(g->err, "no row of the CSV begins with \"%s\"",
		    g->d->names);
	skip_lines(&at, end);
	if (at == end)
		return err_set(g->err, "the CSV has no row with the names");
	if (read_row(g, &at, end, true) != 0)
		return -1;
	for (skip_lines(&at, end); at < end && g->rc == 0; skip_lines(&at, end))
		(void)read_row(g, &at, end, false);
	return g->rc;
}

/* -- JSON documents -------------------------------------------------------- */

int
decode_string(struct slice text, struct buf *out)
{
	struct buf quoted = BUF_INIT(EVENT_MAX + 2);
	json_t *v = NULL;
	int rc = -1;

	if (buf_adds(&quoted, "\"") == 0 &&
	    buf_add(&quoted, text.data, text.len) == 0 &&
	    buf_adds(&quoted, "\"") == 0)
		v = json_loadb(quoted.data, quoted.len,
		    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (json_is_string(v))
		rc = buf_add(out, json_string_value(v), json_string_length(v));
	json_decref(v);
	buf_release(&quoted);
	return rc;
}

/* pick_fn: the name of a column */
static int
take_name(void *ctx, struct slice key, struct slice value)
{
	struct decoding *g = ctx;
	struct buf name = BUF_INIT(EVENT_MAX);
	const char *pointer = g->d->column != NULL ? g->d->column : "";
	struct slice text = pick(value, pointer);

	(void)key;
	if (text.data == NULL || decode_string(text, &name) != 0)
		g->rc = err_set(g->err, "a column of the reply has no name");
	else
		g->rc = add_name(g, (struct slice){ name.data, name.len });
	buf_release(&name);
	return g->rc;
}

/* pick_fn: a value of a row */
static int
take_value(void *ctx, struct slice key, struct slice value)
{
	(void)key;
	return add_value(ctx, value);
}

/* pick_fn: a row of values */
static int
take_values(void *ctx, struct slice key, struct slice value)
{
	struct decoding *g = ctx;

	(void)key;
	if (*value.data != '[')
		g->bad = "it is no array of values";
	else
		(void)pick_each(value, take_value, g);
	return g->rc == 0 ? end_row(g, value) : g->rc;
}

/* What the events are in: at the first of the places that is there; data NULL:
 * there are none, or g->rc says what is wrong. */
static struct slice
find_rows(struct decoding *g, struct slice body)
{
	struct slice rows = { .data = NULL };

	if (!pick_whole(body)) {
		g->rc = err_set(g->err, "the JSON of the reply does not end");
		return rows;
	}
	for (char *const *at = g->d->at; rows.data == NULL && *at != NULL; at++)
		rows = pick_raw(body, *at);
	if (rows.data == NULL && !g->d->absent_is_empty)
		g->rc =
		    err_set(g->err, "the reply has no rows at %s", *g->d->at);
	return rows;
}

static int
decode_columns(struct decoding *g, struct slice body)
{
	const struct slice rows = find_rows(g, body);
	const struct slice columns = pick_raw(body, g->d->columns);
	struct buf *kept = g->d->kept;

	if (g->rc != 0)
		return g->rc;
	if (columns.data != NULL && *columns.data == '[') {
		buf_clear(kept);
		if (buf_add(kept, columns.data, columns.len) != 0)
			return err_set(g->err,
			    "the names of columns are too long");
	}
	if (kept->len > 0)
		(void)pick_each((struct slice){ kept->data, kept->len },
		    take_name, g);
	if (g->rc == 0)
		(void)pick_each(rows, take_values, g);
	return g->rc;
}

/* pick_fn: an event under its key */
static int
take_member(void *ctx, struct slice key, struct slice value)
{
	(void)key;
	return give(ctx, value, false);
}

static int
decode_keyed(struct decoding *g, struct slice body)
{
	const struct slice all = find_rows(g, body);

	if (g->rc != 0)
		return g->rc;
	if (all.data != NULL && *all.data != '{' && *all.data != 'n')
		return err_set(g->err, "what has the events is no object");
	(void)pick_each(all, take_member, g);
	return g->rc;
}

int
decode(const struct decode *d, struct slice body, decode_fn *fn, void *ctx,
    struct err *err)
{
	static int (*const formats[RECORDS_FORMATS])(struct decoding * g,
	    struct slice body) = {
		[RECORDS_JSON] = NULL,
		[RECORDS_NDJSON] = decode_lines,
		[RECORDS_CSV] = decode_csv,
		[RECORDS_COLUMNS] = decode_columns,
		[RECORDS_KEYED] = decode_keyed,
	};
	struct decoding g = { .d = d, .fn = fn, .ctx = ctx, .err = err };
	int rc;

	if (body.data == NULL)
		body = (struct slice){ "", 0 };
	buf_init(&g.event, EVENT_MAX);
	buf_init(&g.names, EVENT_MAX);
	rc = formats[d->format](&g, body);
	buf_release(&g.event);
	buf_release(&g.names);
	return rc != 0 && g.cut ? 1 : rc;
}
