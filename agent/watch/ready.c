/*
 * ready.c - is the agent alive, and does it do its work?
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/role.h"
#include "config/config.h"
#include "sources/source.h"
#include "watch/ready.h"
#include "watch/status.h"

/* The agent feed's heartbeat comes every minute; this much later it is late. */
#define HEARTBEAT_LATE (3 * CLOCK_MINUTE)

/* What may pass by itself has so long; what someone must put right has not. */
#define TROUBLE_LASTS (20 * CLOCK_SECOND)
#define OUTPUT_LASTS CLOCK_MINUTE
/* A feed is polled so many intervals after the last time at most, and then some
 * time may pass with a long list. */
#define POLLS_MISSED 3
#define POLL_LASTS (3 * CLOCK_MINUTE)

static const struct feed_report *
own_feed(const struct status *st)
{
	char name[sizeof(st->feeds->name)];

	(void)snprintf(name, sizeof(name), "%s/agent", st->config->agent.name);
	for (size_t i = 0; i < st->n_feeds; i++)
		if (!st->feeds[i].closed &&
		    strcmp(st->feeds[i].name, name) == 0)
			return &st->feeds[i];
	return NULL;
}

static int
check_heartbeat(const struct status *st, const struct role *r, struct err *err)
{
	const struct feed_report *own = own_feed(st);
	int64_t last = own != NULL ? own->committed : REPORT_NEVER;

	if (last < r->started)
		last = r->started;
	if (st->now - last > HEARTBEAT_LATE)
		return err_set(err,
		    "collect: no heartbeat for %" PRId64 " seconds",
		    (st->now - last) / CLOCK_SECOND);
	if (own != NULL && own->sealed < own->size &&
	    st->now - last > HEARTBEAT_LATE / 3)
		return err_set(err,
		    "seal: %" PRIu64 " events of the agent's own feed wait for "
		    "their checkpoint; see agent.key",
		    own->size - own->sealed);
	return 0;
}

int
ready_alive(const struct status *st, const struct role *r, struct err *err)
{
	/* A full store takes no heartbeat. */
	if (st->room.full)
		return err_set(err,
		    "the store is full: collecting pauses; check which output "
		    "is behind, free space on its disk, or raise "
		    "store.max_size");
	return check_heartbeat(st, r, err);
}

/* Someone has to act: that does not pass. */
static bool
is_serious(const struct trouble *t)
{
	static const char *const classes[] = { "credentials", "configuration",
		"clock", "seal" };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(t->class, classes[i]) == 0)
			return true;
	return false;
}

static int
check_troubles(const struct status *st, struct err *err)
{
	for (size_t i = 0; i < st->n_troubles; i++) {
		const struct trouble *t = &st->troubles[i];

		if (t->stands &&
		    (is_serious(t) || st->now - t->since >= TROUBLE_LASTS))
			return err_set(err, "%s: %s", t->subject, t->text);
	}
	return 0;
}

/* The feed is in the store; was it read, and lately? */
static int
check_feed(const struct status *st, const struct role *r, const char *name,
    int64_t interval, struct err *err)
{
	int64_t late = POLLS_MISSED * interval + POLL_LASTS;

	for (size_t i = 0; i < st->n_feeds; i++) {
		const struct feed_report *f = &st->feeds[i];

		if (f->closed || strcmp(f->name, name) != 0)
			continue;
		if (f->success < r->started)
			break;
		if (st->now - f->success <= late)
			return 0;
		return err_set(err,
		    "%s: has not been read for %" PRId64
		    " seconds; see \"sealfeed status\"",
		    name, (st->now - f->success) / CLOCK_SECOND);
	}
	return err_set(err,
	    "%s: has not been read since the start; see \"sealfeed status\"",
	    name);
}

static int
check_feeds(const struct status *st, const struct role *r, struct err *err)
{
	const struct config *c = st->config;

	for (size_t i = 0; i < c->n_sources; i++) {
		struct source_definition d;

		source_type_of(c->sources[i].type)
		    ->define(c->sources[i].conf, &d);
		for (size_t k = 0; d.streams[k] != NULL; k++) {
			char name[sizeof(st->feeds->name)];

			(void)snprintf(name, sizeof(name), "%s/%s",
			    c->sources[i].name, d.streams[k]);
			if (check_feed(st, r, name, d.interval, err) != 0)
				return -1;
		}
	}
	return 0;
}

static int
check_outputs(const struct status *st, struct err *err)
{
	for (size_t i = 0; i < st->n_outputs; i++) {
		const struct output_report *o = &st->outputs[i];

		if (o->error[0] != '\0' && st->now - o->failed >= OUTPUT_LASTS)
			return err_set(err, "%s: %s", o->name, o->error);
	}
	return 0;
}

int
ready_works(const struct status *st, const struct role *r, struct err *err)
{
	/* What stands still may be why there is no heartbeat. */
	if (check_troubles(st, err) != 0 || ready_alive(st, r, err) != 0)
		return -1;
	if (own_feed(st) == NULL || own_feed(st)->committed < r->started ||
	    own_feed(st)->sealed == 0)
		return err_set(err,
		    "collect and seal: no heartbeat since the start");
	if (check_feeds(st, r, err) != 0)
		return -1;
	return check_outputs(st, err);
}
