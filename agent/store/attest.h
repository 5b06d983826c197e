/*
 * attest.h - what a vendor's own account of a span of time says of what was
 * read of it: a digest of CloudTrail, the total of a window.
 *
 * A vendor may keep several accounts of a feed side by side, one for each
 * region for instance.  Each is a chain: an hour is known once all chains that
 * began before its end have accounted for all of it.  Spans of a chain that
 * follow one another, or overlap, are one row.
 */
#ifndef STORE_ATTEST_H
#define STORE_ATTEST_H

#include <stddef.h>
#include <stdint.h>

#include "store/hours.h"

struct err;
struct store;

#define ATTEST_CHAIN 256 /* most bytes of its name, with the NUL */

/* Times are microseconds, from is before to. */
struct attested {
	const char *chain; /* not empty; a longer name is cut */
	int64_t from;      /* half-open */
	int64_t to;
	const char *error; /* why it does not confirm the span; NULL: it does */
	/* Events that it confirms, by the hour of their own time. */
	const struct hour_count *hours;
	size_t n_hours;
};

/* Note it for the feed, within the transaction that commits what it is about
 * (write_batch_attest()).  Of the time before events were counted by hour, and
 * of a span that is not one, it confirms nothing. */
int attest_put(struct store *s, const char *feed, const struct attested *a,
    struct err *err);

/* The chain that has accounted for least of an hour of the feed, of those that
 * lack some of it: 1; 0: none does; -1. */
int attest_lacks(struct store *s, const char *feed, int64_t hour,
    char chain[ATTEST_CHAIN], struct err *err);

#endif /* STORE_ATTEST_H */
