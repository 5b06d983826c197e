/*
 * supervise.h - `sealfeed run`: one process a role, kept running.
 */
#ifndef RUN_SUPERVISE_H
#define RUN_SUPERVISE_H

struct config;
struct err;

/*
 * Run until SIGTERM or SIGINT, in the foreground.  path: of the configuration
 * that SIGHUP reads again; config: as loaded from it, taken.  One supervisor
 * a store: a lock file beside it is held by the supervisor and its roles.
 *
 * Stopping takes at most five seconds: collect first, then seal what it left,
 * then ship what seal left.  Returns an exit status (base/exit_status.h);
 * what kept it from starting was logged and is in err.
 */
int supervise(const char *path, struct config *config, struct err *err);

#endif /* RUN_SUPERVISE_H */
