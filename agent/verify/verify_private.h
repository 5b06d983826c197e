/*
 * verify_private.h - what verify.c, conclude.c and report.c share behind
 * verify.h.
 */
#ifndef VERIFY_VERIFY_PRIVATE_H
#define VERIFY_VERIFY_PRIVATE_H

#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "evidence/rotation.h"
#include "verify/chain.h"
#include "verify/claims.h"
#include "verify/export.h"
#include "verify/finding.h"
#include "verify/frame.h"
#include "verify/keys.h"
#include "verify/reader.h"
#include "verify/stream.h"
#include "verify/verify.h"

/* An input that names more feeds is a forger's. */
#define TALLY_FEEDS 65536

struct verify {
	struct verify_options options;
	struct keys *keys;
	struct digest *digest;
	struct findings findings;
	struct parts *parts;
	struct claims *claims;
	struct stream **streams; /* by name */
	size_t n_streams;
	struct stream *last; /* the one of the line before, most likely */
	char **inputs;
	size_t n_inputs;
	struct proof proof;
	struct buf scratch;
	struct buf envelope; /* an event out of one */
	struct export *export;
	const struct reader_line *line; /* that is being read */
	uint64_t place;                 /* of it */
	uint64_t n_events;              /* lines of each sort */
	uint64_t n_checkpoints;
	uint64_t n_other;
	bool too_many; /* feeds: said once */
	bool cut;      /* the last line of an input is not whole */
	bool well;     /* the verdict */
};

/* chain_place() of it. */
const char *tally_place(const struct verify *v, uint64_t place,
    char out[CHAIN_PLACE]);

/* Whether --feed lets this one in. */
bool tally_is_asked(const struct verify *v, const char *feed);

/* strcmp() of it with text. */
int tally_compare(const char *s, struct slice text);

/* Where the stream of an agent's feed is, or would be. */
size_t tally_position(const struct verify *v, struct slice agent,
    struct slice feed);

/* Whether a finding makes the exit status 1. */
bool tally_is_wrong(const struct verify *v, enum finding_kind kind);

#endif /* VERIFY_VERIFY_PRIVATE_H */
