/*
 * lateness.c - how late a vendor shows its events.
 */
#include <stddef.h>

#include "base/clock.h"
#include "store/lateness.h"

static const int64_t ends[] = { 10 * CLOCK_SECOND, 30 * CLOCK_SECOND,
	CLOCK_MINUTE, 2 * CLOCK_MINUTE, 5 * CLOCK_MINUTE, 15 * CLOCK_MINUTE,
	CLOCK_HOUR, 4 * CLOCK_HOUR, CLOCK_DAY, 3 * CLOCK_DAY, 7 * CLOCK_DAY,
	30 * CLOCK_DAY };
_Static_assert(sizeof(ends) / sizeof(ends[0]) == LATE_BUCKETS,
    "a bucket has no end");

int64_t
lateness_end(unsigned bucket)
{
	return ends[bucket];
}

unsigned
lateness_bucket(int64_t late)
{
	unsigned i = 0;

	while (i + 1 < LATE_BUCKETS && late > ends[i])
		i++;
	return i;
}

int64_t
lateness_within(const uint64_t count[FEED_COUNTERS], double part)
{
	const uint64_t *late = count + FEED_LATE_10S;
	uint64_t all = 0, so_far = 0;

	for (size_t i = 0; i < LATE_BUCKETS; i++)
		all += late[i];
	for (size_t i = 0; i < LATE_BUCKETS; i++) {
		so_far += late[i];
		if (so_far > 0 && (double)so_far >= part * (double)all)
			return ends[i];
	}
	return -1;
}
