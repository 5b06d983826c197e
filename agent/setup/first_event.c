/*
 * first_event.c - has an event made its way through?
 */
#include <string.h>

#include "config/config.h"
#include "setup/first_event.h"
#include "store/report.h"

/* Is it a feed of a source that is configured? */
static bool
of_a_source(const struct config *config, const char *feed)
{
	const size_t len = strcspn(feed, "/");

	for (size_t i = 0; i < config->n_sources; i++)
		if (strlen(config->sources[i].name) == len &&
		    strncmp(config->sources[i].name, feed, len) == 0)
			return true;
	return false;
}

/* Do all outputs have it?  1, 0, -1. */
static int
everywhere(struct store *s, const struct trace *t, struct err *err)
{
	struct trace_output o = { .name = "" };
	bool all = true, any = false;
	int rc;

	while ((rc = trace_output(s, t, o.name, &o, err)) == 1) {
		any = true;
		all = all && o.state != TRACE_WAITING;
	}
	return rc != 0 ? -1 : all && any;
}

/* The first event of a feed, or its last where the first is known no more. */
static int
read_event(struct store *s, const struct feed_report *f, struct trace *t,
    struct err *err)
{
	struct trace_place place = { .feed = f->id };

	if (trace_read(s, &place, t, err) != 0)
		return -1;
	if (t->batch != 0)
		return 0;
	place.index = f->sealed - 1;
	return trace_read(s, &place, t, err);
}

int
first_event(struct store *s, const struct config *config, bool own,
    struct trace *t, struct err *err)
{
	struct feed_report f = { .id = 0 };
	struct trace found;
	int rc;

	*t = (struct trace){ .feed = "" };
	while ((rc = report_feed(s, f.id, &f, err)) == 1) {
		if (f.sealed == 0 || of_a_source(config, f.name) == own)
			continue;
		if (read_event(s, &f, &found, err) != 0)
			return -1;
		rc = everywhere(s, &found, err);
		if (rc != 0 || t->feed[0] == '\0')
			*t = found;
		if (rc != 0)
			return rc;
	}
	return rc;
}
