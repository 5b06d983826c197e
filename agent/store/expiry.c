/*
 * expiry.c - when certificates of the configuration end.
 */
#include "store/expiry.h"

#include <string.h>

#include "base/err.h"
#include "store/db.h"

int
expiry_set(struct store *s, const char *of, const struct expiry *list, size_t n,
    struct err *err)
{
	int rc;

	if (db_begin_relaxed(s, err) != 0)
		return -1;
	rc = db_run(s, err,
	    "DELETE FROM expiry WHERE substr(option, 1, length(?1) + 1) = ?1 "
	    "|| '.'",
	    "t", of);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = db_run(s, err,
		    "INSERT OR REPLACE INTO expiry (option, ends) VALUES "
		    "(?, ?)",
		    "ti", list[i].option, list[i].ends);
	return db_end(s, rc, err);
}

/* The row of a query that gives one: 1, 0, -1.  The caller has the lock. */
static int
take(struct store *s, sqlite3_stmt *st, struct expiry *e, struct err *err)
{
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	db_text(st, 0, e->option, sizeof(e->option));
	e->ends = db_time(st, 1);
	db_done(st);
	return 1;
}

int
expiry_next(struct store *s, int64_t before, struct expiry *e, struct err *err)
{
	const struct expiry last = *e;
	int rc;

	db_lock(s);
	rc = take(s,
	    db_query(s, err,
		"SELECT option, ends FROM expiry WHERE option > ? AND ends < ?"
		" ORDER BY option LIMIT 1",
		"ti", e->option, before),
	    e, err);
	if (rc == 1)
		rc = db_goes_on("expiry", strcmp(e->option, last.option), err);
	db_unlock(s);
	return rc;
}

int
expiry_first(struct store *s, struct expiry *e, struct err *err)
{
	int rc;

	db_lock(s);
	rc = take(s,
	    db_query(s, err,
		"SELECT option, ends FROM expiry ORDER BY ends LIMIT 1", ""),
	    e, err);
	db_unlock(s);
	return rc;
}

int
expiry_forget(struct store *s, const char *option, struct err *err)
{
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err, "DELETE FROM expiry WHERE option = ?", "t", option),
	    err);
}
