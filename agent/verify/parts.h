/*
 * parts.h - puts split events together again (the syslog output's
 * "oversize: split"), in whatever order their parts come.
 */
#ifndef VERIFY_PARTS_H
#define VERIFY_PARTS_H

#include <stdint.h>

#include "verify/frame.h"

struct parts;

struct parts *parts_new(void);
void parts_free(struct parts *p);

/* Takes a whole event or checkpoint, its place that of the part which
 * completed it. */
typedef void parts_fn(void *ctx, const struct frame *whole, uint64_t place);

/*
 * Add one part (copied).  When it is the last one that was missing, fn gets
 * the whole; where a part came with different bytes, fn gets each combination
 * (some), for the tree to decide.  Returns 0, or -1 when more is incomplete
 * than is held; the part is left out then.
 */
int parts_add(struct parts *p, const struct frame *f, uint64_t place,
    parts_fn *fn, void *ctx);

/* What is still incomplete: fn gets the frame of the first part seen, its
 * value empty, part saying how many of them are there. */
void parts_left(const struct parts *p, parts_fn *fn, void *ctx);

#endif /* VERIFY_PARTS_H */
