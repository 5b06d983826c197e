/*
 * tell.h - what the supervisor tells of itself and the roles: to systemd, and
 * in the file of the roles (store/roles.h).
 */
#ifndef RUN_TELL_H
#define RUN_TELL_H

#include <stdint.h>

#include "base/buf.h"

struct children;

#define TELL_MAX 400

struct telling {
	char note[512];  /* what keeps all roles from running, or why the agent
			    ends; "" nothing */
	struct buf file; /* as it was written last */
	int64_t file_at; /* monotonic: not before, since it failed */
	int64_t waited;  /* monotonic: since when; 0: it was told */
	char verdict[TELL_MAX]; /* of watch, its last line */
	char status[TELL_MAX];  /* as systemd was told last */
};

/* Make the pipe of the verdicts.  -1 with errno. */
int tell_open(struct telling *t, struct children *all);
void tell_close(struct telling *t, struct children *all);

/* Tell what has changed, on the store at path.  stopped: now, at the end; else
 * INT64_MIN. */
void tell_roles(struct telling *t, const char *path, const struct children *all,
    int64_t stopped);

/* Tell systemd in one line: the note, else what watch makes of all, else which
 * roles are waited for. */
void tell_status(struct telling *t, const struct children *all);

/* All roles are waited for from now on; those that are not ready after ten
 * seconds are named in the log, long before systemd gives up. */
void tell_begin(struct telling *t);
void tell_late(struct telling *t, const struct children *all);

#endif /* RUN_TELL_H */
