/*
 * plan.h - from what is wanted, and from what is there already, to the files
 * that are to be made.
 *
 * The answers are compared with the configuration by what they say, not by how
 * its files are written: what it says already needs nothing, what it does not
 * say goes into a new drop-in, and what it says otherwise is a conflict, since
 * nothing is ever overwritten.  A secret that is written out in the answers
 * gets a file of its own, which the configuration refers to.
 */
#ifndef SETUP_PLAN_H
#define SETUP_PLAN_H

#include <stddef.h>

#include "base/buf.h"
#include "config/errors.h"
#include "setup/place.h"

struct answers;
struct err;
struct node;

struct plan_file {
	char *path;
	struct buf text; /* wiped by plan_free() */
	enum placed how; /* known after plan_do() */
};

struct plan {
	struct plan_file *files; /* in the order in which they are made */
	size_t n;
	struct config_errors conflicts;
};

#define PLAN_INIT      \
	{              \
		.n = 0 \
	}

/*
 * Fill *p (PLAN_INIT).  there: the configuration as it is; the answers are
 * completed with what nobody needs to be asked for: the agent's name, its key,
 * and outside of /etc/sealfeed a store beside the configuration.  -1: the
 * answers and the configuration together have faults, which are in errors, or
 * there are conflicts, or err says what else is wrong.
 */
int plan_make(struct plan *p, const struct place *place, struct answers *a,
    const struct node *there, struct config_errors *errors, struct err *err);

/* Make the files: 0, or -1 with what was made so far in place. */
int plan_do(struct plan *p, struct place *place, struct err *err);

void plan_free(struct plan *p);

#endif /* SETUP_PLAN_H */
