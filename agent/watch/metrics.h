/*
 * metrics.h - what the store knows, in the Prometheus text format 0.0.4.
 *
 * Base units, counters end in _total, every family with HELP and TYPE; labels
 * feed and output, subject, class and code of a trouble, role, option.  A row
 * of a table in metrics.c is a family.
 */
#ifndef WATCH_METRICS_H
#define WATCH_METRICS_H

struct buf;
struct err;
struct role;
struct store;

/* Largest text that is written. */
#define METRICS_MAX (8 << 20)

/* Append all families to out. */
int metrics_write(struct store *s, const struct role *r, struct buf *out,
    struct err *err);

#endif /* WATCH_METRICS_H */
