/*
 * attest.c - what a vendor's own account of a span of time says of what was
 * read of it.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/attest.h"
#include "store/db.h"
#include "store/reconcile.h"

/* Spans of the feed ?1 and its chain ?2 that touch ?3 to ?4, and ended so. */
#define TOUCHING                                                      \
	"FROM span WHERE subject = ?1 AND chain = ?2 AND since <= ?4" \
	" AND until >= ?3 AND how = ?6 AND error = ?7"

/* One row in the place of those that it touches, with the id of the first of
 * them.  What does not confirm is told by the agent's own feed, too, once for
 * all of them. */
static int
put(struct store *s, const char *feed, const struct attested *a,
    const char *error, struct err *err)
{
	const char *how = *error == '\0' ? "complete" : "unconfirmed";
	const int64_t now = clock_now();
	int64_t before;

	if (db_number(s, err, 0, &before, "SELECT count(*) " TOUCHING,
		"ttiiitt", feed, a->chain, a->from, a->to, now, how,
		error) != 0 ||
	    db_run(s, err,
		"REPLACE INTO span (id, subject, chain, since, until, ended,"
		" how, error) SELECT min(id), ?1, ?2,"
		" min(?3, coalesce(min(since), ?3)),"
		" max(?4, coalesce(max(until), ?4)), ?5, ?6, ?7 " TOUCHING,
		"ttiiitt", feed, a->chain, a->from, a->to, now, how,
		error) != 0 ||
	    db_run(s, err, "DELETE " TOUCHING " AND id <> ?5", "ttiiitt", feed,
		a->chain, a->from, a->to,
		(int64_t)sqlite3_last_insert_rowid(s->db), how, error) != 0)
		return -1;
	return *error == '\0' || before > 0 ? 0 : span_tell(s, feed, err);
}

int
attest_put(struct store *s, const char *feed, const struct attested *a,
    struct err *err)
{
	const char *error = a->error != NULL ? a->error : "";
	char chain[ATTEST_CHAIN];
	struct attested part = *a;
	int64_t begun;
	int rc = 0;

	(void)snprintf(chain, sizeof(chain), "%s", a->chain);
	part.chain = chain;
	if (a->from < 0 || a->from >= a->to || a->to > INT64_MAX / 4)
		return 0;
	/* Events that were stored before can't be told from those that it
	 * names. */
	if (db_number(s, err, INT64_MAX, &begun,
		"SELECT max(coalesce(counted, 1 << 62)) FROM feed"
		" WHERE name = ?",
		"t", feed) != 0)
		return -1;
	if (*error == '\0' && a->to <= begun)
		error = "events of then were stored before they were counted "
			"by hour";
	else if (*error == '\0' && a->from < begun)
		part.from = begun;
	if (put(s, feed, &part, error, err) != 0)
		return -1;
	for (size_t i = 0; i < a->n_hours && *error == '\0' && rc == 0; i++) {
		const struct span_hour h = { .feed = feed,
			.hour = a->hours[i].hour,
			.confirmed = a->hours[i].count };

		rc = hour_confirm(s, &h, err);
	}
	return rc;
}

int
attest_lacks(struct store *s, const char *feed, int64_t hour,
    char chain[ATTEST_CHAIN], struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT chain FROM span WHERE subject = ?1 AND chain <> ''"
	    " AND since < ?2 + 3600000000 GROUP BY chain"
	    " HAVING " SPAN_ANSWERED " < 3600000000"
	    " ORDER BY " SPAN_ANSWERED ", chain LIMIT 1",
	    "ti", feed, hour);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		db_text(st, 0, chain, ATTEST_CHAIN);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}
