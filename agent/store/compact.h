/*
 * compact.h - a smaller store file.
 *
 * The agent gives free pages back by itself, some at a time, and keeps 16 MiB
 * of them; both of these give back all.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include <stdint.h>

struct err;
struct store;

/* Bytes of the file and its WAL, before and after. */
struct compact {
	int64_t before;
	int64_t after;
};

/* While the agent runs: in small transactions between its own. */
int compact_running(struct store *s, struct compact *c, struct err *err);

/* While nobody else has the store at path open: rewrite it, which orders its
 * pages, too.  The new file stands beside the old one (PATH.compact) until it
 * is complete and durable; -1 with nothing changed where there is no room. */
int compact_stopped(const char *path, struct compact *c, struct err *err);

#endif /* STORE_COMPACT_H */
