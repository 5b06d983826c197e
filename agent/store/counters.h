/*
 * counters.h - what is counted of a feed and of an output.
 *
 * A row is all there is to a counter; a new one goes to the end.  Its column in
 * the store, which is added where it is missing, its key in `status --json` and
 * in the agent's own feed, and its metric follow from it.  X(ENUM, COLUMN, KEY,
 * METRIC, HELP): METRIC stands between "sealfeed_feed_" or "sealfeed_output_"
 * and "_total"; NULL: it is a part of a histogram, which metrics.c writes.
 */
#ifndef STORE_COUNTERS_H
#define STORE_COUNTERS_H

#include <stddef.h>

/* How late the vendor showed an event: in this bucket of lateness.h, not in one
 * before. */
#define LATE_ROW(X, id, name) X(id, name, name, NULL, NULL)

#define FEED_COUNTER_ROWS(X)                                                  \
	X(FEED_REQUESTS, "requests", "requests", "requests",                  \
	    "Requests to the vendor.")                                        \
	X(FEED_ERRORS, "errors", "errors", "errors", "Requests that failed.") \
	X(FEED_THROTTLED, "throttled", "throttled", "throttled",              \
	    "Requests the vendor throttled.")                                 \
	X(FEED_BYTES, "bytes", "received_bytes", "received_bytes",            \
	    "Bytes of replies received.")                                     \
	X(FEED_RETRIES, "retries", "retries", "retries",                      \
	    "Listed items whose fetch failed and is retried.")                \
	X(FEED_VERSIONS, "versions", "versions", "versions",                  \
	    "Events with the id of an earlier one and other bytes.")          \
	LATE_ROW(X, FEED_LATE_10S, "late_10s")                                \
	LATE_ROW(X, FEED_LATE_30S, "late_30s")                                \
	LATE_ROW(X, FEED_LATE_1M, "late_1m")                                  \
	LATE_ROW(X, FEED_LATE_2M, "late_2m")                                  \
	LATE_ROW(X, FEED_LATE_5M, "late_5m")                                  \
	LATE_ROW(X, FEED_LATE_15M, "late_15m")                                \
	LATE_ROW(X, FEED_LATE_1H, "late_1h")                                  \
	LATE_ROW(X, FEED_LATE_4H, "late_4h")                                  \
	LATE_ROW(X, FEED_LATE_1D, "late_1d")                                  \
	LATE_ROW(X, FEED_LATE_3D, "late_3d")                                  \
	LATE_ROW(X, FEED_LATE_7D, "late_7d")                                  \
	LATE_ROW(X, FEED_LATE_30D, "late_30d")                                \
	X(FEED_LATE_SUM, "late_sum", "late_sum_seconds", NULL, NULL)          \
	X(FEED_DIGESTS, "digests", "digests", "digests",                      \
	    "Digests of the vendor that bear out what was read.")             \
	X(FEED_DIGESTS_WRONG, "digests_wrong", "digests_wrong",               \
	    "digests_wrong",                                                  \
	    "Digests of the vendor with which something is wrong.")           \
	X(FEED_BACKFILLED, "backfilled", "backfilled", "backfilled",          \
	    "Events that a backfill brought.")                                \
	X(FEED_CONFIRMED, "confirmed", "confirmed", "confirmed",              \
	    "Events that the vendor named independently, too.")               \
	X(FEED_MISSING, "missing", "missing", "missing",                      \
	    "Events that only an independent query of the vendor had.")       \
	X(FEED_UNLISTED, "unlisted", "only_in_feed", "only_in_feed",          \
	    "Events that an independent query of their time did not have.")   \
	X(FEED_DUPLICATES, "duplicates", "duplicates", "duplicates",          \
	    "Events dropped because their id was already seen.")

#define OUTPUT_COUNTER_ROWS(X)                                                 \
	X(OUTPUT_EVENTS, "events", "delivered", "events", "Events delivered.") \
	X(OUTPUT_BYTES, "bytes", "sent_bytes", "sent_bytes",                   \
	    "Bytes sent on the wire.")                                         \
	X(OUTPUT_RETRIES, "retries", "retries", "retries",                     \
	    "Deliveries retried.")                                             \
	X(OUTPUT_REFUSED, "refused", "refused", "refused",                     \
	    "Events that became dead letters.")                                \
	X(OUTPUT_CONNECTS, "connects", "connects", "connects",                 \
	    "Connections opened.")

#define COUNTER_ENUM(id, column, key, metric, help) id,

enum feed_counter { FEED_COUNTER_ROWS(COUNTER_ENUM) FEED_COUNTERS };
enum output_counter { OUTPUT_COUNTER_ROWS(COUNTER_ENUM) OUTPUT_COUNTERS };

/* In SQL: ", requests = requests + ?, …". */
#define COUNTER_ADD(id, column, key, metric, help) \
	", " column " = " column " + ?"

/* A row, for those who go through all of them. */
struct counter {
	const char *column;
	const char *key;
	const char *metric;
	const char *help;
};

extern const struct counter feed_counters[FEED_COUNTERS];
extern const struct counter output_counters[OUTPUT_COUNTERS];

#endif /* STORE_COUNTERS_H */
