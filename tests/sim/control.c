/*
 * control.c - the control listener: a script steers the vendor and reads its
 * counters.
 *
 *   GET  /stat             all counters, "name value" a line
 *   GET  /stat?name=made   one value
 *   POST /ACTION?key=value…  one of the table below
 *
 * Anything else came here by a foreign URL, and is counted as such.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/content.h"
#include "tests/sim/request.h"

const char *const stats_names[STATS] = {
	[STAT_TOKENS] = "tokens",
	[STAT_TOKENS_REFUSED] = "tokens_refused",
	[STAT_UNAUTHORIZED] = "unauthorized",
	[STAT_SUBSCRIPTIONS] = "subscriptions",
	[STAT_STARTS] = "starts",
	[STAT_STARTS_TOO_SOON] = "starts_too_soon",
	[STAT_STOPS] = "stops",
	[STAT_LISTINGS] = "listings",
	[STAT_LISTING_ERRORS] = "listing_errors",
	[STAT_PAGES] = "pages",
	[STAT_BLOBS] = "blobs",
	[STAT_BLOBS_GONE] = "blobs_gone",
	[STAT_NO_PUBLISHER] = "no_publisher",
	[STAT_FOREIGN] = "foreign",
	[STAT_FOREIGN_TOKENS] = "foreign_tokens",
	[STAT_MADE_BLOBS] = "made_blobs",
	[STAT_MADE] = "made",
	[STAT_LOST] = "lost",
	[STAT_QUERIES] = "queries",
	[STAT_QUERY_LOOKS] = "query_looks",
	[STAT_RECORD_PAGES] = "record_pages",
};

struct call {
	struct sim *sim;
	struct MHD_Connection *conn;
	struct buf *out;
};

struct action {
	const char *name;
	/* 0, or -1: an argument is missing or wrong.  Under the lock. */
	int (*run)(struct call *c);
};

static const char *
argument(const struct call *c, const char *name)
{
	return MHD_lookup_connection_value(c->conn, MHD_GET_ARGUMENT_KIND,
	    name);
}

static int64_t
number(const struct call *c, const char *name, int64_t otherwise)
{
	const char *s = argument(c, name);

	return s == NULL ? otherwise : strtoll(s, NULL, 10);
}

/* type=Audit.Exchange; the general one when it is not given. */
static struct feed *
feed_argument(const struct call *c)
{
	const char *type = argument(c, "type");

	for (int i = 0; type != NULL && i < CONTENTS; i++) {
		if (strcmp(type, content_names[i]) == 0)
			return &c->sim->feed[i];
	}
	return type == NULL ? &c->sim->feed[CONTENT_GENERAL] : NULL;
}

/* make?type=&events=1&blobs=1&age=0&hold=0&life=0&gone=AF20051&foreign=1
 * &small=1&large=1; times in seconds. */
static int
action_make(struct call *c)
{
	struct feed *f = feed_argument(c);
	const char *gone = argument(c, "gone");
	struct make make = { .age = number(c, "age", 0) * MS,
		.hold = number(c, "hold", 0) * MS,
		.life = number(c, "life", 0) * MS,
		.foreign = number(c, "foreign", 0) != 0,
		.small = number(c, "small", 0) != 0,
		.large = number(c, "large", 0) != 0 };

	if (gone != NULL)
		make.gone =
		    strcmp(gone, "AF20050") == 0 ? "AF20050" : "AF20051";
	if (f == NULL)
		return -1;
	for (int64_t i = number(c, "blobs", 1); i > 0; i--)
		content_make(c->sim, f, (size_t)number(c, "events", 1), &make);
	return 0;
}

/* again?type=: the last blob once more under another id */
static int
action_again(struct call *c)
{
	struct feed *f = feed_argument(c);

	if (f == NULL || f->n_blobs == 0)
		return -1;
	content_again(c->sim, f);
	return 0;
}

/* big?type=&bytes= */
static int
action_big(struct call *c)
{
	struct feed *f = feed_argument(c);

	if (f == NULL || number(c, "bytes", 0) <= 0)
		return -1;
	content_synthetic(c->sim, f, (uint64_t)number(c, "bytes", 0));
	return 0;
}

static int
action_disable(struct call *c)
{
	struct feed *f = feed_argument(c);

	if (f == NULL)
		return -1;
	f->enabled = false;
	f->disabled = true;
	return 0;
}

static int
action_enable(struct call *c)
{
	struct feed *f = feed_argument(c);

	if (f == NULL)
		return -1;
	f->enabled = true;
	f->disabled = false;
	return 0;
}

/* clock?offset=SECONDS */
static int
action_clock(struct call *c)
{
	c->sim->clock_offset = number(c, "offset", 0) * MS;
	return 0;
}

/* graph?time=SECONDS&limit=&failing=&throttled=&foreign=&hidden=&denied=: what
 * is given of struct graph */
static int
action_graph(struct call *c)
{
	struct graph *g = &c->sim->graph;

	g->time = number(c, "time", g->time / MS) * MS;
	g->limit = number(c, "limit", g->limit);
	g->failing = number(c, "failing", g->failing);
	g->throttled = number(c, "throttled", g->throttled);
	g->foreign = number(c, "foreign", g->foreign);
	g->hidden = number(c, "hidden", g->hidden);
	g->denied = number(c, "denied", g->denied) != 0;
	return 0;
}

static int
action_pause(struct call *c)
{
	c->sim->paused = true;
	return 0;
}

static int
action_resume(struct call *c)
{
	c->sim->paused = false;
	return 0;
}

/* No more events than there are; what was promised is forgotten. */
static int
action_finish(struct call *c)
{
	c->sim->enough = true;
	return 0;
}

/* rate?events=PER_SECOND */
static int
action_rate(struct call *c)
{
	c->sim->opt.rate = (double)number(c, "events", 100);
	return 0;
}

/* faults?set=SCRIPT */
static int
action_faults(struct call *c)
{
	const char *script = argument(c, "set");

	return script == NULL ||
		config_errors_parse(&c->sim->faults, script) != NULL
	    ? -1
	    : 0;
}

/* Every token given out so far is worth nothing. */
static int
action_expire_tokens(struct call *c)
{
	for (size_t i = 0; i < c->sim->n_tokens; i++)
		c->sim->tokens[i].expires = 0;
	return 0;
}

static const struct action actions[] = {
	{ "again", action_again },
	{ "big", action_big },
	{ "clock", action_clock },
	{ "disable", action_disable },
	{ "enable", action_enable },
	{ "expire-tokens", action_expire_tokens },
	{ "faults", action_faults },
	{ "finish", action_finish },
	{ "graph", action_graph },
	{ "make", action_make },
	{ "pause", action_pause },
	{ "rate", action_rate },
	{ "resume", action_resume },
};

static void
add_stat(struct call *c, const char *name, uint64_t value)
{
	const char *only = argument(c, "name");
	int rc = 0;

	if (only == NULL)
		rc = buf_addf(c->out, "%s %llu\n", name,
		    (unsigned long long)value);
	else if (strcmp(only, name) == 0)
		rc = buf_addf(c->out, "%llu\n", (unsigned long long)value);
	if (rc == -1)
		sim_die("too many counters");
}

static void
add_stats(struct call *c)
{
	struct sim *s = c->sim;

	for (int i = 0; i < STATS; i++)
		add_stat(c, stats_names[i], s->stat[i]);
	add_stat(c, "outstanding", content_outstanding(s));
	add_stat(c, "finished", s->finished);
	for (int i = FAULT_NONE + 1; i < FAULTS; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "fault.%s",
		    fault_name((enum fault)i));
		add_stat(c, name, s->faults.rule[i].hits);
	}
}

static int
run_action(struct call *c, const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].run(c);
	}
	return -1;
}

/* Somebody followed a foreign URL. */
static void
count_foreign(struct call *c)
{
	c->sim->stat[STAT_FOREIGN]++;
	if (MHD_lookup_connection_value(c->conn, MHD_HEADER_KIND,
		"Authorization") != NULL)
		c->sim->stat[STAT_FOREIGN_TOKENS]++;
}

int
control_answer(struct sim *s, struct MHD_Connection *conn, const char *method,
    const char *url)
{
	struct buf out = BUF_INIT(1 << 20);
	struct call c = { .sim = s, .conn = conn, .out = &out };
	struct MHD_Response *resp;
	unsigned status = 200;
	int rc;

	(void)pthread_mutex_lock(&s->lock);
	if (strcmp(url, "/stat") == 0)
		add_stats(&c);
	else if (strncmp(url, "/api/", 5) == 0)
		count_foreign(&c);
	else if (strcmp(method, "POST") != 0 || run_action(&c, url + 1) == -1)
		status = 400;
	(void)pthread_mutex_unlock(&s->lock);
	resp = MHD_create_response_from_buffer(out.len, out.data,
	    MHD_RESPMEM_MUST_COPY);
	buf_release(&out);
	rc = (int)MHD_queue_response(conn, status, resp);
	MHD_destroy_response(resp);
	return rc;
}
