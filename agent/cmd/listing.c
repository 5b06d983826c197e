/*
 * listing.c - long lists on standard output, a piece at a time.
 */
#include "cmd/listing.h"
#include "base/err.h"
#include "cmd/cmd_store.h"

/* Rows that are aligned together; their text is far below the ceiling. */
#define ROWS 256
#define PIECE_MOST (16 * 1024 * 1024)

void
listing_open(struct listing *l, bool as_json, const struct column *columns,
    size_t n)
{
	*l = (struct listing){ .as_json = as_json };
	buf_init(&l->out, PIECE_MOST);
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
		return err_set(err, "%d rows have more than %d bytes", ROWS,
		    PIECE_MOST);
	return cmd_print(&l->out, err);
}

int
listing_next(struct listing *l, struct err *err)
{
	return ++l->rows % ROWS == 0 ? flush(l, err) : 0;
}

/* What comes behind the rows. */
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
		return err_set(err, "the list has more than %d bytes",
		    PIECE_MOST);
	return flush(l, err);
}

int
listing_close(struct listing *l, int rc, const char *none, struct err *err)
{
	if (rc == 0)
		rc = finish(l, none, err);
	table_free(l->table);
	buf_release(&l->out);
	return rc;
}
