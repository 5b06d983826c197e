/*
 * status_read.c - how the agent does, out of the store.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/config.h"
#include "watch/status.h"

/* Make room for row n of an array that grows by doubling. */
static void *
grow(void *rows, size_t n, size_t size)
{
	if (n > 0 && (n & (n - 1)) != 0)
		return rows;
	return xreallocarray(rows, n == 0 ? 1 : 2 * n, size);
}

static int
read_feeds(struct store *s, struct status *st, struct err *err)
{
	int64_t after;
	int rc;

	for (;; st->n_feeds++) {
		if (st->n_feeds == STATUS_ROWS)
			return err_set(err, "the store has more than %d feeds",
			    STATUS_ROWS);
		st->feeds = grow(st->feeds, st->n_feeds, sizeof(st->feeds[0]));
		after = st->n_feeds == 0 ? 0 : st->feeds[st->n_feeds - 1].id;
		rc = report_feed(s, after, &st->feeds[st->n_feeds], err);
		if (rc != 1)
			return rc;
	}
}

static int
read_outputs(struct store *s, struct status *st, struct err *err)
{
	const char *after;
	int rc;

	for (;; st->n_outputs++) {
		if (st->n_outputs == STATUS_ROWS)
			return err_set(err,
			    "the store has more than %d outputs", STATUS_ROWS);
		st->outputs =
		    grow(st->outputs, st->n_outputs, sizeof(st->outputs[0]));
		after = st->n_outputs == 0
		    ? ""
		    : st->outputs[st->n_outputs - 1].name;
		rc = report_output(s, after, &st->outputs[st->n_outputs], err);
		if (rc != 1)
			return rc;
	}
}

int
status_read(struct store *s, const struct config *config, struct status *st,
    struct err *err)
{
	st->config = config;
	st->now = clock_now();
	store_limits(s, config->agent.store.max_size,
	    config->agent.store.min_free);
	if (store_room_now(s, &st->room, err) != 0)
		return -1;
	if (read_feeds(s, st, err) != 0 || read_outputs(s, st, err) != 0)
		return -1;
	return report_gaps(s, &st->gaps, err);
}
