/*
 * cargo.h - the bytes of one batch, for parcel.c alone.
 */
#ifndef DELIVERY_CARGO_H
#define DELIVERY_CARGO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/batch.h"

struct err;
struct gzip;
struct stock;

struct cargo {
	struct stock *stock;
	size_t refs;
	size_t users; /* spans that need the bytes now */
	int64_t id;   /* of the batch, 0: of a dead letter */
	int64_t after;
	bool packed;    /* batch.payload is here */
	bool unpacked;  /* raw is here */
	int64_t *times; /* NULL: not here */
	struct batch batch;
	struct buf raw; /* its lines without the checkpoint */
	/* Where a line begins, the last that was asked for. */
	size_t line;
	size_t offset;
};

/* Make the packed bytes, the lines, the event times be there.  -1: damaged,
 * gone or unreadable now. */
int cargo_pack(struct cargo *c, struct err *err);
int cargo_unpack(struct cargo *c, struct err *err);
int cargo_times(struct cargo *c, struct err *err);

/* The lines [from, to) of the batch's events as they are, unpacked before. */
int cargo_slice(struct cargo *c, size_t from, size_t to, struct slice *s,
    struct err *err);

bool cargo_has_checkpoint(const struct cargo *c);

/* Append the line of the checkpoint. */
int cargo_checkpoint(const struct cargo *c, struct buf *out);

/* One user more, one fewer; the last one frees the bytes. */
void cargo_use(struct cargo *c);
void cargo_leave(struct cargo *c);

struct gzip *cargo_gzip(const struct cargo *c);
/* Scratch for packing; cleared. */
struct buf *cargo_scratch(const struct cargo *c, size_t i);

#endif /* DELIVERY_CARGO_H */
