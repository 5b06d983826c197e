/*
 * chunk.h - what moves: runs of lines out of sealed batches.
 *
 * Chunks share the batches whose lines they carry (batch_reader.h).  Bytes are
 * in memory only between first use and chunk_unload(); whoever needs them again
 * reads them from the store again.
 */
#ifndef DELIVERY_CHUNK_H
#define DELIVERY_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "delivery/batch_reader.h"
#include "store/position.h"

struct err;
struct event_shape;

/* A chunk joins at most so many batches. */
#define CHUNK_RANGES 256

/*
 * What a destination may do with a chunk.
 */

/* One line of a chunk: an event, or a checkpoint. */
struct chunk_line {
	const char *feed;
	/* Type of the source that the feed belongs to, "office365"; "agent" of
	 * the agent's own feed; "" where that is not configured any more. */
	const char *source_type;
	const struct event_shape *shape; /* of its events; never NULL */
	bool checkpoint;
	uint64_t number; /* index of the event, size of the checkpoint */
	/* Microseconds: event time, or where it has none when it was stored
	 * (INT64_MIN of a dead letter), or the checkpoint's. */
	int64_t when;
	/* "FEED:INDEX" of the first event with the vendor's id of this one,
	 * where that has other bytes; NULL: there is none. */
	const char *version_of;
	/* How it came to the agent, "backfill", where not by the polls of its
	 * feed; NULL: it did.  Of letters and "-" alone. */
	const char *via;
	/* Bytes of the event, which need not be JSON though they stand like it
	 * (json_valid() tells), or of the checkpoint's object. */
	const char *value;
	size_t len;
};

/* Consecutive lines that move together; owned by ship. */
struct chunk;

size_t chunk_lines(const struct chunk *p);
size_t chunk_bytes(const struct chunk *p); /* of all lines, unpacked */

/* The i-th line; borrowed until chunk_unload().  Unpacks at first use; going
 * forward line by line is cheap.  -1: the store's bytes are damaged or not to
 * be had, err says which; end p with VERDICT_REFUSED, ship finds out more. */
int chunk_line(struct chunk *p, size_t i, struct chunk_line *line,
    struct err *err);

/* Append the whole chunk to out as NDJSON lines (line.h), or as one joinable
 * gzip member of them, which packs nothing again that the store holds packed.
 * -1 as above, or at out's ceiling. */
int chunk_text(struct chunk *p, struct buf *out, struct err *err);
int chunk_gzip(struct chunk *p, struct buf *out, struct err *err);

/* Free the bytes; the chunk can be read again later (from the store). */
void chunk_unload(struct chunk *p);

/*
 * What its owner, ship, does with it.
 */

struct chunk *chunk_new(void);
void chunk_free(struct chunk *p);

/* Add lines [from, to) of c, which have so many bytes.  -1 when the chunk
 * has CHUNK_RANGES already. */
int chunk_add(struct chunk *p, struct batch_ref *c, size_t from, size_t to,
    size_t bytes);

/* Cut p before line at, 0 < at < lines: p keeps the first part, the rest is
 * returned. */
struct chunk *chunk_split(struct chunk *p, size_t at);

/* Batch of line i, and where in it; *end is the line of p behind the last one
 * that follows without a gap in the same batch. */
struct batch_ref *chunk_batch_of(const struct chunk *p, size_t i, size_t *line,
    size_t *end);

/* The position that an output has when everything up to the last line of p is
 * settled.  p is not empty and not of a dead letter. */
void chunk_end(const struct chunk *p, struct position *pos);

/* What is decided of a line while its chunk is under way. */
enum chunk_mark { CHUNK_OPEN, CHUNK_DELIVERED, CHUNK_REFUSED };

/* Mark those of the lines [from, to) that are open; returns how many of them
 * are events, and not checkpoints. */
size_t chunk_set_mark(struct chunk *p, size_t from, size_t to,
    enum chunk_mark m);
enum chunk_mark chunk_mark(const struct chunk *p, size_t i);

/* The first open line from from on; chunk_lines() if there is none. */
size_t chunk_open(const struct chunk *p, size_t from);

/* Leave only open lines in p.  It has gaps then, and may be of more parts than
 * CHUNK_RANGES. */
void chunk_drop_marked(struct chunk *p);

#endif /* DELIVERY_CHUNK_H */
