/*
 * batch_reader_private.h - the inside of struct batch_ref, for chunks, which
 * carry its lines.
 */
#ifndef DELIVERY_BATCH_READER_PRIVATE_H
#define DELIVERY_BATCH_READER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "delivery/batch_reader.h"
#include "store/batch.h"

struct event_shape;
struct gzip;

struct batch_ref {
	struct batch_reader *reader;
	size_t refs;
	size_t users; /* ranges that need the bytes now */
	int64_t id;   /* of the batch, 0: of a dead letter */
	int64_t after;
	const char *source_type;
	const struct event_shape *shape;
	bool packed;    /* batch.payload is here */
	bool unpacked;  /* raw is here */
	int64_t *times; /* NULL: not here */
	bool versioned; /* version is here */
	struct batch_version *version;
	size_t n_versions;
	struct batch batch;
	struct buf raw; /* its lines without the checkpoint */
	/* Where a line begins, the last that was asked for. */
	size_t line;
	size_t offset;
};

/* For packing: the reader's, and scratch, cleared. */
struct gzip *batch_gzip(const struct batch_ref *c);
struct buf *batch_scratch(const struct batch_ref *c, size_t i);

/* Append the line of the checkpoint. */
int batch_ref_checkpoint(const struct batch_ref *c, struct buf *out);

/* Make the lines, the packed bytes, the event times be there.  -1: damaged,
 * gone or unreadable now. */
int batch_ref_unpack(struct batch_ref *c, struct err *err);
int batch_ref_pack(struct batch_ref *c, struct err *err);
int batch_ref_times(struct batch_ref *c, struct err *err);

/* Of what the event is a version, see chunk_line; NULL: of none. */
int batch_ref_version(struct batch_ref *c, uint64_t index, const char **of,
    struct err *err);

/* The lines [from, to) of the batch's events as they are, unpacked before. */
int batch_ref_slice(struct batch_ref *c, size_t from, size_t to,
    struct slice *s, struct err *err);

/* One user more, one fewer; the last one frees the bytes. */
void batch_ref_use(struct batch_ref *c);
void batch_ref_leave(struct batch_ref *c);

#endif /* DELIVERY_BATCH_READER_PRIVATE_H */
