/*
 * textfile.h - the metrics in a file, for the textfile collector of Prometheus'
 * node_exporter, on hosts where nothing else may be scraped.
 *
 * The file is replaced whole every TEXTFILE_EVERY and readable for all.  It
 * stays when the agent stops: sealfeed_metrics_timestamp_seconds in it tells
 * how old it is.
 */
#ifndef WATCH_TEXTFILE_H
#define WATCH_TEXTFILE_H

#include "base/clock.h"

#define TEXTFILE_EVERY (15 * CLOCK_SECOND)

struct err;
struct role;
struct store;

/* Replace the file at path. */
int textfile_write(const char *path, struct store *s, const struct role *r,
    struct err *err);

#endif /* WATCH_TEXTFILE_H */
