/*
 * trial_dialect.h - a dialect that wants a JSON array, judges each line, and
 * confirms later.
 */
#ifndef TESTS_UNIT_TRIAL_DIALECT_H
#define TESTS_UNIT_TRIAL_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs/http/conf.h"
#include "outputs/output.h"

struct trial_conf {
	struct http_output_conf http; /* must stand first */
	size_t lines_max;
	int64_t poll_every;
	int64_t poll_timeout;
	const char *path; /* appended to the URL */
	const char *header;
	bool later;      /* the first request has to wait */
	bool poll_later; /* and so has the first poll */
};

/* What it saw of the last answer. */
struct trial_seen {
	size_t len;
	bool cut;
	unsigned renewed;
};
extern struct trial_seen trial_seen;

extern const struct output_type output_trial;

#endif /* TESTS_UNIT_TRIAL_DIALECT_H */
