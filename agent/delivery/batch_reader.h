/*
 * batch_reader.h - brings sealed batches out of the store, each as a reference
 * (struct batch_ref) that the chunks which carry its lines share; one event
 * that is sent again on request is one, too.
 *
 * Lines of a batch are numbered from 0, its checkpoint, if it has one, comes
 * last.
 */
#ifndef DELIVERY_BATCH_READER_H
#define DELIVERY_BATCH_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/position.h"

struct batch_ref;
struct config;
struct err;
struct store;

/* Borrows store and configuration. */
struct batch_reader;

/* config tells the type of each line's source; NULL: of none. */
struct batch_reader *batch_reader_new(struct store *s,
    const struct config *config);
void batch_reader_free(struct batch_reader *k);

/* Free what makes the next batch cheaper to read and to pack, when there will
 * be none for a while. */
void batch_reader_rest(struct batch_reader *k);

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
size_t batch_ref_events(const struct batch_ref *c); /* without checkpoint */

#endif /* DELIVERY_BATCH_READER_H */
