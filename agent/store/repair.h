/*
 * repair.h - rows that contradict each other, or say what cannot be.
 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct recovery;
struct store;

/* Make the store agree with itself, and say in v what that cost: events from
 * the first lost batch on are given up, so that they are fetched again, in a
 * new tree. */
int repair_all(struct store *to, struct recovery *v, struct err *err);

/* Give up the events of a feed (its id) from index at on, so that they are
 * fetched again, in a new tree if this one is in use.  In the caller's
 * transaction. */
int repair_give_up(struct store *s, int64_t feed, int64_t at, const char *cause,
    struct err *err);

/* 1: the payloads of all batches are sound; 0: that of some batch is damaged,
 * which is said in what; -1: that cannot be found out. */
int repair_payloads_good(struct store *s, char *what, size_t size,
    struct err *err);

#endif /* STORE_REPAIR_H */
