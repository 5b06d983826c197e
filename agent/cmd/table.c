/*
 * table.c - the tables that subcommands print: rows below column heads.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd_store.h"
#include "cmd/columns.h"
#include "cmd/table.h"

#define BETWEEN 2     /* blanks between columns */
#define NOTE_INDENT 4 /* blanks in front of a note */
#define CUT_MIN 9     /* what is left of a cell that is cut */
#define CUT_SHORT 12  /* … where spare columns can be left out instead */
#define CUT_FINE 40   /* … where optional ones can */
#define CELL_MAX 4096

struct row {
	char *cell[TABLE_COLUMNS];
	size_t n;
	char *note; /* NULL: none; several notes are separated by newlines */
	const char *colour; /* NULL: none */
};

struct table {
	const struct column *columns;
	size_t n;
	size_t width[TABLE_COLUMNS];
	size_t room_for_all; /* columns of a row */
	bool colours;
	bool headed;
	struct row *rows;
	size_t n_rows;
	size_t room;
};

static char *printable(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0)));

static char *
printable(const char *fmt, va_list ap)
{
	char text[CELL_MAX];
	struct buf b = BUF_INIT(4 * CELL_MAX);

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	/* text_printable() writes at most four bytes for each byte, so the text
	 * always fits. */
	if (text_printable(&b, text, strlen(text)) != 0 || b.len == 0) {
		buf_release(&b);
		return xstrdup("");
	}
	return buf_take(&b, NULL);
}

struct table *
table_new(const struct column *columns, size_t n)
{
	struct table *t = xcalloc(1, sizeof(*t));

	assert(n <= TABLE_COLUMNS);
	t->columns = columns;
	t->n = n;
	t->room_for_all = TABLE_WIDTH;
	for (size_t i = 0; i < n; i++)
		t->width[i] = columns_of(columns[i].head);
	return t;
}

static void
forget_rows(struct table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		for (size_t k = 0; k < t->rows[i].n; k++)
			free(t->rows[i].cell[k]);
		free(t->rows[i].note);
	}
	t->n_rows = 0;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	forget_rows(t);
	free(t->rows);
	free(t);
}

size_t
table_rows(const struct table *t)
{
	return t->n_rows;
}

void
table_cell(struct table *t, const char *fmt, ...)
{
	struct row *row = t->n_rows == 0 ? NULL : &t->rows[t->n_rows - 1];
	va_list ap;
	char *text;

	if (row == NULL || row->n == t->n) {
		if (t->n_rows == t->room) {
			t->room = t->room == 0 ? 16 : 2 * t->room;
			t->rows = xreallocarray(t->rows, t->room, sizeof(*row));
		}
		row = &t->rows[t->n_rows++];
		*row = (struct row){ .n = 0 };
	}
	va_start(ap, fmt);
	text = printable(fmt, ap);
	va_end(ap);
	if (columns_of(text) > t->width[row->n])
		t->width[row->n] = columns_of(text);
	row->cell[row->n++] = text;
}

void
table_note(struct table *t, const char *fmt, ...)
{
	struct row *row;
	va_list ap;
	char *text, *both;

	assert(t->n_rows > 0);
	row = &t->rows[t->n_rows - 1];
	va_start(ap, fmt);
	text = printable(fmt, ap);
	va_end(ap);
	if (row->note != NULL) {
		both = xasprintf("%s\n%s", row->note, text);
		free(row->note);
		free(text);
		text = both;
	}
	row->note = text;
}

void
table_look(struct table *t, size_t width, bool colours)
{
	t->room_for_all = width;
	t->colours = colours;
}

void
table_colour(struct table *t, const char *colour)
{
	assert(t->n_rows > 0);
	t->rows[t->n_rows - 1].colour = colour;
}

/* The columns of a row without those that are left out. */
static size_t
all_of(const struct table *t, const bool *out)
{
	size_t all = 0;

	for (size_t k = 0; k < t->n; k++)
		if (!out[k])
			all += t->width[k] + (k > 0 ? BETWEEN : 0);
	return all;
}

/* Leave out columns that may be, the last first, until the others have room
 * beside the one that is cut (t->n: none) to fine columns. */
static void
leave_out(const struct table *t, bool *out, size_t cut, size_t fine)
{
	for (size_t k = t->n; k-- > 0;) {
		const struct column *c = &t->columns[k];
		size_t all = all_of(t, out);

		if (cut < t->n && t->width[cut] > fine)
			all -= t->width[cut] - fine;
		if (all > t->room_for_all &&
		    (c->optional || (c->spare && fine == CUT_SHORT)))
			out[k] = true;
	}
}

/* The width of each column, 0 for one that is left out: the last of those that
 * may be go first, then the one that may be cut is. */
static void
lay_out(const struct table *t, size_t *width)
{
	bool out[TABLE_COLUMNS] = { false };
	size_t cut = t->n, over;

	for (size_t k = 0; k < t->n; k++)
		if (t->columns[k].cut)
			cut = k;
	/* Cutting a little is better than leaving out. */
	leave_out(t, out, cut, CUT_FINE);
	leave_out(t, out, cut, CUT_SHORT);
	for (size_t k = 0; k < t->n; k++)
		width[k] = out[k] ? 0 : t->width[k];
	if (cut == t->n || all_of(t, out) <= t->room_for_all)
		return;
	over = all_of(t, out) - t->room_for_all;
	if (width[cut] >= over + CUT_MIN)
		width[cut] -= over;
	else if (width[cut] > CUT_MIN)
		width[cut] = CUT_MIN;
}

static int
blanks(struct buf *out, size_t n)
{
	return n == 0 ? 0 : buf_addf(out, "%*s", (int)n, "");
}

/* One cell in room columns, its middle cut out where it has more.  What is cut
 * may end a column short, in front of a wide character. */
static int
add_cut(struct buf *out, const char *s, size_t room)
{
	size_t has = columns_of(s), front, back, tail;

	if (has <= room)
		return buf_adds(out, s);
	front = columns_fit(s, (room - 2) / 2);
	back = room - 2 - (room - 2) / 2;
	tail = columns_fit(s, has - back);
	if (columns_of(s + tail) > back) /* half a wide one */
		tail += columns_fit(s + tail, 2);
	if (buf_add(out, s, front) != 0 || buf_adds(out, "..") != 0 ||
	    buf_adds(out, s + tail) != 0)
		return -1;
	return 0;
}

static int
add_cells(const struct table *t, const size_t *width, const char *const *cell,
    const char *colour, struct buf *out)
{
	bool first = true;

	if (colour != NULL && buf_adds(out, colour) != 0)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		size_t pad;
		struct buf text = BUF_INIT(CELL_MAX * 4);
		int rc;

		if (width[i] == 0)
			continue;
		rc = add_cut(&text, cell[i], width[i]);
		pad = text.data == NULL ? 0 : columns_of(text.data);
		pad = pad < width[i] ? width[i] - pad : 0;
		if (rc == 0)
			rc = blanks(out,
			    (first ? 0 : BETWEEN) +
				(t->columns[i].right ? pad : 0));
		if (rc == 0 && text.data != NULL)
			rc = buf_adds(out, text.data);
		/* The last cell is not padded. */
		if (rc == 0 && !t->columns[i].right && i + 1 < t->n)
			rc = blanks(out, pad);
		buf_release(&text);
		if (rc != 0)
			return -1;
		first = false;
	}
	if (colour != NULL && buf_adds(out, COLOUR_OFF) != 0)
		return -1;
	return buf_add(out, "\n", 1);
}

/* Where the line that begins at s ends: at most room columns, between words
 * where there are any. */
static size_t
line_end(const char *s, size_t room)
{
	size_t max = columns_fit(s, room);
	size_t at = max;

	if (s[max] == '\0')
		return max;
	while (at > 0 && s[at] != ' ')
		at--;
	if (at == 0 && max == 0) /* no room even for one */
		return strlen(s);
	return at > 0 ? at : max;
}

static int
wrap_clean(struct buf *out, size_t width, size_t indent, const char *s)
{
	while (*s != '\0') {
		size_t n = line_end(s, width - indent);

		if (blanks(out, indent) != 0 || buf_add(out, s, n) != 0 ||
		    buf_add(out, "\n", 1) != 0)
			return -1;
		s += n;
		s += strspn(s, " ");
	}
	return 0;
}

int
table_wrap_in(struct buf *out, size_t width, size_t indent, const char *text)
{
	struct buf clean = BUF_INIT(out->ceiling);
	int rc = text_printable(&clean, text, strlen(text));

	if (rc == 0 && clean.len > 0)
		rc = wrap_clean(out, width, indent, clean.data);
	buf_release(&clean);
	return rc;
}

int
table_wrap(struct buf *out, size_t indent, const char *text)
{
	return table_wrap_in(out, TABLE_WIDTH, indent, text);
}

static int
add_note(const struct table *t, char *note, struct buf *out)
{
	char *save = NULL;

	for (char *s = strtok_r(note, "\n", &save); s != NULL;
	     s = strtok_r(NULL, "\n", &save))
		if (wrap_clean(out, t->room_for_all, NOTE_INDENT, s) != 0)
			return -1;
	return 0;
}

int
table_print(struct table *t, struct buf *out)
{
	const char *cell[TABLE_COLUMNS];
	size_t width[TABLE_COLUMNS];

	lay_out(t, width);
	for (size_t i = 0; i < t->n; i++)
		cell[i] = t->columns[i].head;
	if (!t->headed &&
	    add_cells(t, width, cell, t->colours ? COLOUR_HEAD : NULL, out) !=
		0)
		return -1;
	t->headed = true;
	for (size_t k = 0; k < t->n_rows; k++) {
		struct row *row = &t->rows[k];

		for (size_t i = 0; i < t->n; i++)
			cell[i] = i < row->n ? row->cell[i] : "";
		if (add_cells(t, width, cell, t->colours ? row->colour : NULL,
			out) != 0 ||
		    (row->note != NULL && add_note(t, row->note, out) != 0))
			return -1;
	}
	forget_rows(t);
	return 0;
}

/* Rows that are aligned together; their text is far below the ceiling. */
#define ROWS 256
#define PIECE_MAX (16 * 1024 * 1024)

void
listing_open(struct listing *l, bool as_json, const struct column *columns,
    size_t n)
{
	*l = (struct listing){ .as_json = as_json };
	buf_init(&l->out, PIECE_MAX);
	l->table = table_new(columns, n);
	l->json = (struct json_put)JSON_PUT_INIT(&l->out);
	if (as_json)
		json_put_open(&l->json, NULL, '[');
}

static int
flush(struct listing *l, struct err *err)
{
	int rc = l->json.rc;

	if (rc == 0 && !l->as_json && table_rows(l->table) > 0)
		rc = table_print(l->table, &l->out);
	if (rc != 0)
		return err_set(err, "%d rows are larger than %d bytes", ROWS,
		    PIECE_MAX);
	return cmd_print(&l->out, err);
}

int
listing_next(struct listing *l, struct err *err)
{
	return ++l->rows % ROWS == 0 ? flush(l, err) : 0;
}

/* Write the end of the list, after the rows. */
static int
finish(struct listing *l, const char *none, struct err *err)
{
	int rc = 0;

	if (l->as_json) {
		json_put_close(&l->json, ']');
		rc = buf_adds(&l->out, "\n");
	} else if (l->rows == 0) {
		rc = buf_addf(&l->out, "%s\n", none);
	}
	if (rc != 0)
		return err_set(err, "the list is larger than %d bytes",
		    PIECE_MAX);
	return flush(l, err);
}

int
listing_close(struct listing *l, int rc, const char *none, struct err *err)
{
	if (rc == 0)
		rc = finish(l, none, err);
	else if (l->as_json && l->rows >= ROWS)
		(void)puts("]"); /* what was written stays readable */
	table_free(l->table);
	buf_release(&l->out);
	return rc;
}
