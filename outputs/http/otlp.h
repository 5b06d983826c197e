/*
 * otlp.h - the dialect of OTLP/HTTP, for outputs with other defaults.
 */
#ifndef OUTPUTS_HTTP_OTLP_H
#define OUTPUTS_HTTP_OTLP_H

#include <stddef.h>
#include <stdint.h>

#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"

struct otlp_conf {
	struct http_output_conf http; /* must stand first */
	int encoding;
	char *dataset;      /* for X-Axiom-Dataset; NULL: none */
	int64_t late_after; /* microseconds, as past of a preset */
};

/* What a service that takes OTLP has of its own. */
struct explained;
struct otlp_preset {
	const char *type;         /* of the output */
	const char *token_header; /* NULL: Authorization: Bearer */
	const struct explained *meanings;
	size_t lines_max;  /* records of a request; 0: any number */
	size_t record_max; /* bytes of an event, of which more would be cut or
			      dropped; 0: any */
	int64_t past;      /* microseconds: an older record may be dropped, so
			      it has no time of its own; 0: never */
	/* JSON pointer of the member of a body by which the service goes in
	 * place of the record's time: an event that has it and is older than
	 * past goes in its line (line.h), which has not.  NULL: none. */
	const char *time;
};

/* NULL: the type is none of them. */
const struct otlp_preset *otlp_preset_of(const char *type);

extern const char *const otlp_encodings[];
extern const struct http_dialect otlp_dialect;

#define OTLP_ENCODING                                                    \
	{                                                                \
		.key = "encoding", .type = SETTING_CHOICE,               \
		.offset = offsetof(struct otlp_conf, encoding),          \
		.def = "protobuf", .choices = otlp_encodings,            \
		.help = "How messages are encoded; receivers take both." \
	}

#endif /* OUTPUTS_HTTP_OTLP_H */
