/*
 * reconcile.c - streams that follow a vendor's own cursor, asked by time as
 * well (`bounded` of a definition): what the cursor left out is found.  And
 * windows that the vendor counts itself (total.c).
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sources/rest/rest_private.h"
#include "store/feed.h"

#define FIELD(name) offsetof(struct rest_reconcile, name)

const struct setting rest_reconcile_settings[] = {
	{ .key = "reconcile.every",
	    .type = SETTING_DURATION,
	    .offset = FIELD(every),
	    .def = "0s",
	    .min = 0,
	    .max = CLOCK_DAY,
	    .help = "How often it is looked which spans of time are over, and "
		    "the vendor is asked for them by time: what its cursor "
		    "left out is forwarded, with \"via\":\"query\" beside it, "
		    "counted and listed (sealfeed reconcile). 0: never." },
	{ .key = "reconcile.settle",
	    .type = SETTING_DURATION,
	    .offset = FIELD(settle),
	    .def = "1h",
	    .min = 0,
	    .max = 7 * CLOCK_DAY,
	    .help = "How long a span has been over when it is asked for." },
	{ .key = "reconcile.span",
	    .type = SETTING_DURATION,
	    .offset = FIELD(span),
	    .def = "1h",
	    .min = CLOCK_SECOND,
	    .max = CLOCK_DAY,
	    .help = "Time that is asked for at once." },
	SETTING_END,
};

static bool
covers(const void *conf, const char *stream)
{
	const struct rest_conf *c = conf;

	return c->reconcile.every > 0 &&
	    definition_stream(c->def, stream)->bounded != NULL;
}

/* Windows whose first page tells how many rows they have. */
static bool
accounts(const void *conf, const char *stream)
{
	const struct rest_conf *c = conf;

	return definition_stream(c->def, stream)->page.total != NULL;
}

/* Windows end a while behind an hour's end. */
#define SETTLE CLOCK_HOUR

static bool
bounds(const void *conf, struct source_audit *out)
{
	const struct rest_conf *c = conf;

	*out = (struct source_audit){ .via = VIA_QUERY,
		.every = c->reconcile.every,
		.settle = c->reconcile.every > 0 ? c->reconcile.settle : SETTLE,
		.span = c->reconcile.span,
		.least = CLOCK_SECOND,
		.patience = CLOCK_DAY };
	if (c->reconcile.every > 0)
		return true;
	for (size_t i = 0; c->streams[i] != NULL; i++)
		if (accounts(c, c->streams[i]))
			return true;
	return false;
}

/* The cursor says where the feed began. */
static int64_t
since(const struct source *s, struct feed *feed)
{
	char *text = feed_cursor(feed);
	json_t *top = json_loads(text, 0, NULL);
	const json_t *from = json_object_get(top, "from");
	int64_t when = INT64_MIN;

	(void)s;
	if (!json_is_string(from) ||
	    clock_parse(json_string_value(from), json_string_length(from),
		&when) != 0)
		when = INT64_MIN;
	json_decref(top);
	free(text);
	return when;
}

const struct audit_calls rest_audit = {
	.covers = covers,
	.accounts = accounts,
	.all_or_none = true,
	.lacks = "no window was read of which the vendor counts as many "
		 "events as it gave, for all of it",
	.bounds = bounds,
	.since = since,
};
