/*
 * chunk.h - what moves: runs of lines out of sealed batches.
 *
 * A batch reader brings sealed batches out of the store, each as a reference
 * (struct batch_ref) that the chunks which carry its lines share; one event
 * that is sent again on request is one, too.  Lines of a batch are numbered
 * from 0, its checkpoint, if it has one, comes last.  Bytes are in memory only
 * between first use and chunk_unload(); whoever needs them again reads them
 * from the store again.
 */
#ifndef DELIVERY_CHUNK_H
#define DELIVERY_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/position.h"

struct batch_ref;
struct config;
struct err;
struct store;

/* A chunk joins at most so many batches. */
#define CHUNK_RANGES 256

/* Borrows store and configuration. */
struct batch_reader;

/* config tells the type of each line's source; NULL: of none. */
struct batch_reader *batch_reader_new(struct store *s,
    const struct config *config);
void batch_reader_free(struct batch_reader *k);

/* The sealed batch with the lowest id above after: 1 and *c, which the caller
 * gives back to batch_ref_release(), 0 none, -1. */
int batch_reader_next(struct batch_reader *k, int64_t after,
    struct batch_ref **c, struct err *err);

/* A single event out of a dead letter (copied), which has no place in the
 * order of batches. */
struct batch_ref *batch_reader_dead_letter(struct batch_reader *k,
    const struct dead_letter *d);

struct batch_ref *batch_ref_share(struct batch_ref *c);
void batch_ref_release(struct batch_ref *c);

int64_t batch_ref_id(const struct batch_ref *c); /* 0: of a dead letter */
size_t batch_ref_lines(const struct batch_ref *c);
size_t batch_ref_bytes(const struct batch_ref *c); /* of all lines */

/* How many lines from the line from on fit into room bytes, at least one when
 * alone is set: sets *to behind the last one, and *bytes to theirs.  Unpacks
 * only when the whole does not fit. */
int batch_ref_fit(struct batch_ref *c, size_t from, size_t room, bool alone,
    size_t *to, size_t *bytes, struct err *err);

/* 0 when the bytes are whole; 1 when they are damaged or gone from the store,
 * which err then says; -1 when the store cannot be read now. */
int batch_ref_check(struct batch_ref *c, struct err *err);
size_t
batch_ref_events(const struct batch_ref *c); /* lines without checkpoint */
const char *batch_ref_feed(const struct batch_ref *c);
uint64_t
batch_ref_first(const struct batch_ref *c); /* index of its first event */

/*
 * What a destination may do with a chunk.
 */

/* One line of a chunk: an event, or a checkpoint. */
struct chunk_line {
	const char *feed;
	/* Type of the source that the feed belongs to, "office365"; "agent" of
	 * the agent's own feed; "" where that is not configured any more. */
	const char *source_type;
	bool checkpoint;
	uint64_t number; /* index of the event, size of the checkpoint */
	int64_t when;    /* microseconds: event time, or the checkpoint's */
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

/* Leave only open lines in p.  It has gaps then, and may be of more parts than
 * CHUNK_RANGES. */
void chunk_drop_marked(struct chunk *p);

#endif /* DELIVERY_CHUNK_H */
