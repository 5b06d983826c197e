/*
 * finding.h - what one answer about a span of time says of the feeds: which of
 * its records they have, and which they never had, which are added to them.
 */
#ifndef COLLECT_FINDING_H
#define COLLECT_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "sources/source.h"
#include "store/reconcile.h"
#include "store/via.h"
#include "store/write_batch.h"

struct err;
struct source_runner;

struct finding {
	struct source_runner *runner;
	enum via via; /* by which what is missing comes */
	struct span_row *span;
	struct digest *digest;
	struct write_batch **batches; /* one for each worker */
	/* Of confirmed events, for span_end(). */
	struct span_hour *hours;
	size_t n_hours, room_hours;
	uint64_t *seen; /* open hash of ids, 0 free */
	size_t n_seen, size_seen;
	bool many; /* more than can be told apart: the answer is of no use */
};

/* Begin to read an answer about span, all borrowed until finding_close(); the
 * counts in span are set anew. */
void finding_open(struct finding *f, struct source_runner *r, enum via via,
    struct span_row *span);
void finding_close(struct finding *f);

/* audit_take_fn, ctx a struct finding: a record of the answer to a query.  What
 * no feed has becomes durable in the one of its stream, some of it at once and
 * the rest by finding_commit().  -1: the store failed, or there are too many
 * records. */
int finding_take(void *ctx, const struct audit_record *a, struct err *err);

/* Make durable what is missing.  0 or -1. */
int finding_commit(struct finding *f, struct err *err);

/* write_batch_judge_fn, ctx a struct finding: an event of an answer that comes
 * as pages of the feed do, which are committed by whoever reads them. */
void finding_judge(void *ctx, struct write_batch *p, struct slice id,
    int64_t when, bool known);

#endif /* COLLECT_FINDING_H */
