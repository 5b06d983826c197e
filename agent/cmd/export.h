/*
 * export.h - the lines that the store keeps, written out for verify and for
 * archives.
 *
 * What is written is what outputs get (store/line.h), in commit order: the
 * events as they are kept and the checkpoint behind the last batch that it
 * covers.  A checkpoint proves the events [from, size) of its tree.  Verify
 * lets an input begin inside of such a span, unless it is a feed's very first
 * one; but where a span ends behind the last event wanted, verify would miss
 * the rest of it, so that checkpoint is left out and the events of its span
 * are "not yet covered".
 */
#ifndef CMD_EXPORT_H
#define CMD_EXPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct store;

struct export_want {
	const char *feed; /* NULL: all */
	uint64_t from;    /* first index */
	uint64_t to;      /* last index, UINT64_MAX: no end */
};

/* What was written of a feed. */
struct export_feed {
	char name[256];
	uint64_t first; /* index of the first event written */
	uint64_t next;  /* index of the last event written, plus one */
	uint64_t events;
	uint64_t missing; /* events between first and next that are no longer in
			     the store */
	uint64_t checkpoints;
	uint64_t covered; /* size of the last checkpoint written */
};

struct export_done {
	struct export_feed *feed;
	size_t n;
	uint64_t bytes;
	uint64_t damaged;   /* batches in the store that cannot be read */
	char trouble[1024]; /* what is wrong with the first unreadable batch */
};

/* Write to to; *done (zeroed before) is to be released in any case.  -1: the
 * store can't be read or to can't be written. */
int export_lines(struct store *s, const struct export_want *want, FILE *to,
    struct export_done *done, struct err *err);
void export_release(struct export_done *done);

#endif /* CMD_EXPORT_H */
