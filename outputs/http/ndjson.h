/*
 * ndjson.h - the dialect of plain receivers: NDJSON lines as the store has
 * them (line.h), or the events alone.
 */
#ifndef OUTPUTS_HTTP_NDJSON_H
#define OUTPUTS_HTTP_NDJSON_H

#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"

enum ndjson_envelope { NDJSON_SEAL, NDJSON_NONE };

struct ndjson_conf {
	struct http_output_conf http; /* must stand first */
	int envelope;
};

extern const char *const ndjson_envelopes[];

#define NDJSON_ENVELOPE(default_envelope)                                    \
	{                                                                    \
		.key = "envelope", .type = SETTING_CHOICE,                   \
		.offset = offsetof(struct ndjson_conf, envelope),            \
		.def = (default_envelope), .choices = ndjson_envelopes,      \
		.help = "seal: lines of feed, index and event, with "        \
			"checkpoints. none: the events alone, which cannot " \
			"be verified."                                       \
	}

/* For dialects whose lines are these; their conf begins with a struct
 * ndjson_conf. */
int ndjson_whole(struct intake *in, struct chunk *p, struct buf *body,
    struct err *err);
int ndjson_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err);

#endif /* OUTPUTS_HTTP_NDJSON_H */
