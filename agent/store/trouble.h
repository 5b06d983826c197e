/*
 * trouble.h - what stands still or waits, and why: written by the roles, read
 * by status, the metrics and /readyz.
 *
 * A trouble is known by subject, class and code; its text may change.  It is
 * in the store from its first occurrence to its end.  Each role writes of its
 * own subjects only, and forgets them all when it starts.
 */
#ifndef STORE_TROUBLE_H
#define STORE_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

/* That of the subject "store" while collecting pauses for lack of room. */
#define TROUBLE_FULL "full"

struct trouble {
	char subject[256]; /* a feed, a source, an output, "seal" … */
	char class[24];    /* reply_class_name() and the like */
	char code[96];     /* of the vendor, or "" */
	char text[512];    /* cause and remedy */
	int64_t since;
	int64_t until; /* it waits until then; INT64_MIN: not known */
	bool stands;   /* the subject stands still meanwhile */
};

/* Note a trouble; one that is there keeps its since.  Relaxed: a crash may
 * forget it, and the role begins anew then anyhow. */
int trouble_set(struct store *s, const struct trouble *t, struct err *err);

/* It has ended. */
int trouble_end(struct store *s, const struct trouble *t, struct err *err);

/* Forget those of a subject: at the start of its role. */
int trouble_forget(struct store *s, const char *subject, struct err *err);

/* Read the one that follows *t in the order of subject, class and code; a
 * zeroed one gives the first: 1, 0 there are no more, -1. */
int trouble_next(struct store *s, struct trouble *t, struct err *err);

#endif /* STORE_TROUBLE_H */
