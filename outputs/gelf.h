/*
 * gelf.h - messages in GELF 1.1, Graylog's format (go2docs.graylog.org, "GELF
 * Payload Specification"): one JSON object each, without line breaks.
 *
 *   {"version":"1.1","host":"fra1","short_message":"…","timestamp":…,"level":6,
 *    "_sealfeed_feed":"…","_sealfeed_index":42,"_sealfeed_agent":"fra1",…}
 *
 * short_message is the text of the event, or the line of a checkpoint.
 */
#ifndef OUTPUTS_GELF_H
#define OUTPUTS_GELF_H

struct buf;
struct chunk_line;

struct gelf;

/* agent is borrowed. */
struct gelf *gelf_new(const char *agent);
void gelf_free(struct gelf *g);

/* Append the message for line: 0, -1 at out's ceiling, which then has a part of
 * it. */
int gelf_add(struct gelf *g, const struct chunk_line *line, struct buf *out);

#endif /* OUTPUTS_GELF_H */
