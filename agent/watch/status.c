/*
 * status.c - how the agent does, and what follows from it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "sources/source.h"
#include "watch/status.h"

/* The agent's own feed gets an event every minute. */
#define HEARTBEAT_LATE (3 * CLOCK_MINUTE)

void
status_release(struct status *st)
{
	free(st->feeds);
	free(st->outputs);
	*st = (struct status){ .now = 0 };
}

/* How long the vendor of a feed keeps what it made available; 0: unknown. */
static int64_t
retention(const struct config *config, const char *feed)
{
	size_t len = strcspn(feed, "/");

	for (size_t i = 0; i < config->n_sources; i++) {
		const struct config_entry *s = &config->sources[i];

		if (strlen(s->name) == len && strncmp(s->name, feed, len) == 0)
			return source_type_of(s->type)->retention;
	}
	return 0;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	if (a == REPORT_NEVER)
		return b;
	return b == REPORT_NEVER || a < b ? a : b;
}

int64_t
status_deletion(const struct config *config, const struct feed_report *f)
{
	int64_t keeps = retention(config, f->name);
	int64_t until = REPORT_NEVER;

	if (f->items > 0 && f->items_expire != INT64_MAX)
		until = f->items_expire;
	if (!f->closed && keeps > 0 && f->horizon != REPORT_NEVER)
		until = earlier(until, f->horizon + keeps);
	return until;
}

int64_t
status_first_deletion(const struct status *st)
{
	int64_t first = REPORT_NEVER;

	for (size_t i = 0; i < st->n_feeds; i++)
		first =
		    earlier(first, status_deletion(st->config, &st->feeds[i]));
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
