/*
 * watch.h - the role that answers scrapers: /metrics, /healthz, /readyz, and a
 * file with the metrics.  It holds no secret and only reads the store.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

struct role;

/* Run until the role is asked to stop; returns its exit status (base/role.h).
 */
int watch_run(const struct role *r);

#endif /* WATCH_WATCH_H */
