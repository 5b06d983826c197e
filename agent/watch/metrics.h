/*
 * metrics.h - what the store knows, in the Prometheus text format 0.0.4.
 *
 * Base units, counters end in _total, every family with HELP and TYPE; labels
 * feed and output only.  A row of a table in metrics.c is a family.
 */
#ifndef WATCH_METRICS_H
#define WATCH_METRICS_H

struct buf;
struct err;
struct role;
struct store;

/* Append all families to out. */
int metrics_write(struct store *s, const struct role *r, struct buf *out,
    struct err *err);

/* Whether the agent does its work: 0; -1 and err names what is missing.  The
 * proof is the heartbeat of its own feed, which collect commits and seal
 * signs every minute; a source or an output in trouble is not the agent's
 * own illness and shows in the metrics. */
int metrics_ready(struct store *s, const struct role *r, struct err *err);

#endif /* WATCH_METRICS_H */
