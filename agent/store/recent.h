/*
 * recent.h - how much went through lately, for rates.
 */
#ifndef STORE_RECENT_H
#define STORE_RECENT_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct feed_report;
struct output_report;
struct store;

/* Set recent of n feeds, which are in the order of their ids: the events that
 * were committed since then. */
int recent_feeds(struct store *s, int64_t since, struct feed_report *feeds,
    size_t n, struct err *err);

/* Set recent of an output: the events that it passed since then. */
int recent_output(struct store *s, int64_t since, struct output_report *o,
    struct err *err);

/* How many gaps were recorded since then and are still open. */
int recent_gaps(struct store *s, int64_t since, uint64_t *n, struct err *err);

#endif /* STORE_RECENT_H */
