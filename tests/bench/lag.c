/*
 * lag.c - how long events took from the vendor to a confirming receiver.
 *
 *	lag STORE OUTPUT [SECONDS]
 *
 * Out of the store's own records: the time at which the vendor made an item
 * available (its contentCreated), the events that came from it, and the time
 * at which the output's position passed the batch with its last one.  The
 * position is written after the receiver's confirmation, up to 100 ms after,
 * so what is printed is a little more than the lag.  Vendor and agent must
 * share a clock.  SECONDS: leave out what was available in the first so many.
 *
 * Prints "EVENTS P50 P99 MAX", times in milliseconds.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Write batches in the order of their lag. */
static const char query[] =
    "WITH lags AS (SELECT p.count AS events, (SELECT min(d.time) FROM passed d"
    " WHERE d.output = ?1 AND d.batch >= (SELECT b.id FROM batch b"
    "  WHERE b.feed = p.feed AND b.first < p.first + p.count"
    "  ORDER BY b.first DESC LIMIT 1)) - i.created AS lag"
    " FROM piece p JOIN item i ON i.id = p.item"
    " WHERE i.created >= (SELECT min(created) FROM item) + ?2)"
    "SELECT events, lag FROM lags WHERE lag IS NOT NULL ORDER BY lag";

struct row {
	int64_t events;
	int64_t lag; /* microseconds */
};

static void
die(const char *path, const char *why)
{
	(void)fprintf(stderr, "lag: %s: %s\n", path, why);
	exit(1);
}

/* Lag of the event below which that share of all lies. */
static double
quantile(const struct row *rows, size_t n, int64_t total, double share)
{
	int64_t events = 0;
	size_t i = 0;

	for (; i + 1 < n; i++) {
		events += rows[i].events;
		if ((double)events >= share * (double)total)
			break;
	}
	return (double)rows[i].lag / 1e3;
}

int
main(int argc, char **argv)
{
	struct row *rows = NULL;
	int64_t total = 0;
	size_t n = 0;
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: lag STORE OUTPUT [SECONDS]\n");
		return 64;
	}
	if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) !=
		SQLITE_OK ||
	    sqlite3_busy_timeout(db, 10000) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_bind_text(st, 1, argv[2], -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int64(st, 2,
		argc > 3 ? strtoll(argv[3], NULL, 10) * 1000000 : 0) !=
		SQLITE_OK)
		die(argv[1], sqlite3_errmsg(db));
	while (sqlite3_step(st) == SQLITE_ROW) {
		rows = reallocarray(rows, n + 1, sizeof(*rows));
		if (rows == NULL)
			die(argv[1], "out of memory");
		rows[n].events = sqlite3_column_int64(st, 0);
		rows[n].lag = sqlite3_column_int64(st, 1);
		total += rows[n++].events;
	}
	if (sqlite3_finalize(st) != SQLITE_OK)
		die(argv[1], sqlite3_errmsg(db));
	(void)sqlite3_close(db);
	if (n == 0)
		die(argv[1], "nothing was delivered");
	(void)printf("%lld %.0f %.0f %.0f\n", (long long)total,
	    quantile(rows, n, total, 0.5), quantile(rows, n, total, 0.99),
	    (double)rows[n - 1].lag / 1e3);
	free(rows);
	return 0;
}
