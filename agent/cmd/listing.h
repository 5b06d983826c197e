/*
 * listing.h - long lists on standard output, a piece at a time: a table for
 * people or one JSON array.
 */
#ifndef CMD_LISTING_H
#define CMD_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_put.h"
#include "cmd/table.h"

struct err;

/* A row goes into table, or into json where that is asked for. */
struct listing {
	bool as_json;
	struct table *table;
	struct json_put json;
	struct buf out;
	uint64_t rows;
};

/* columns (n) is borrowed until listing_close(). */
void listing_open(struct listing *l, bool as_json, const struct column *columns,
    size_t n);

/* A row is complete; writes when there are many. */
int listing_next(struct listing *l, struct err *err);

/* Write the rest; none: the sentence that a table without rows is.  rc not 0:
 * something failed before, only free.  Returns rc or -1. */
int listing_close(struct listing *l, int rc, const char *none, struct err *err);

#endif /* CMD_LISTING_H */
