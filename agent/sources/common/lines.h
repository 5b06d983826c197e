/*
 * lines.h - a document of lines becomes events: one a line.
 *
 * A line ends with LF; the last one may lack it.  Where lines are JSON, one is
 * an event as it stands, without white space around it, and what is no JSON is
 * told as such; empty lines are none.  Where lines are text an event is
 * {"message":"…"}, and {"message_base64":"…"} where the line is no UTF-8, so
 * that its bytes can be had again; all of it but the LF is in there.
 */
#ifndef SOURCES_COMMON_LINES_H
#define SOURCES_COMMON_LINES_H

#include <stdbool.h>

#include "base/splitter.h"

struct err;
struct lines;

/* spec: id, time and max count; it is borrowed.  Elements are those of
 * splitter.h: one longer than max has no data. */
struct lines *lines_new(const struct splitter_spec *spec, bool text,
    splitter_fn *take, void *ctx);
void lines_free(struct lines *l);

/* Make ready for another document. */
void lines_reset(struct lines *l);

/* Feed the next bytes; -1 when take said so.  And its end, likewise. */
int lines_push(struct lines *l, const char *data, size_t len, struct err *err);
int lines_end(struct lines *l, struct err *err);

#endif /* SOURCES_COMMON_LINES_H */
