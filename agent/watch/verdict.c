/*
 * verdict.c - how the agent does, in one line.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/human.h"
#include "base/json_put.h"
#include "base/mem.h"
#include "config/config.h"
#include "sources/source.h"
#include "watch/status.h"
#include "watch/verdict.h"

/* The agent feed's heartbeat comes every minute; this much later it is late. */
#define HEARTBEAT_LATE (3 * CLOCK_MINUTE)
/* A heartbeat that is so far ahead was not written by this clock. */
#define CLOCK_BACK (2 * CLOCK_MINUTE)

/* What may pass by itself has so long; what someone must put right has not. */
#define TROUBLE_LASTS (20 * CLOCK_SECOND)
#define TROUBLE_BAD (5 * CLOCK_MINUTE)
#define OUTPUT_LASTS CLOCK_MINUTE
/* A feed is polled so many intervals after the last time at most, and then some
 * time may pass with a long list. */
#define POLLS_MISSED 3
#define POLL_LASTS (3 * CLOCK_MINUTE)
/* A role that died is back in a moment. */
#define ROLE_LASTS (5 * CLOCK_SECOND)
/* So long after the start a role may take. */
#define ROLE_STARTING (30 * CLOCK_SECOND)
/* So long after the start not everything was read yet. */
#define START_LASTS (3 * CLOCK_MINUTE)

/* What comes first among remarks of a level. */
enum rank {
	RANK_AGENT,
	RANK_STORE,
	RANK_ROLE,
	RANK_SEAL,
	RANK_HEARTBEAT,
	RANK_FEED,
	RANK_OUTPUT,
	RANK_CLOCK,
	RANK_FIGURE,
	RANK_WAITS
};

struct judge {
	const struct status *st;
	struct verdict *v;
	size_t room;
};

/* Add a remark; fmt: its state. */
static struct remark *remark(struct judge *j, enum level level, enum rank rank,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static struct remark *
remark(struct judge *j, enum level level, enum rank rank, const char *fmt, ...)
{
	struct verdict *v = j->v;
	struct remark *r;
	va_list ap;

	if (v->n == j->room) {
		j->room = j->room == 0 ? 8 : 2 * j->room;
		v->remark =
		    xreallocarray(v->remark, j->room, sizeof(*v->remark));
	}
	r = &v->remark[v->n++];
	*r = (struct remark){
		.level = level, .rank = rank, .since = REPORT_NEVER
	};
	va_start(ap, fmt);
	(void)vsnprintf(r->state, sizeof(r->state), fmt, ap);
	va_end(ap);
	return r;
}

static void
set_text(struct remark *r, const char *subject, const char *text)
{
	(void)snprintf(r->subject, sizeof(r->subject), "%s", subject);
	(void)snprintf(r->text, sizeof(r->text), "%s", text);
}

/* Nobody has to read that of every feed. */
static struct remark *
remark_starting(struct judge *j, enum rank rank)
{
	for (size_t i = 0; i < j->v->n; i++)
		if (strcmp(j->v->remark[i].state, "starting") == 0)
			return NULL;
	return remark(j, LEVEL_WARNING, rank, "starting");
}

static const char *
words(char *out, const struct judge *j, int64_t since)
{
	return human_words(out, j->st->now - since);
}

/* The trouble of that subject (NULL: any) that lets it stand still since then
 * or earlier; NULL: there is none. */
static const struct trouble *
stands(const struct status *st, const char *subject, int64_t since)
{
	for (size_t i = 0; i < st->n_troubles; i++) {
		const struct trouble *t = &st->troubles[i];

		if (t->stands && t->since <= since &&
		    (subject == NULL || strcmp(t->subject, subject) == 0))
			return t;
	}
	return NULL;
}

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

/* When the agent began; where nobody says, long ago. */
static int64_t
began(const struct status *st)
{
	return st->roles.began == REPORT_NEVER ? 0 : st->roles.began;
}

/* Where nobody looked at its lock, what it said last counts. */
static bool
runs_not(const struct status *st)
{
	return st->life == STATUS_RUNS_NOT ||
	    (st->life == STATUS_LIFE_UNKNOWN &&
		st->roles.stopped != REPORT_NEVER);
}

/* It ended, was ended, or was never there. */
static void
check_life(struct judge *j)
{
	const struct status *st = j->st;
	int64_t last = status_last_sign(st);
	char text[HUMAN_TEXT];
	struct remark *r;

	if (!runs_not(st))
		return;
	if (last == REPORT_NEVER)
		r = remark(j, LEVEL_CRITICAL, RANK_AGENT, "never started");
	else if (st->roles.stopped != REPORT_NEVER)
		r = remark(j, LEVEL_CRITICAL, RANK_AGENT, "stopped %s ago",
		    words(text, j, st->roles.stopped));
	else
		r = remark(j, LEVEL_CRITICAL, RANK_AGENT,
		    "not running, its last sign of life was %s ago",
		    words(text, j, last));
	r->since = st->roles.stopped != REPORT_NEVER ? st->roles.stopped : last;
	r->idle = r->dead = true;
	set_text(r, "",
	    st->roles.note[0] != '\0' ? st->roles.note
		: last == REPORT_NEVER
		? "\"systemctl enable --now sealfeed\" starts it"
		: st->roles.stopped == REPORT_NEVER
		? "it ended without a word; see its log (journalctl -u "
		  "sealfeed)"
		: "");
}

static void
check_configured(struct judge *j)
{
	const struct config *c = j->st->config;
	struct remark *r;

	if (c->n_outputs > 0 && c->n_sources > 0)
		return;
	r = remark(j, c->n_outputs == 0 ? LEVEL_CRITICAL : LEVEL_WARNING,
	    RANK_AGENT, "nothing is configured");
	if (c->n_outputs > 0 || c->n_sources > 0)
		(void)snprintf(r->state, sizeof(r->state),
		    "no %s is configured",
		    c->n_outputs == 0 ? "output" : "source");
	r->idle = c->n_outputs == 0;
	set_text(r, "",
	    c->n_outputs > 0 ? "nothing is collected; add a source"
			     : "the agent does not run without an output; add "
			       "a source and an output");
}

/* Does something else say why a role is not ready: something that is the matter
 * for about as long? */
static bool
is_explained(const struct status *st, const struct role_report *o)
{
	const int64_t since = o->since + ROLE_STARTING;

	if (strcmp(o->name, "collect") == 0)
		return stands(st, NULL, since) != NULL;
	for (size_t i = 0; i < st->n_outputs; i++)
		if (strncmp(o->name, "ship ", 5) == 0 &&
		    strcmp(o->name + 5, st->outputs[i].name) == 0)
			return st->outputs[i].error[0] != '\0' &&
			    st->outputs[i].failed <= since;
	return stands(st, o->name, since) != NULL;
}

/* A role that is not ready right after the start, which is as it should be. */
static void
check_start(struct judge *j, const struct role_report *o)
{
	struct remark *r = remark_starting(j, RANK_ROLE);

	if (r == NULL)
		return;
	r->since = o->since;
	r->idle = true;
	set_text(r, o->name, "");
	(void)snprintf(r->text, sizeof(r->text), "%s is not ready yet",
	    o->name);
}

static void
check_role(struct judge *j, const struct role_report *o)
{
	const bool silent = o->state == ROLE_SILENT;
	char text[HUMAN_TEXT];
	struct remark *r;

	if (o->state == ROLE_STARTS && is_explained(j->st, o))
		return;
	if (!silent && o->deaths == 0 &&
	    j->st->now - began(j->st) < ROLE_STARTING) {
		check_start(j, o);
		return;
	}
	if (!silent && j->st->now - o->since < ROLE_LASTS)
		return;
	if (silent)
		r = remark(j, LEVEL_CRITICAL, RANK_ROLE,
		    "%s shows no sign of life", o->name);
	else
		r = remark(j, LEVEL_CRITICAL, RANK_ROLE, "%s is %s for %s",
		    o->name, o->state == ROLE_DOWN ? "down" : "not ready",
		    words(text, j, o->since));
	r->since = o->since;
	r->idle = true;
	r->dead = o->state != ROLE_STARTS;
	set_text(r, o->name, "see the log (journalctl -u sealfeed)");
	if (o->deaths > 0)
		(void)snprintf(r->text, sizeof(r->text),
		    "its process %s, %" PRIu64 " times so far; see the log",
		    o->how, o->deaths);
}

static void
check_roles(struct judge *j)
{
	const struct roles *all = &j->st->roles;
	struct remark *r;

	if (all->note[0] != '\0') {
		r = remark(j, LEVEL_CRITICAL, RANK_AGENT,
		    "the agent cannot work");
		r->idle = r->dead = true;
		set_text(r, "", all->note);
		return;
	}
	for (size_t i = 0; i < all->n; i++)
		if (all->role[i].state != ROLE_WORKS)
			check_role(j, &all->role[i]);
}

/* The output that most waits for; NULL: nothing does. */
static const struct output_report *
most_behind(const struct status *st)
{
	const struct output_report *most = NULL;

	for (size_t i = 0; i < st->n_outputs; i++)
		if (st->outputs[i].backlog_bytes >
		    (most == NULL ? 0 : most->backlog_bytes))
			most = &st->outputs[i];
	return most;
}

/* The name of why collecting pauses, and when that becomes a gap. */
static void
check_room(struct judge *j)
{
	const struct store_room *room = &j->st->room;
	const struct trouble *paused =
	    runs_not(j->st) ? NULL : status_trouble(j->st, TROUBLE_FULL);
	const struct output_report *behind = most_behind(j->st);
	int64_t deletion = status_first_deletion(j->st);
	char a[HUMAN_TEXT], b[HUMAN_TEXT], gap[100] = "";
	struct remark *r;

	if (!room->full)
		return;
	r = remark(j, LEVEL_CRITICAL, RANK_STORE, "the store is full");
	if (paused != NULL) {
		r->since = paused->since;
		(void)snprintf(r->state, sizeof(r->state),
		    "the store is full for %s", words(a, j, paused->since));
	}
	r->idle = r->dead = true;
	if (deletion != REPORT_NEVER && deletion > j->st->now)
		(void)snprintf(gap, sizeof(gap),
		    ", and the vendor's retention turns that into a gap in %s",
		    human_words(a, deletion - j->st->now));
	else if (deletion != REPORT_NEVER)
		(void)snprintf(gap, sizeof(gap),
		    ", and the vendor's retention is turning that into a gap "
		    "now");
	set_text(r, "store", "");
	if (room->by_size)
		(void)snprintf(r->text, sizeof(r->text),
		    "agent.store.max_size is %s; collecting pauses%s; %s%s, or "
		    "raise it",
		    human_bytes(a, (uint64_t)room->max_size), gap,
		    behind == NULL ? "keep less (agent.retain)"
				   : "see why events wait for ",
		    behind == NULL ? "" : behind->name);
	else
		(void)snprintf(r->text, sizeof(r->text),
		    "its disk has %s free, and %s must stay free "
		    "(agent.store.min_free); collecting pauses%s; free space "
		    "on it",
		    human_bytes(a, (uint64_t)room->free),
		    human_bytes(b, (uint64_t)room->min_free), gap);
}

/* Collect commits an event of the agent's own every minute, seal signs it. */
static void
check_heartbeat(struct judge *j)
{
	const struct status *st = j->st;
	const struct feed_report *own = own_feed(st);
	int64_t last = own != NULL ? own->committed : REPORT_NEVER;
	char text[HUMAN_TEXT];
	struct remark *r;

	if (last != REPORT_NEVER && last - st->now > CLOCK_BACK) {
		r = remark(j, LEVEL_CRITICAL, RANK_CLOCK,
		    "this machine's clock is off");
		r->idle = true;
		set_text(r, "",
		    "the store has events from the future; correct the clock");
		return;
	}
	if (last < began(st))
		last = began(st);
	if (last == 0 || st->room.full)
		return; /* a full store takes no heartbeat */
	r = NULL;
	if (st->now - last > HEARTBEAT_LATE)
		r = remark(j, LEVEL_CRITICAL, RANK_HEARTBEAT,
		    "no heartbeat of collect for %s", words(text, j, last));
	else if (own != NULL && own->sealed < own->size &&
	    st->now - last > HEARTBEAT_LATE / 3 &&
	    stands(st, "seal", st->now) == NULL)
		r = remark(j, LEVEL_CRITICAL, RANK_SEAL,
		    "seal signs nothing for %s", words(text, j, last));
	if (r == NULL)
		return;
	r->since = last;
	r->idle = r->dead = true;
	set_text(r, r->rank == RANK_SEAL ? "seal" : "collect",
	    r->rank == RANK_SEAL
		? "events of the agent's own feed wait for their checkpoint; "
		  "see agent.key"
		: "see its log (journalctl -u sealfeed)");
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

/* Does another trouble say better why the subject stands still: an earlier one,
 * or one that does not pass? */
static bool
is_outdone(const struct status *st, const struct trouble *t)
{
	for (size_t i = 0; i < st->n_troubles; i++) {
		const struct trouble *o = &st->troubles[i];

		if (o == t || !o->stands || strcmp(o->subject, t->subject) != 0)
			continue;
		if (is_serious(o) != is_serious(t) ? is_serious(o)
						   : o->since < t->since)
			return true;
	}
	return false;
}

static void
check_trouble(struct judge *j, const struct trouble *t)
{
	const int64_t age = j->st->now - t->since;
	const bool serious = is_serious(t);
	const bool bad = t->stands && (serious || age >= TROUBLE_BAD);
	char text[HUMAN_TEXT];
	struct remark *r;

	/* It has a sentence of its own. */
	if (strcmp(t->class, TROUBLE_FULL) == 0 || is_outdone(j->st, t))
		return;
	if (!serious && age < (t->stands ? TROUBLE_LASTS : TROUBLE_BAD))
		return;
	(void)words(text, j, t->since);
	if (strcmp(t->class, "clock") == 0)
		r = remark(j, LEVEL_CRITICAL, RANK_CLOCK,
		    "%s: a clock is off for %s", t->subject, text);
	else
		r = remark(j, bad ? LEVEL_CRITICAL : LEVEL_WARNING,
		    !t->stands                          ? RANK_WAITS
			: strcmp(t->class, "seal") == 0 ? RANK_SEAL
							: RANK_FEED,
		    "%s %s for %s", t->subject,
		    t->stands ? "stands still" : "has trouble", text);
	r->since = t->since;
	r->idle = t->stands;
	set_text(r, t->subject, t->text);
}

static void
check_troubles(struct judge *j)
{
	for (size_t i = 0; i < j->st->n_troubles; i++)
		check_trouble(j, &j->st->troubles[i]);
}

/* What was said of a feed already; NULL: nothing. */
static struct remark *
said_of(const struct judge *j, const char *name)
{
	for (size_t i = 0; i < j->v->n; i++)
		if (j->v->remark[i].idle &&
		    strcmp(j->v->remark[i].subject, name) == 0)
			return &j->v->remark[i];
	return NULL;
}

/* A feed was not read since then, or (0) since the start. */
static void
remark_unread(struct judge *j, const char *name, int64_t since,
    const char *error)
{
	const bool starts = since == 0;
	char text[HUMAN_TEXT];
	struct remark *r;

	if (!starts)
		r = remark(j, LEVEL_CRITICAL, RANK_FEED,
		    "%s has not been read for %s", name, words(text, j, since));
	else if (j->st->now - began(j->st) < START_LASTS)
		r = remark_starting(j, RANK_FEED);
	else
		r = remark(j, LEVEL_CRITICAL, RANK_FEED,
		    "%s has not been read since the start", name);
	if (r == NULL)
		return;
	r->since = starts ? began(j->st) : since;
	r->idle = true;
	set_text(r, name, error);
	if (r->level == LEVEL_WARNING)
		(void)snprintf(r->text, sizeof(r->text),
		    "%s has not been read since the start", name);
}

/* The feed that is configured: was it read since the start, and lately?  A
 * trouble that says why is no better than that. */
static void
check_feed(struct judge *j, const char *name, int64_t interval)
{
	const struct status *st = j->st;
	const int64_t late = POLLS_MISSED * interval + POLL_LASTS;
	const struct trouble *t = stands(st, name, st->now);
	const struct feed_report *f = NULL;
	struct remark *r = said_of(j, name);

	for (size_t i = 0; i < st->n_feeds && f == NULL; i++)
		if (!st->feeds[i].closed &&
		    strcmp(st->feeds[i].name, name) == 0)
			f = &st->feeds[i];
	if (f != NULL && f->success >= began(st) &&
	    st->now - f->success <= late)
		return;
	if (r == NULL)
		remark_unread(j, name,
		    f != NULL && f->success >= began(st) ? f->success : 0,
		    t != NULL       ? t->text
			: f != NULL ? f->error
				    : "");
	else if (st->now - began(st) >= START_LASTS)
		r->level = LEVEL_CRITICAL;
}

static void
check_feeds(struct judge *j)
{
	const struct config *c = j->st->config;

	for (size_t i = 0; i < c->n_sources && !j->st->room.full; i++) {
		struct source_definition d;

		source_type_of(c->sources[i].type)
		    ->define(c->sources[i].conf, &d);
		for (size_t k = 0; d.streams != NULL && d.streams[k] != NULL;
		     k++) {
			char name[sizeof(j->st->feeds->name)];

			(void)snprintf(name, sizeof(name), "%s/%s",
			    c->sources[i].name, d.streams[k]);
			check_feed(j, name, d.interval);
		}
	}
}

static void
check_output(struct judge *j, const struct output_report *o)
{
	const int64_t since =
	    o->failed == REPORT_NEVER ? j->st->now : o->failed;
	const bool lasts = j->st->now - since >= OUTPUT_LASTS;
	char text[HUMAN_TEXT];
	struct remark *r = remark(j, lasts ? LEVEL_CRITICAL : LEVEL_WARNING,
	    RANK_OUTPUT, "%s blocked for %s", o->name, words(text, j, since));

	r->since = since;
	r->idle = lasts;
	set_text(r, o->name, o->error);
}

static void
check_outputs(struct judge *j)
{
	for (size_t i = 0; i < j->st->n_outputs; i++)
		if (j->st->outputs[i].error[0] != '\0')
			check_output(j, &j->st->outputs[i]);
}

static void
check_figure(struct judge *j, const struct limits *limits, enum figure f)
{
	char state[sizeof(j->v->remark->state)], subject[256];
	enum level level;

	j->v->figure[f] = figure_read(j->st, f, subject, sizeof(subject));
	level = limits_level(limits, f, j->v->figure[f]);
	if (level == LEVEL_OK || (f == FIGURE_STORE && j->st->room.full))
		return;
	/* That is worse, and why. */
	for (size_t i = 0; i < j->v->n; i++)
		if (j->v->remark[i].idle && subject[0] != '\0' &&
		    strcmp(j->v->remark[i].subject, subject) == 0)
			return;
	figure_words(f, j->v->figure[f], subject, state, sizeof(state));
	set_text(remark(j, level, RANK_FIGURE, "%s", state), subject,
	    figure_kinds[f].remedy);
}

static int
by_badness(const void *a, const void *b)
{
	static const int order[] = { [LEVEL_OK] = 3,
		[LEVEL_WARNING] = 2,
		[LEVEL_CRITICAL] = 0,
		[LEVEL_UNKNOWN] = 1 };
	const struct remark *x = a, *y = b;

	if (order[x->level] != order[y->level])
		return order[x->level] - order[y->level];
	if (x->idle != y->idle)
		return x->idle ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return strcmp(x->subject, y->subject);
}

/* The line of the first remark, with the number of the others. */
static void
conclude(struct verdict *v)
{
	const struct remark *r = v->remark;
	char more[40] = "";

	if (v->n > 0)
		qsort(v->remark, v->n, sizeof(*v->remark), by_badness);
	v->level = v->n == 0 ? LEVEL_OK : r->level;
	if (v->n == 0) {
		(void)snprintf(v->line, sizeof(v->line), "running, all well");
		return;
	}
	if (v->n > 1)
		(void)snprintf(more, sizeof(more), " (%zu more)", v->n - 1);
	(void)snprintf(v->line, sizeof(v->line), "%s%s%s%s", r->state, more,
	    r->text[0] == '\0' ? "" : ": ", r->text);
}

void
verdict_of(const struct status *st, const struct limits *limits,
    struct verdict *v)
{
	struct judge j = { .st = st, .v = v };
	struct limits usual;

	*v = (struct verdict){ .level = LEVEL_OK };
	limits_default(&usual);
	check_life(&j);
	check_configured(&j);
	/* What the roles said is old when they are gone. */
	if (!runs_not(st)) {
		check_roles(&j);
		check_heartbeat(&j);
		check_troubles(&j);
		check_feeds(&j);
		check_outputs(&j);
	}
	check_room(&j);
	for (int f = 0; f < FIGURES; f++)
		check_figure(&j, limits == NULL ? &usual : limits,
		    (enum figure)f);
	conclude(v);
}

void
verdict_release(struct verdict *v)
{
	free(v->remark);
	*v = (struct verdict){ .level = LEVEL_OK };
}

void
verdict_without_store(const struct status *st, const char *why,
    struct verdict *v)
{
	struct judge j = { .st = st, .v = v };

	*v = (struct verdict){ .level = LEVEL_OK };
	for (int f = 0; f < FIGURES; f++)
		v->figure[f] = -1;
	check_life(&j);
	check_configured(&j);
	if (!runs_not(st))
		check_roles(&j);
	if (st->room.full) {
		struct remark *r = remark(&j, LEVEL_CRITICAL, RANK_STORE,
		    "the store's disk is full");

		r->idle = r->dead = true;
		set_text(r, "store",
		    "free space on it; the agent goes on by itself");
	}
	/* Where nothing ever ran, there is none to be read. */
	if (!runs_not(st) || status_last_sign(st) != REPORT_NEVER) {
		struct remark *r = remark(&j, LEVEL_UNKNOWN, RANK_STORE,
		    "the store cannot be read");

		r->idle = true;
		set_text(r, "store", why);
	}
	conclude(v);
}

void
alike_add(struct alike *a, const char *name)
{
	const size_t len = a->n == 0 ? 0 : strlen(a->names);

	if (a->n == 0)
		a->names[0] = '\0';
	if (a->n++ < ALIKE_NAMED)
		(void)snprintf(a->names + len, sizeof(a->names) - len, "%s%s",
		    len == 0 ? "" : ", ", name);
}

void
alike_text(const struct alike *a, char *out, size_t size)
{
	char more[40] = "";

	if (a->n > ALIKE_NAMED)
		(void)snprintf(more, sizeof(more), " and %zu more",
		    a->n - ALIKE_NAMED);
	if (a->n == 1)
		(void)snprintf(out, size, "the same of %s", a->names);
	else
		(void)snprintf(out, size, "the same of %zu others: %s%s", a->n,
		    a->names, more);
}

static bool
same_cause(const struct remark *a, const struct remark *b)
{
	return a->text[0] != '\0' && a->level == b->level &&
	    a->rank == b->rank && strcmp(a->text, b->text) == 0;
}

bool
verdict_leads(const struct verdict *v, size_t i, struct alike *others)
{
	for (size_t k = 0; k < i; k++)
		if (same_cause(&v->remark[k], &v->remark[i]))
			return false;
	*others = (struct alike){ .n = 0 };
	for (size_t k = i + 1; k < v->n; k++)
		if (same_cause(&v->remark[k], &v->remark[i]))
			alike_add(others, v->remark[k].subject);
	return true;
}

/* The worst remark for which that holds. */
static int
first(const struct verdict *v, bool dead, struct err *err)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct remark *r = &v->remark[i];

		if (dead ? r->dead : r->idle)
			return err_set(err, "%s%s%s", r->state,
			    r->text[0] == '\0' ? "" : ": ", r->text);
	}
	return 0;
}

int
verdict_works(const struct verdict *v, struct err *err)
{
	return first(v, false, err);
}

int
verdict_alive(const struct verdict *v, struct err *err)
{
	return first(v, true, err);
}

void
verdict_json(const struct verdict *v, struct json_put *j)
{
	json_put_open(j, "verdict", '{');
	json_put_text(j, "level", level_name(v->level));
	json_put_text(j, "text", v->line);
	json_put_bool(j, "works", verdict_works(v, NULL) == 0);
	json_put_bool(j, "alive", verdict_alive(v, NULL) == 0);
	json_put_open(j, "remarks", '[');
	for (size_t i = 0; i < v->n; i++) {
		const struct remark *r = &v->remark[i];

		json_put_open(j, NULL, '{');
		json_put_text(j, "level", level_name(r->level));
		json_put_text(j, "subject", r->subject);
		json_put_text(j, "state", r->state);
		json_put_text(j, "text", r->text);
		json_put_time(j, "since", r->since);
		json_put_close(j, '}');
	}
	json_put_close(j, ']');
	json_put_close(j, '}');
}
