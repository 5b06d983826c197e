/*
 * status.c - the state of the agent, and what follows from it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/config.h"
#include "sources/source.h"
#include "store/recent.h"
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

static int
read_troubles(struct store *s, struct status *st, struct err *err)
{
	int rc;

	for (;; st->n_troubles++) {
		struct trouble *t;

		st->troubles =
		    grow(st->troubles, st->n_troubles, sizeof(*st->troubles));
		t = &st->troubles[st->n_troubles];
		*t = (struct trouble){ .since = 0 };
		if (st->n_troubles > 0)
			*t = st->troubles[st->n_troubles - 1];
		rc = trouble_next(s, t, err);
		if (rc != 1)
			return rc;
	}
}

const struct trouble *
status_trouble(const struct status *st, const char *class)
{
	for (size_t i = 0; i < st->n_troubles; i++)
		if (strcmp(st->troubles[i].class, class) == 0)
			return &st->troubles[i];
	return NULL;
}

/* What went through lately. */
static int
read_recent(struct store *s, struct status *st, struct err *err)
{
	const int64_t since = st->now - STATUS_RECENT;

	if (recent_feeds(s, since, st->feeds, st->n_feeds, err) != 0)
		return -1;
	for (size_t i = 0; i < st->n_outputs; i++)
		if (recent_output(s, since, &st->outputs[i], err) != 0)
			return -1;
	return recent_gaps(s, st->now - CLOCK_DAY, &st->gaps_new, err);
}

static bool
is_of(const struct feed_report *f, const struct config_entry *source)
{
	size_t len = strlen(source->name);

	return strncmp(f->name, source->name, len) == 0 && f->name[len] == '/';
}

/* Feeds mostly stand in the order of their sources: each search begins where
 * the last one ended. */
static void
read_retention(struct status *st)
{
	const struct config *config = st->config;
	struct source_definition d;
	size_t at = 0;

	for (size_t i = 0; i < st->n_feeds; i++) {
		struct feed_report *f = &st->feeds[i];

		f->retention = 0;
		for (size_t k = 0; k < config->n_sources; k++) {
			const struct config_entry *s = &config->sources[at];

			if (is_of(f, s)) {
				source_type_of(s->type)->define(s->conf, &d);
				f->retention = d.retention;
				break;
			}
			at = (at + 1) % config->n_sources;
		}
	}
}

static int
read_all(struct store *s, struct status *st, struct err *err)
{
	if (read_troubles(s, st, err) != 0)
		return -1;
	store_was_full(s, status_trouble(st, TROUBLE_FULL) != NULL);
	if (store_room_now(s, &st->room, err) != 0)
		return -1;
	if (read_feeds(s, st, err) != 0 || read_outputs(s, st, err) != 0)
		return -1;
	read_retention(st);
	if (read_recent(s, st, err) != 0 ||
	    expiry_first(s, &st->first_expiry, err) < 0)
		return -1;
	return report_gaps(s, &st->gaps, &st->gaps_open, err);
}

int
status_read(struct store *s, const struct config *config, struct status *st,
    struct err *err)
{
	int rc;

	st->config = config;
	st->now = clock_now();
	/* Without it, less is known. */
	(void)roles_read(config->agent.store.path, &st->roles, NULL);
	store_limits(s, config->agent.store.max_size,
	    config->agent.store.min_free);
	if (report_begin(s, err) != 0)
		return -1;
	rc = read_all(s, st, err);
	report_end(s);
	return rc;
}

void
status_without_store(const struct config *config, struct status *st)
{
	const char *path = config->agent.store.path;

	*st = (struct status){ .config = config, .now = clock_now() };
	st->room.full = store_cramped(path);
	/* Without it, less is known. */
	(void)roles_read(path, &st->roles, NULL);
}

/* The agent's own feed gets an event every minute. */
#define HEARTBEAT_LATE (3 * CLOCK_MINUTE)

void
status_release(struct status *st)
{
	free(st->feeds);
	free(st->outputs);
	free(st->troubles);
	roles_release(&st->roles);
	*st = (struct status){ .now = 0 };
}

static int64_t
earlier(int64_t a, int64_t b)
{
	if (a == REPORT_NEVER)
		return b;
	return b == REPORT_NEVER || a < b ? a : b;
}

int64_t
status_deletion(const struct feed_report *f)
{
	int64_t until = REPORT_NEVER;

	if (f->items > 0 && f->items_expire != INT64_MAX)
		until = f->items_expire;
	if (!f->closed && f->retention > 0 && f->horizon != REPORT_NEVER)
		until = earlier(until, f->horizon + f->retention);
	return until;
}

int64_t
status_first_deletion(const struct status *st)
{
	int64_t first = REPORT_NEVER;

	for (size_t i = 0; i < st->n_feeds; i++)
		first = earlier(first, status_deletion(&st->feeds[i]));
	return first;
}

int64_t
status_silent_since(const struct status *st)
{
	int64_t last = REPORT_NEVER;
	char own[sizeof(st->feeds->name)];

	(void)snprintf(own, sizeof(own), "%s/agent", st->config->agent.name);
	for (size_t i = 0; i < st->n_feeds; i++)
		if (!st->feeds[i].closed && strcmp(st->feeds[i].name, own) == 0)
			last = st->feeds[i].committed;
	/* A full store takes no heartbeat. */
	if (st->room.full || last == REPORT_NEVER ||
	    st->now - last < HEARTBEAT_LATE)
		return REPORT_NEVER;
	return last;
}

/* What a mode of delivery proves. */
static const struct {
	const char *mode;
	const char *proves;
} modes[] = {
	{ "acknowledged",
	    "the receiver acknowledged the request of each event" },
	{ "confirmed",
	    "the receiver's application has read each event that counts as "
	    "delivered" },
	{ "relayed",
	    "the other end of TLS has read what has a receipt; it may be a "
	    "load balancer, so the last part is held (receipts: direct if "
	    "nothing is in between)" },
	{ "unconfirmed",
	    "the receiver does not confirm what it has read; after an abnormal "
	    "disconnect the last part is sent again" },
	{ "written to disk", "each event is on this machine's disk" },
};

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t
status_last_sign(const struct status *st)
{
	int64_t last = later(st->roles.began, st->roles.stopped);

	for (size_t i = 0; i < st->n_feeds; i++) {
		last = later(last, st->feeds[i].committed);
		last = later(last, st->feeds[i].success);
	}
	for (size_t i = 0; i < st->n_outputs; i++)
		last = later(last, st->outputs[i].moved);
	return last;
}

double
status_rate(const struct status *st, uint64_t recent)
{
	int64_t span = STATUS_RECENT;

	if (st->life == STATUS_RUNS && st->roles.began != REPORT_NEVER &&
	    st->now - st->roles.began < span)
		span = st->now - st->roles.began;
	if (span < 10 * CLOCK_SECOND)
		span = 10 * CLOCK_SECOND;
	return (double)recent * (double)CLOCK_SECOND / (double)span;
}

const char *
status_proves(const char *mode)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].mode, mode) == 0)
			return modes[i].proves;
	return NULL;
}
