/*
 * split.h - one document through the splitter in one way, with all that came
 * of it written down, so that ways can be compared.
 */
#ifndef TESTS_LIB_SPLIT_H
#define TESTS_LIB_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/splitter.h"
#include "base/splitter_scan.h"

struct split_way {
	const struct scan_kind *scan;
	size_t chunk;  /* bytes a push; 0: all in one */
	uint32_t seed; /* not 0: pushes of random length up to chunk */
};

struct split_result {
	struct buf elements; /* one a line, "longer" for what is too long */
	struct buf keys;     /* "id time" a line, "-" where there is none */
	struct buf arrays;   /* number of its array a line */
	struct buf values;   /* token a line, "-" where there is none */
	size_t count;
	int rc; /* of the last push, or of the end */
	struct err err;
};

/* Takes nothing over; result is released with split_release(). */
void split_run(const struct splitter_spec *spec, const struct split_way *way,
    const char *data, size_t len, struct split_result *result);

/* 0 when both say the same. */
int split_compare(const struct split_result *a, const struct split_result *b);

void split_release(struct split_result *r);

#endif /* TESTS_LIB_SPLIT_H */
