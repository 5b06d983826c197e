/*
 * history.h - the last quarter of an hour of each feed, for the lines on the
 * status page.
 *
 * In the memory of watch, and gone with it: HISTORY_SAMPLES of HISTORY_EVERY
 * for each feed, 720 bytes, and of at most HISTORY_FEEDS.
 */
#ifndef WATCH_HISTORY_H
#define WATCH_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct status;

#define HISTORY_SAMPLES 90
#define HISTORY_EVERY (10 * CLOCK_SECOND)
#define HISTORY_FEEDS 4000

enum history_line { HISTORY_LAG, HISTORY_RATE, HISTORY_LINES };

struct history *history_new(void);
void history_free(struct history *h);

/* Take a sample; feeds that are no longer there are forgotten. */
void history_add(struct history *h, const struct status *st);

/* The samples of a feed, the oldest first: seconds, events a second; returns
 * how many there are.  One that is not known is -1. */
size_t history_read(const struct history *h, int64_t feed,
    enum history_line line, float out[HISTORY_SAMPLES]);

#endif /* WATCH_HISTORY_H */
