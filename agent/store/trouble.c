/*
 * trouble.c - what stands still or waits, and why.
 */
#include "store/trouble.h"

#include <string.h>

#include "base/err.h"
#include "store/db.h"

int
trouble_set(struct store *s, const struct trouble *t, struct err *err)
{
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"INSERT INTO trouble (subject, class, code, text, since, until,"
		" stands) VALUES (?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET text = excluded.text,"
		" until = excluded.until, stands = excluded.stands",
		"ttttimi", t->subject, t->class, t->code, t->text, t->since,
		t->until, (int64_t)t->stands),
	    err);
}

int
trouble_end(struct store *s, const struct trouble *t, struct err *err)
{
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"DELETE FROM trouble WHERE subject = ? AND class = ?"
		" AND code = ?",
		"ttt", t->subject, t->class, t->code),
	    err);
}

int
trouble_forget(struct store *s, const char *subject, struct err *err)
{
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err, "DELETE FROM trouble WHERE subject = ?", "t",
		subject),
	    err);
}

static int
compare(const struct trouble *a, const struct trouble *b)
{
	int order = strcmp(a->subject, b->subject);

	if (order == 0)
		order = strcmp(a->class, b->class);
	return order != 0 ? order : strcmp(a->code, b->code);
}

int
trouble_next(struct store *s, struct trouble *t, struct err *err)
{
	const struct trouble before = *t;
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT subject, class, code, text, since, until, stands FROM "
	    "trouble"
	    " WHERE (subject, class, code) > (?, ?, ?)"
	    " ORDER BY subject, class, code LIMIT 1",
	    "ttt", t->subject, t->class, t->code);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		db_text(st, 0, t->subject, sizeof(t->subject));
		db_text(st, 1, t->class, sizeof(t->class));
		db_text(st, 2, t->code, sizeof(t->code));
		db_text(st, 3, t->text, sizeof(t->text));
		t->since = db_time(st, 4);
		t->until = db_time(st, 5);
		t->stands = sqlite3_column_int(st, 6) != 0;
		db_done(st);
		rc = db_goes_on("trouble", compare(t, &before), err);
	}
	db_unlock(s);
	return rc;
}
