/*
 * ndjson.h - the dialect of plain receivers: NDJSON lines as the store has
 * them (line.h), or the events alone.
 */
#ifndef OUTPUTS_HTTP_NDJSON_H
#define OUTPUTS_HTTP_NDJSON_H

#include "outputs/http/conf.h"

enum ndjson_envelope { NDJSON_SEAL, NDJSON_NONE };

struct ndjson_conf {
	struct http_output_conf http; /* must stand first */
	int envelope;
};

#endif /* OUTPUTS_HTTP_NDJSON_H */
