/*
 * counters.c - what is counted of a feed and of an output.
 */
#include "store/counters.h"

#define ROW(id, column, key, metric, help) [id] = { column, key, metric, help },

const struct counter feed_counters[FEED_COUNTERS] = { FEED_COUNTER_ROWS(ROW) };
const struct counter output_counters[OUTPUT_COUNTERS] = {
	OUTPUT_COUNTER_ROWS(ROW)
};
