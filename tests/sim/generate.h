/*
 * generate.h - made-up Microsoft 365 audit records.
 *
 * Field names are those of Microsoft's published schema ("Office 365
 * Management Activity API schema", "CopilotInteraction"); values come from a
 * generator whose state is the seed and the number of the record.  The same
 * seed, number and time give the same bytes, at any moment and in any order.
 */
#ifndef TESTS_SIM_GENERATE_H
#define TESTS_SIM_GENERATE_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* The content types of the Management Activity API. */
enum content {
	CONTENT_AAD,
	CONTENT_EXCHANGE,
	CONTENT_SHAREPOINT,
	CONTENT_GENERAL,
	CONTENT_DLP,
	CONTENTS
};

extern const char *const content_names[CONTENTS];

/* A kind of record: one row of kinds.c. */
struct kind {
	enum content content;
	int record_type;
	unsigned weight; /* how often, against its own content type */
	const char *workload;
	const char *operations; /* separated by | */
	int user_type;
	const char *object; /* template of ObjectId; NULL: left out */
	const char *body;   /* template of what follows the common part */
};

extern const struct kind kinds[];
extern const size_t n_kinds;

/* A small, fast generator of numbers (splitmix64). */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *r);
/* 0 .. n-1; n may not be 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

/* Append record `number` of a content type, created at when (seconds since
 * 1970), without a line end. */
void generate_record(uint64_t seed, enum content content, uint64_t number,
    int64_t when, struct buf *out);

/* Append a record of about 300 bytes. */
void generate_small(uint64_t seed, enum content content, uint64_t number,
    int64_t when, struct buf *out);

/* Append a record of 12 to 64 KB. */
void generate_large(uint64_t seed, enum content content, uint64_t number,
    int64_t when, struct buf *out);

#endif /* TESTS_SIM_GENERATE_H */
