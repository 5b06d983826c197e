/*
 * finding.c - what one answer about a span of time says of the feeds.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "collect/collect_private.h"
#include "collect/finding.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/hours.h"
#include "store/identity.h"

/* Records of one answer that are told apart; more are asked for in halves. */
#define RECORDS_MAX ((size_t)1 << 18)

void
finding_open(struct finding *f, struct source_runner *r, enum via via,
    struct span_row *span)
{
	*f = (struct finding){ .runner = r,
		.via = via,
		.span = span,
		.digest = digest_new(),
		.batches = xcalloc(r->n_workers + 1, sizeof(*f->batches)),
		.size_seen = 1024 };
	f->seen = xcalloc(f->size_seen, sizeof(*f->seen));
	span->listed = span->confirmed = span->missing = span->unnamed = 0;
}

void
finding_close(struct finding *f)
{
	for (size_t i = 0; i < f->runner->n_workers; i++)
		write_batch_free(f->batches[i]);
	free(f->batches);
	free(f->hours);
	free(f->seen);
	digest_free(f->digest);
}

static size_t
place(const uint64_t *set, size_t size, uint64_t hash)
{
	size_t at = (size_t)hash & (size - 1);

	while (set[at] != 0 && set[at] != hash)
		at = (at + 1) & (size - 1);
	return at;
}

static void
grow(struct finding *f)
{
	const size_t size = 2 * f->size_seen;
	uint64_t *set = xcalloc(size, sizeof(*set));

	for (size_t i = 0; i < f->size_seen; i++)
		if (f->seen[i] != 0)
			set[place(set, size, f->seen[i])] = f->seen[i];
	free(f->seen);
	f->seen = set;
	f->size_seen = size;
}

/* Did the answer have this id before?  Pages repeat records. */
static bool
came_before(struct finding *f, struct slice id)
{
	uint8_t full[DIGEST_LEN];
	uint64_t hash;
	size_t at;

	digest_sha256(f->digest, NULL, 0, id.data, id.len, full);
	memcpy(&hash, full, sizeof(hash));
	hash += hash == 0;
	at = place(f->seen, f->size_seen, hash);
	if (f->seen[at] != 0)
		return true;
	f->seen[at] = hash;
	f->many = ++f->n_seen > RECORDS_MAX;
	if (2 * f->n_seen > f->size_seen)
		grow(f);
	return false;
}

static bool
is_within(const struct span_row *span, int64_t when)
{
	return when == INT64_MIN || (when >= span->from && when < span->to);
}

static void
count_confirmed(struct finding *f, const char *feed, int64_t when)
{
	const int64_t hour = hours_of(when == INT64_MIN ? f->span->from : when);
	size_t i = 0;

	f->span->confirmed++;
	while (i < f->n_hours &&
	    (f->hours[i].hour != hour || f->hours[i].feed != feed))
		i++;
	if (i == f->n_hours) {
		if (f->n_hours == f->room_hours) {
			f->room_hours = 2 * f->room_hours + 8;
			f->hours = xreallocarray(f->hours, f->room_hours,
			    sizeof(*f->hours));
		}
		f->hours[f->n_hours++] =
		    (struct span_hour){ .feed = feed, .hour = hour };
	}
	f->hours[i].confirmed++;
}

/* The feed that has it: 1, 0 none has, -1. */
static int
find(struct finding *f, struct slice id, const char **feed, struct err *err)
{
	const struct source_runner *r = f->runner;
	int rc = 0;

	for (size_t i = 0; i < r->n_workers && rc == 0; i++) {
		rc = identity_known(r->workers[i].stream.feed, f->digest, id,
		    err);
		*feed = feed_name(r->workers[i].stream.feed);
	}
	return rc;
}

static int
commit(struct finding *f, size_t i, struct err *err)
{
	const struct source *s = &f->runner->source;
	struct commit_result res;

	if (f->batches[i] == NULL || write_batch_events(f->batches[i]) == 0)
		return 0;
	if (feed_commit(f->batches[i], &res, err) != 0)
		return -1;
	s->committed(s->ctx, &f->runner->workers[i].stream);
	return 0;
}

/* Add a record that its feed lacks. */
static int
add_missing(struct finding *f, const struct audit_record *a, struct err *err)
{
	struct source_runner *r = f->runner;
	struct write_batch **p;
	size_t i = 0;

	while (i < r->n_workers &&
	    strcmp(r->workers[i].stream.name, a->stream) != 0)
		i++;
	if (i == r->n_workers)
		return 0;
	p = &f->batches[i];
	if (*p == NULL) {
		char *scope = xasprintf("reconcile %" PRId64, f->span->from);

		*p = write_batch_new(r->workers[i].stream.feed);
		write_batch_via(*p, f->via);
		/* Those without an id are added once, however often the span
		 * is read. */
		write_batch_scope(*p, scope);
		free(scope);
	}
	if (write_batch_add(*p, a->event.data, a->event.len, a->id, a->when,
		err) != 0)
		return -1;
	if (a->id.data != NULL)
		write_batch_missing(*p, a->id,
		    a->when == INT64_MIN ? f->span->from : a->when);
	return write_batch_bytes(*p) >= WRITE_BATCH_BYTES ||
		write_batch_events(*p) >= BATCH_EVENTS
	    ? commit(f, i, err)
	    : 0;
}

int
finding_take(void *ctx, const struct audit_record *a, struct err *err)
{
	struct finding *f = ctx;
	const bool within = is_within(f->span, a->when);
	const char *feed = NULL;
	int known, before = 0;

	if (a->id.data == NULL) {
		f->span->listed += within;
		f->span->unnamed += within;
		return a->event.data == NULL || a->stream == NULL
		    ? 0
		    : add_missing(f, a, err);
	}
	if (came_before(f, a->id))
		return 0;
	if (f->many)
		return err_set(err, "it has more records than are told apart");
	known = find(f, a->id, &feed, err);
	if (known == 1)
		before =
		    missing_has(f->runner->collector->store, feed, a->id, err);
	if (known == -1 || before == -1)
		return -1;
	/* Not of what is collected. */
	if (known == 0 && a->stream == NULL)
		return 0;
	f->span->listed += within;
	if (known == 1 && before == 0 && within)
		count_confirmed(f, feed, a->when);
	else if (known == 0 || before == 1)
		f->span->missing += within;
	return known == 1 ? 0 : add_missing(f, a, err);
}

void
finding_judge(void *ctx, struct write_batch *p, struct slice id, int64_t when,
    bool known)
{
	struct finding *f = ctx;
	struct span_row *span = f->span;
	const bool within = is_within(span, when);
	struct err err = ERR_INIT;

	if (id.data == NULL) {
		span->listed += within;
		span->unnamed += within;
		return;
	}
	/* In each batch that may become durable. */
	if (!known)
		write_batch_missing(p, id,
		    when == INT64_MIN ? span->from : when);
	if (came_before(f, id))
		return;
	span->listed += within;
	if (known &&
	    missing_has(f->runner->collector->store, span->subject, id, &err) !=
		1) {
		if (within)
			count_confirmed(f, span->subject, when);
	} else {
		span->missing += within;
	}
}

int
finding_commit(struct finding *f, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < f->runner->n_workers && rc == 0; i++)
		rc = commit(f, i, err);
	return rc;
}
