/*
 * loki_push.h - the body of a push to Loki, in JSON or protobuf.
 *
 * grafana.com/docs/loki, "Ingest logs"; the messages are those of Loki's
 * pkg/push/push.proto, whose field numbers loki_push.c has.
 */
#ifndef OUTPUTS_HTTP_LOKI_PUSH_H
#define OUTPUTS_HTTP_LOKI_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"

#define LOKI_LABELS_MAX 16384

/* What stands around the streams in JSON. */
#define LOKI_PREFIX "{\"streams\":["
#define LOKI_SUFFIX "]}]}"

enum loki_envelope { LOKI_METADATA, LOKI_SEAL };
enum loki_encoding { LOKI_JSON, LOKI_PROTOBUF };

struct loki_conf {
	struct http_output_conf http; /* must stand first */
	char *tenant;
	struct setting_pair *labels;
	int envelope;
	int encoding;
	int64_t late_after;
};

/* The state of such an output; owned with its members by loki.c. */
struct loki {
	bool protobuf;
	struct buf labels; /* configured ones, by loki_label() */
	int64_t late_after;
	/* The stream that the last line was put into. */
	char *feed;
	bool checkpoint;
	/* Of protobuf: where streams begin in the body, and room to write. */
	size_t *streams;
	size_t n_streams;
	struct buf entry;
	struct buf whole;
};

/* Append a label behind others. */
int loki_label(const struct loki *l, struct buf *b, const char *name,
    struct slice value);

/* Of http_dialect. */
int loki_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err);

/* Of prepare: make the rendered lines in r's body, or none, a push. */
int loki_finish(struct intake *in, struct intake_request *r, struct err *err);

#endif /* OUTPUTS_HTTP_LOKI_PUSH_H */
