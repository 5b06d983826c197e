/*
 * hours.h - how many events of a feed happened in which hour, and how far they
 * have got.
 *
 * A row stands for a feed, an hour of its events' own time, and a batch; so
 * what is sealed, or delivered somewhere, is known hour by hour from positions.
 * Rows of batches that are sealed and that every output has passed are joined.
 */
#ifndef STORE_HOURS_H
#define STORE_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/via.h"

struct err;
struct store;

/* How long rows, and what a reconciliation found, are kept. */
#define HOURS_KEPT (35 * CLOCK_DAY)

/* The begin of the hour that has when. */
int64_t hours_of(int64_t when);

struct hour_count {
	int64_t hour;
	uint64_t count;
	uint64_t versions; /* of them: another event had the id */
	uint64_t queried;  /* … a reconciliation brought them */
};

/* Of one batch.  Zeroed at first. */
struct hours {
	struct hour_count *row;
	size_t n, room;
};
void hours_release(struct hours *h);

/* An event of that time; INT64_MIN, or what nobody wrote: it has no hour. */
void hours_add(struct hours *h, int64_t when, bool version, enum via via);

/* Add what from has. */
void hours_sum(struct hours *h, const struct hours *from);

/* Within the transaction that stores the batch of the feed. */
int hours_put(struct store *s, int64_t feed, int64_t batch,
    const struct hours *h, struct err *err);

/* Are all events of the source's feeds counted so?  *whole says so. */
int hours_whole(struct store *s, const char *source, bool *whole,
    struct err *err);

/* In the caller's transaction: join rows of batches up to passed: 1 there may
 * be more, 0, -1. */
int hours_join(struct store *s, int64_t passed, struct err *err);

#endif /* STORE_HOURS_H */
