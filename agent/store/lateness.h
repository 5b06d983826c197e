/*
 * lateness.h - how late a vendor shows its events: the time between an event's
 * own and the moment when it was first seen, counted in the feed's counters
 * from FEED_LATE_10S on.
 */
#ifndef STORE_LATENESS_H
#define STORE_LATENESS_H

#include <stdint.h>

#include "store/counters.h"

#define LATE_BUCKETS (FEED_LATE_30D - FEED_LATE_10S + 1)

/* Where a bucket ends, in microseconds, its end in it.  The last has what came
 * later than all other ends, a month or more. */
int64_t lateness_end(unsigned bucket);

/* The bucket of a lateness in microseconds, below LATE_BUCKETS. */
unsigned lateness_bucket(int64_t late);

/* Of the counters of a feed: that part of the events (0.5: half, 1: all) came
 * within so many microseconds, the end of a bucket; -1: none was measured. */
int64_t lateness_within(const uint64_t count[FEED_COUNTERS], double part);

#endif /* STORE_LATENESS_H */
