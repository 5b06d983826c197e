/*
 * outputs.c - an output that gets nothing delivered is told in the agent's own
 * feed, which the other outputs have: once, every hour, and at its end.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "collect/collect_private.h"
#include "config/config.h"
#include "sources/agent_feed.h"
#include "store/report.h"

#define TELL_EVERY CLOCK_HOUR
/* A hiccup is over before. */
#define LASTS (10 * CLOCK_SECOND)

static void
tell(struct collector *c, struct output_watch *w, const struct output_report *o)
{
	int64_t now = clock_monotonic(), failed = clock_now() - o->failed;

	if (failed < LASTS || (w->told != 0 && now - w->told < TELL_EVERY))
		return;
	if (w->told == 0)
		w->since = now - failed;
	w->told = now;
	agent_feed_say(c->own, "error",
	    json_pack("{s:s, s:s, s:o}", "output", o->name, "class", "output",
		"error", agent_feed_text(o->error)));
}

static void
tell_end(struct collector *c, struct output_watch *w,
    const struct output_report *o)
{
	int64_t lasted = (clock_monotonic() - w->since) / CLOCK_SECOND;

	if (w->told == 0)
		return;
	*w = (struct output_watch){ .told = 0 };
	agent_feed_say(c->own, "recovered",
	    json_pack("{s:s, s:I}", "output", o->name, "after_seconds",
		(json_int_t)lasted));
}

void
collect_watch_outputs(struct collector *c)
{
	const struct config *config = c->role->config;
	struct output_report *o = xcalloc(1, sizeof(*o));
	struct err err = ERR_INIT;
	int rc;

	if (c->outputs == NULL)
		c->outputs =
		    xcalloc(config->n_outputs + 1, sizeof(*c->outputs));
	while ((rc = report_output(c->store, o->name, o, &err)) == 1)
		for (size_t i = 0; i < config->n_outputs; i++) {
			if (strcmp(config->outputs[i].name, o->name) != 0)
				continue;
			if (o->error[0] != '\0')
				tell(c, &c->outputs[i], o);
			else
				tell_end(c, &c->outputs[i], o);
		}
	if (rc == -1)
		log_info("%s", err.text);
	free(o);
}
