/*
 * slow.h - work that something else than this process does, such as a token or
 * a TPM, which may take its time or never answer.
 */
#ifndef SEAL_SLOW_H
#define SEAL_SLOW_H

#include <stdint.h>

struct err;
struct role;

struct slow {
	const struct role *role;
	int64_t told; /* from when on lasts is called, again and again */
	int64_t max;  /* how long the supervisor sees that this role is
			 alive: what has not answered by then may do so to
			 another process; both in microseconds */
	void (*lasts)(void *ctx);
	void *ctx;
};

/* Have fn(ctx, err) done by a thread, and wait for it.  Nothing that fn uses
 * may be used by lasts.  What fn returned. */
int slow_do(const struct slow *s, int (*fn)(void *ctx, struct err *err),
    void *ctx, struct err *err);

#endif /* SEAL_SLOW_H */
