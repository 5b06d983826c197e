/*
 * parcel.h - what moves: runs of lines out of sealed batches.
 *
 * A cargo is one sealed batch as ship knows it, or one event that is sent
 * again on request; the parcels that carry its lines share it.  Its lines are
 * numbered from 0, its checkpoint, if it has one, comes last.  Bytes are in
 * memory only between first use and parcel_unload(); whoever needs them again
 * reads them from the store again.
 *
 * output.h has what a destination may do with a parcel.  This is the owner's
 * side.
 */
#ifndef DELIVERY_PARCEL_H
#define DELIVERY_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/delivery.h"

struct cargo;
struct err;
struct store;

/* A parcel joins at most so many batches. */
#define PARCEL_SPANS 256

/* Where cargo comes from; borrows the store. */
struct stock;

struct stock *stock_new(struct store *s);
void stock_free(struct stock *k);

/* The sealed batch with the lowest id above after: 1 and *c, which the caller
 * gives back to cargo_unref(), 0 none, -1. */
int cargo_next(struct stock *k, int64_t after, struct cargo **c,
    struct err *err);

/* A single event out of a dead letter (copied), which has no place in the
 * order of batches. */
struct cargo *cargo_letter(struct stock *k, const struct dead_letter *d);

struct cargo *cargo_ref(struct cargo *c);
void cargo_unref(struct cargo *c);

int64_t cargo_batch(const struct cargo *c); /* 0: of a dead letter */
size_t cargo_lines(const struct cargo *c);
size_t cargo_bytes(const struct cargo *c); /* of all lines */

/* How many lines from the line from on fit into room bytes, at least one when
 * alone is set: sets *to behind the last one, and *bytes to theirs.  Unpacks
 * only when the whole does not fit. */
int cargo_fit(struct cargo *c, size_t from, size_t room, bool alone, size_t *to,
    size_t *bytes, struct err *err);

/* 0 when the bytes are whole; 1 when they are damaged or gone from the store,
 * which err then says; -1 when the store cannot be read now. */
int cargo_check(struct cargo *c, struct err *err);
size_t cargo_events(const struct cargo *c); /* lines without checkpoint */
const char *cargo_feed(const struct cargo *c);
uint64_t cargo_first(const struct cargo *c); /* index of its first event */

/*
 * What a destination may do with a parcel.
 */

/* One line of a parcel: an event, or a checkpoint. */
struct parcel_line {
	const char *feed;
	bool checkpoint;
	uint64_t number;   /* index of the event, size of the checkpoint */
	int64_t when;      /* event time, or the checkpoint's */
	const char *value; /* bytes of the event, of the checkpoint's object */
	size_t len;
};

/* Consecutive lines that move together; owned by ship. */
struct parcel;

size_t parcel_lines(const struct parcel *p);
size_t parcel_bytes(const struct parcel *p); /* of all lines, unpacked */

/* The i-th line; borrowed until parcel_unload().  Unpacks at first use; going
 * forward line by line is cheap.  -1: the store's bytes are damaged or not to
 * be had, err says which; end p with VERDICT_REFUSED, ship finds out more. */
int parcel_line(struct parcel *p, size_t i, struct parcel_line *line,
    struct err *err);

/* Append the whole parcel to out as NDJSON lines (line.h), or as one joinable
 * gzip member of them, which packs nothing again that the store holds packed.
 * -1 as above, or at out's ceiling. */
int parcel_text(struct parcel *p, struct buf *out, struct err *err);
int parcel_gzip(struct parcel *p, struct buf *out, struct err *err);

/* Free the bytes; the parcel can be read again later (from the store). */
void parcel_unload(struct parcel *p);

/*
 * What its owner, ship, does with it.
 */

struct parcel *parcel_new(void);
void parcel_free(struct parcel *p);

/* Add lines [from, to) of c, which have so many bytes.  -1 when the parcel
 * has PARCEL_SPANS already. */
int parcel_add(struct parcel *p, struct cargo *c, size_t from, size_t to,
    size_t bytes);

/* Cut p before line at, 0 < at < lines: p keeps the first part, the rest is
 * returned. */
struct parcel *parcel_split(struct parcel *p, size_t at);

/* Cargo of line i, and where in it. */
struct cargo *parcel_cargo(const struct parcel *p, size_t i, size_t *line);

/* The position that an output has when everything up to the end of p is
 * settled.  p is not empty and not of a dead letter. */
void parcel_end(const struct parcel *p, struct position *pos);

/* Lines that became dead letters though the parcel goes on. */
void parcel_mark(struct parcel *p, size_t i);
bool parcel_marked(const struct parcel *p, size_t i);

/* Events in p, without checkpoints and marked lines. */
size_t parcel_events(const struct parcel *p);

#endif /* DELIVERY_PARCEL_H */
