/*
 * body.h - lines of a chunk become the body of a request.
 */
#ifndef OUTPUTS_HTTP_BODY_H
#define OUTPUTS_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct chunk;
struct err;
struct exchange;
struct gzip;
struct http_dialect;
struct intake;
struct output;

/* All that is pointed to is borrowed, but for gzip. */
struct body_writer {
	struct output *out;
	struct intake *intake;
	const struct http_dialect *dialect;
	struct gzip *gzip;
	/* Before it is packed; otherwise the room of the last body. */
	struct buf text;
};

/* Make ready what the caller does not set. */
void body_writer_init(struct body_writer *w);
void body_writer_release(struct body_writer *w);

/*
 * Make the body of x's request, and x->carried, out of lines of the chunk from
 * *next on, which moves behind them; none of these lines may be wanted, and the
 * body empty.  Those that the dialect leaves out are settled as delivered.
 * whole: it is the whole chunk, which the dialect may take as it is.  Behind
 * the last line the chunk is unloaded.
 */
int body_write(struct body_writer *w, struct exchange *x, struct chunk *chunk,
    size_t *next, bool whole, struct err *err);

/* x's body is of no more use. */
void body_end(struct body_writer *w, struct exchange *x);

/* Pack a body in its place. */
int body_pack(struct body_writer *w, struct buf *body, struct err *err);

/* The line of the chunk that is the k-th of x's request. */
size_t body_line(const struct exchange *x, size_t k);

#endif /* OUTPUTS_HTTP_BODY_H */
