/*
 * watch.h - the role that answers scrapers and browsers: /metrics, /healthz,
 * /readyz, the status page, and a file with the metrics.  It tells the
 * supervisor how the whole agent does, holds no secret and only reads the
 * store.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

struct role;

/* Listen, as the configuration says, before run: 0, or -1 and it was logged
 * why not. */
int watch_prepare(struct role *r);

/* Run until the role is asked to stop; returns its exit status (base/role.h).
 */
int watch_run(const struct role *r);

#endif /* WATCH_WATCH_H */
