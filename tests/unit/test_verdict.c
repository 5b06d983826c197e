/*
 * test_verdict.c - how the agent does in one line, and what /readyz, /healthz
 * and monitoring plugins make of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "config/config.h"
#include "sources/source.h"
#include "store/trouble.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"
#include "watch/status.h"
#include "watch/verdict.h"

#define NOW INT64_C(1795321618000000)

static const char *const streams[] = { "Audit.Exchange", NULL };

static void
define(const void *conf, struct source_definition *d)
{
	(void)conf;
	*d = (struct source_definition){ .streams = streams,
		.interval = 15 * CLOCK_SECOND };
}

static const struct source_type vendor = {
	.type.name = "vendor",
	.define = define,
};

static char agent[] = "fra1", source_name[] = "contoso";
static struct config_entry sources[] = {
	{ .name = source_name, .type = &vendor.type },
};
static struct config_entry output_entries[] = {
	{ .name = source_name, .type = &vendor.type },
};
static const struct config config = {
	.agent = { .name = agent },
	.sources = sources,
	.n_sources = 1,
	.outputs = output_entries,
	.n_outputs = 1,
};

#define BEGAN (NOW - CLOCK_HOUR)

static struct feed_report feeds[2];
static struct output_report outputs[1];
static struct trouble troubles[2];
static struct role_report roles[2];
static struct status st;

/* All is well. */
static void
set_up(void)
{
	roles[0] = (struct role_report){
		.name = "collect", .state = ROLE_WORKS, .since = BEGAN
	};
	roles[1] = (struct role_report){
		.name = "ship siem", .state = ROLE_WORKS, .since = BEGAN
	};
	feeds[0] = (struct feed_report){ .id = 1,
		.name = "contoso/Audit.Exchange",
		.tree = "contoso/Audit.Exchange",
		.horizon = NOW - CLOCK_SECOND,
		.success = NOW - CLOCK_SECOND };
	feeds[1] = (struct feed_report){ .id = 2,
		.name = "fra1/agent",
		.tree = "fra1/agent",
		.horizon = REPORT_NEVER,
		.size = 3,
		.sealed = 3,
		.committed = NOW - CLOCK_MINUTE };
	outputs[0] = (struct output_report){ .name = "siem",
		.oldest = REPORT_NEVER,
		.moved = NOW - CLOCK_SECOND };
	troubles[0] = (struct trouble){ .subject = "contoso/Audit.Exchange",
		.class = "retry",
		.code = "AF20052",
		.text = "the content ID is not valid",
		.since = NOW - CLOCK_MINUTE,
		.stands = true };
	st = (struct status){ .config = &config,
		.now = NOW,
		.life = STATUS_RUNS,
		.roles = { .began = BEGAN,
		    .stopped = REPORT_NEVER,
		    .role = roles,
		    .n = 2 },
		.feeds = feeds,
		.n_feeds = 2,
		.outputs = outputs,
		.n_outputs = 1,
		.troubles = troubles };
}

/* Judge it: the line begins with text, and then all that is of one mind. */
static void
line_is(enum level level, bool works, bool alive, const char *text)
{
	struct verdict v;

	verdict_of(&st, NULL, &v);
	ck_assert_msg(strncmp(v.line, text, strlen(text)) == 0, "%s", v.line);
	ck_assert_msg(v.level == level, "%s: %s", level_name(v.level), v.line);
	ck_assert_msg((verdict_works(&v, NULL) == 0) == works, "%s", v.line);
	ck_assert_msg((verdict_alive(&v, NULL) == 0) == alive, "%s", v.line);
	verdict_release(&v);
}

/* It stands still, and whose fault it is. */
static void
is(bool alive, const char *text)
{
	line_is(LEVEL_CRITICAL, false, alive, text);
}

static void
is_well(void)
{
	line_is(LEVEL_OK, true, true, "running, all well");
}

/* What may be the matter, and what is said of it; times are ago, and 0 stands
 * for what is as it should be. */
struct situation {
	const char *name;
	bool killed, full, by_size;
	int64_t began, stopped, heartbeat, unsealed, read, blocked;
	enum role_state role;
	int64_t role_since;
	const char *class; /* of a trouble of the subject, since */
	const char *subject;
	int64_t since;
	bool passes;         /* it does not stand still */
	int64_t certificate; /* ends in; 1: it has ended */
	uint64_t gaps, dead_letters, backlog;
	/* --check, /readyz, /healthz, the line */
	enum level level;
	bool works, alive;
	const char *line;
};

#define FEED "contoso/Audit.Exchange"
#define WARNS .level = LEVEL_WARNING
#define WRONG .level = LEVEL_CRITICAL
#define AWAY WRONG, .alive = true
#define LOOK WARNS, .works = true, .alive = true

static const struct situation situations[] = {
	{ .name = "well",
	    .works = true,
	    .alive = true,
	    .line = "running, all well" },
	{ .name = "stopped",
	    .killed = true,
	    .stopped = 3 * CLOCK_MINUTE,
	    WRONG,
	    .line = "stopped 3 min ago" },
	{ .name = "killed",
	    .killed = true,
	    WRONG,
	    .line = "not running, its last sign of life was 1 s ago: it ended "
		    "without a word" },
	{ .name = "a role is gone",
	    .role = ROLE_DOWN,
	    .role_since = 2 * CLOCK_MINUTE,
	    WRONG,
	    .line = "ship siem is down for 2 min: " },
	{ .name = "a role hangs",
	    .role = ROLE_SILENT,
	    .role_since = CLOCK_MINUTE,
	    WRONG,
	    .line = "ship siem shows no sign of life" },
	{ .name = "a role does not get ready",
	    .role = ROLE_STARTS,
	    .role_since = CLOCK_HOUR,
	    AWAY,
	    .line = "ship siem is not ready for 1 h" },
	{ .name = "collect hangs",
	    .heartbeat = 10 * CLOCK_MINUTE,
	    WRONG,
	    .line = "no heartbeat of collect for 10 min" },
	{ .name = "nothing is signed",
	    .unsealed = 1,
	    .heartbeat = 2 * CLOCK_MINUTE,
	    WRONG,
	    .line = "seal signs nothing for 2 min: " },
	{ .name = "the key cannot be read",
	    .class = "seal",
	    .subject = "seal",
	    .since = CLOCK_SECOND,
	    AWAY,
	    .line = "seal stands still for 1 s: " },
	{ .name = "an output, a moment",
	    .blocked = CLOCK_SECOND,
	    LOOK,
	    .line = "siem blocked for 1 s: connection refused" },
	{ .name = "an output",
	    .blocked = 5 * CLOCK_MINUTE,
	    AWAY,
	    .line = "siem blocked for 5 min: connection refused" },
	{ .name = "the store has its size",
	    .full = true,
	    .by_size = true,
	    .backlog = 7,
	    WRONG,
	    .line = "the store is full: agent.store.max_size is 100 B; "
		    "collecting pauses; see why events wait for siem, or" },
	{ .name = "collecting pauses",
	    .full = true,
	    .class = "full",
	    .subject = "store",
	    .since = 5 * CLOCK_MINUTE,
	    .heartbeat = 6 * CLOCK_MINUTE,
	    WRONG,
	    .line = "the store is full for 5 min: its disk has 0 B free" },
	{ .name = "this machine's clock",
	    .heartbeat = -CLOCK_HOUR,
	    AWAY,
	    .line = "this machine's clock is off: " },
	{ .name = "the vendor's clock",
	    .class = "clock",
	    .subject = FEED,
	    .since = CLOCK_SECOND,
	    AWAY,
	    .line = FEED ": a clock is off for 1 s: " },
	{ .name = "the vendor fails, a moment",
	    .class = "retry",
	    .subject = FEED,
	    .since = 10 * CLOCK_SECOND,
	    .works = true,
	    .alive = true,
	    .line = "running, all well" },
	{ .name = "the vendor fails",
	    .class = "retry",
	    .subject = FEED,
	    .since = CLOCK_MINUTE,
	    WARNS,
	    .alive = true,
	    .line = FEED " stands still for 1 min: the content ID" },
	{ .name = "the vendor fails for long",
	    .class = "retry",
	    .subject = FEED,
	    .since = CLOCK_HOUR,
	    AWAY,
	    .line = FEED " stands still for 1 h: the content ID" },
	{ .name = "some items fail, a while",
	    .class = "retry",
	    .subject = FEED,
	    .since = CLOCK_MINUTE,
	    .passes = true,
	    .works = true,
	    .alive = true,
	    .line = "running, all well" },
	{ .name = "some items fail",
	    .class = "retry",
	    .subject = FEED,
	    .since = CLOCK_HOUR,
	    .passes = true,
	    LOOK,
	    .line = FEED " has trouble for 1 h: " },
	{ .name = "the vendor throttles",
	    .class = "throttled",
	    .subject = FEED,
	    .since = CLOCK_MINUTE,
	    WARNS,
	    .alive = true,
	    .line = FEED " stands still for 1 min: " },
	{ .name = "the credentials are refused",
	    .class = "credentials",
	    .subject = FEED,
	    .since = CLOCK_SECOND,
	    AWAY,
	    .line = FEED " stands still for 1 s: " },
	{ .name = "auditing is off",
	    .class = "configuration",
	    .subject = FEED,
	    .since = CLOCK_SECOND,
	    AWAY,
	    .line = FEED " stands still for 1 s: " },
	{ .name = "just started",
	    .began = CLOCK_MINUTE,
	    .read = 2 * CLOCK_MINUTE,
	    WARNS,
	    .alive = true,
	    .line = "starting: " FEED " has not been read since the start" },
	{ .name = "never read",
	    .began = CLOCK_HOUR,
	    .read = 2 * CLOCK_HOUR,
	    AWAY,
	    .line = FEED " has not been read since the start" },
	{ .name = "not read for long",
	    .read = CLOCK_HOUR / 2,
	    AWAY,
	    .line = FEED " has not been read for 30 min" },
	{ .name = "a reader",
	    .class = "reader",
	    .subject = "store",
	    .since = CLOCK_HOUR,
	    .passes = true,
	    LOOK,
	    .line = "store has trouble for 1 h: " },
	{ .name = "a certificate that ends in a week",
	    .certificate = 7 * CLOCK_DAY,
	    LOOK,
	    .line = "outputs.siem.tls.cert: the certificate ends in 7 d: " },
	{ .name = "a certificate that ends",
	    .certificate = CLOCK_DAY,
	    WRONG,
	    .works = true,
	    .alive = true,
	    .line = "outputs.siem.tls.cert: the certificate ends in 1 d" },
	{ .name = "a certificate that has ended",
	    .certificate = 1,
	    WRONG,
	    .works = true,
	    .alive = true,
	    .line = "outputs.siem.tls.cert: the certificate has ended" },
	{ .name = "a gap",
	    .gaps = 1,
	    LOOK,
	    .line = "one gap in the last day: " },
	{ .name = "dead letters",
	    .dead_letters = 7,
	    LOOK,
	    .line = "7 dead letters: " },
};

static void
make_so(const struct situation *s)
{
	const int64_t began = s->began != 0 ? s->began : CLOCK_HOUR;

	set_up();
	st.roles.began = NOW - began;
	if (s->killed)
		st.life = STATUS_RUNS_NOT;
	if (s->stopped != 0)
		st.roles.stopped = NOW - s->stopped;
	st.room = (struct store_room){ .full = s->full,
		.by_size = s->by_size,
		.used = s->by_size ? 100 : 0,
		.max_size = 100 };
	if (s->heartbeat != 0)
		feeds[1].committed = NOW - s->heartbeat;
	feeds[1].sealed -= (uint64_t)s->unsealed;
	if (s->read != 0)
		feeds[0].success = NOW - s->read;
	if (s->role_since != 0) {
		roles[1].state = s->role;
		roles[1].since = NOW - s->role_since;
	}
	if (s->blocked != 0) {
		(void)strcpy(outputs[0].error, "connection refused");
		outputs[0].failed = NOW - s->blocked;
	}
	outputs[0].backlog_bytes = s->backlog;
	outputs[0].dead_letters = s->dead_letters;
	st.gaps_new = s->gaps;
	if (s->certificate != 0)
		st.first_expiry =
		    (struct expiry){ .option = "outputs.siem.tls.cert",
			    .ends = NOW +
				(s->certificate == 1 ? -1 : s->certificate) };
	if (s->class == NULL)
		return;
	st.n_troubles = 1;
	(void)strcpy(troubles[0].class, s->class);
	(void)strcpy(troubles[0].subject, s->subject);
	troubles[0].since = NOW - s->since;
	troubles[0].stands = !s->passes;
}

/* One remark each: who reads it need not read two. */
START_TEST(every_situation)
{
	const struct situation *s = &situations[_i];
	struct verdict v;

	make_so(s);
	verdict_of(&st, NULL, &v);
	ck_assert_msg(strncmp(v.line, s->line, strlen(s->line)) == 0, "%s: %s",
	    s->name, v.line);
	ck_assert_msg(v.level == s->level, "%s: %s", s->name,
	    level_name(v.level));
	ck_assert_msg((verdict_works(&v, NULL) == 0) == s->works, "%s",
	    s->name);
	ck_assert_msg((verdict_alive(&v, NULL) == 0) == s->alive, "%s",
	    s->name);
	ck_assert_msg(v.n <= 1, "%s: %s", s->name, v.line);
	verdict_release(&v);
}
END_TEST

/* Both at once; false: they contradict each other, or one explains the
 * other. */
static bool
make_both(const struct situation *a, const struct situation *b)
{
	struct situation both = *a;

#define TAKE(member)                                                        \
	if (both.member != 0 && b->member != 0 && both.member != b->member) \
		return false;                                               \
	if (both.member == 0)                                               \
	both.member = b->member
	TAKE(killed);
	TAKE(full);
	TAKE(by_size);
	TAKE(began);
	TAKE(stopped);
	TAKE(heartbeat);
	TAKE(unsealed);
	TAKE(read);
	TAKE(blocked);
	TAKE(role);
	TAKE(role_since);
	TAKE(certificate);
	TAKE(gaps);
	TAKE(dead_letters);
	TAKE(backlog);
#undef TAKE
	/* The heartbeat of another run, and what has no key to sign with. */
	if ((both.began != 0 && both.heartbeat > both.began) ||
	    (both.unsealed != 0 &&
		((a->class != NULL && strcmp(a->class, "seal") == 0) ||
		    (b->class != NULL && strcmp(b->class, "seal") == 0))))
		return false;
	make_so(&both);
	if (b->class == NULL)
		return true;
	troubles[st.n_troubles] = troubles[0];
	(void)strcpy(troubles[st.n_troubles].class, b->class);
	(void)strcpy(troubles[st.n_troubles].subject, b->subject);
	troubles[st.n_troubles].since = NOW - b->since;
	troubles[st.n_troubles].stands = !b->passes;
	st.n_troubles++;
	return true;
}

/* With another one beside it, none of them looks better. */
START_TEST(nothing_flatters)
{
	const struct situation *a = &situations[_i];
	int pairs = 0;

	for (size_t i = 0; i < sizeof(situations) / sizeof(*a); i++) {
		const struct situation *b = &situations[i];
		struct verdict v;

		if (!make_both(a, b))
			continue;
		verdict_of(&st, NULL, &v);
		ck_assert_msg(v.level >= a->level && v.level >= b->level,
		    "%s, %s: %s: %s", a->name, b->name, level_name(v.level),
		    v.line);
		ck_assert_msg((a->works && b->works) ||
			verdict_works(&v, NULL) != 0,
		    "%s, %s works: %s", a->name, b->name, v.line);
		ck_assert_msg((a->alive && b->alive) ||
			verdict_alive(&v, NULL) != 0,
		    "%s, %s is alive: %s", a->name, b->name, v.line);
		verdict_release(&v);
		pairs++;
	}
	ck_assert_int_gt(pairs, 10);
}
END_TEST

START_TEST(what_is_ready)
{
	feeds[1].committed = BEGAN - CLOCK_DAY;
	is(false, "no heartbeat of collect for 1 h");
	set_up();
	st.n_feeds = 1;
	is(false, "no heartbeat");
}
END_TEST

/* One remark a feed: of the first trouble, or of the one that does not pass. */
START_TEST(what_stands_still_twice)
{
	struct verdict v;

	st.n_troubles = 2;
	troubles[1] = troubles[0];
	(void)strcpy(troubles[1].code, "slow");
	(void)strcpy(troubles[1].text, "a poll waits");
	troubles[1].since = NOW - CLOCK_MINUTE / 2;
	verdict_of(&st, NULL, &v);
	ck_assert_uint_eq(v.n, 1);
	ck_assert_str_eq(v.remark[0].text, troubles[0].text);
	verdict_release(&v);
	(void)strcpy(troubles[1].class, "credentials");
	verdict_of(&st, NULL, &v);
	ck_assert_uint_eq(v.n, 1);
	ck_assert_str_eq(v.remark[0].text, troubles[1].text);
	verdict_release(&v);
}
END_TEST

START_TEST(an_agent_that_is_not_there)
{
	st.life = STATUS_RUNS_NOT;
	st.roles.stopped = NOW - 3 * CLOCK_MINUTE;
	/* What was then is no matter any more. */
	st.n_troubles = 1;
	roles[0].state = ROLE_DOWN;
	(void)strcpy(outputs[0].error, "connection refused");
	outputs[0].failed = NOW - CLOCK_HOUR;
	is(false, "stopped 3 min ago");
	(void)strcpy(st.roles.note, "outputs: none is configured");
	is(false, "stopped 3 min ago: outputs: none");
	st.roles.note[0] = '\0';
	st.roles.stopped = REPORT_NEVER;
	is(false, "not running, its last sign of life was 1 s ago: ");
	st.n_feeds = st.n_outputs = 0;
	st.roles.began = REPORT_NEVER;
	is(false, "never started");
	/* Nobody could look at its lock. */
	set_up();
	st.life = STATUS_LIFE_UNKNOWN;
	is_well();
	st.roles.stopped = NOW - CLOCK_SECOND;
	is(false, "stopped 1 s ago");
}
END_TEST

START_TEST(a_role_that_is_gone)
{
	roles[1].state = ROLE_DOWN;
	roles[1].deaths = 4;
	(void)strcpy(roles[1].how, "exited with status 1");
	roles[1].since = NOW - 2 * CLOCK_MINUTE;
	is(false,
	    "ship siem is down for 2 min: its process exited with status "
	    "1, 4 times so far");
	/* It is back in a moment. */
	roles[1].since = NOW - CLOCK_SECOND;
	is_well();
	roles[1].state = ROLE_SILENT;
	is(false, "ship siem shows no sign of life");
	roles[1].state = ROLE_STARTS;
	roles[1].since = NOW - CLOCK_HOUR;
	is(true, "ship siem is not ready for 1 h");
	/* That says more. */
	(void)strcpy(outputs[0].error, "ca.pem: No such file");
	outputs[0].failed = NOW - CLOCK_HOUR;
	is(true, "siem blocked for 1 h: ca.pem");
	(void)strcpy(st.roles.note, "database or disk is full");
	is(false, "the agent cannot work (1 more): database or disk is full");
	set_up();
	st.roles.began = NOW - CLOCK_SECOND;
	roles[0].state = roles[1].state = ROLE_STARTS;
	line_is(LEVEL_WARNING, false, true, "starting");
}
END_TEST

START_TEST(what_is_configured)
{
	struct config other = config;

	st.config = &other;
	other.n_sources = 0;
	line_is(LEVEL_WARNING, true, true, "no source is configured");
	other.n_outputs = 0;
	is(true, "nothing is configured");
}
END_TEST

START_TEST(the_worst_comes_first)
{
	struct verdict v;

	(void)strcpy(outputs[0].error, "connection refused");
	outputs[0].failed = NOW - 5 * CLOCK_MINUTE;
	outputs[0].dead_letters = 7;
	st.gaps_new = 1;
	st.n_troubles = 1;
	(void)strcpy(troubles[0].class, "credentials");
	verdict_of(&st, NULL, &v);
	ck_assert_uint_eq(v.n, 4);
	ck_assert_str_eq(v.line,
	    "contoso/Audit.Exchange stands still for 1 min (3 more): "
	    "the content ID is not valid");
	ck_assert_str_eq(v.remark[1].state, "siem blocked for 5 min");
	ck_assert_str_eq(v.remark[3].state, "7 dead letters");
	ck_assert_str_eq(v.remark[2].state, "one gap in the last day");
	verdict_release(&v);
}
END_TEST

/* Each limit: a setting, whether it warns, the value that is there. */
START_TEST(limits_are_obeyed)
{
	static const struct {
		const char *set;
		bool critical;
		enum level level;
	} rows[] = {
		{ "lag=1h", false, LEVEL_OK },
		{ "lag=10m", false, LEVEL_WARNING },
		{ "lag=10m", true, LEVEL_CRITICAL },
		{ "lag=none,delay=2m", true, LEVEL_OK },
		{ "delay=1m", true, LEVEL_CRITICAL },
		{ "backlog=41", false, LEVEL_OK },
		{ "backlog=40", false, LEVEL_WARNING },
		{ "store=51%", true, LEVEL_OK },
		{ "store=50", true, LEVEL_CRITICAL },
		{ "horizon=10m", false, LEVEL_OK },
		{ "certificate=39d", false, LEVEL_OK },
		{ "certificate=41d", false, LEVEL_WARNING },
	};
	struct limits l;
	struct verdict v;

	feeds[0].horizon = NOW - 20 * CLOCK_MINUTE;
	outputs[0].backlog_events = 40;
	st.first_expiry = (struct expiry){ .option = "outputs.siem.tls.ca",
		.ends = NOW + 40 * CLOCK_DAY };
	outputs[0].oldest = NOW - 90 * CLOCK_SECOND;
	st.room = (struct store_room){ .used = 50, .max_size = 100 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		limits_default(&l);
		ck_assert_int_eq(limits_set(&l, rows[i].critical, rows[i].set,
				     NULL),
		    0);
		verdict_of(&st, &l, &v);
		ck_assert_msg(v.level == rows[i].level, "%s: %s", rows[i].set,
		    v.line);
		ck_assert_int_eq(v.figure[FIGURE_STORE], 50);
		verdict_release(&v);
	}
}
END_TEST

START_TEST(limits_are_refused)
{
	static const char *const bad[] = { "", "lag", "lag=", "lag=x", "rate=1",
		"backlog=-1", "backlog=1k", "store=%", "lag=1m,,gaps=1",
		"backlog=99999999999999999999" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;
		struct limits l;

		limits_default(&l);
		ck_assert_msg(limits_set(&l, false, bad[i], &err) == -1, "%s",
		    bad[i]);
		ck_assert_str_ne(err.text, "");
	}
}
END_TEST

START_TEST(a_store_that_cannot_be_read)
{
	struct verdict v;

	verdict_without_store(&st, "store.db: Permission denied", &v);
	ck_assert_int_eq(v.level, LEVEL_UNKNOWN);
	ck_assert_str_eq(v.line,
	    "the store cannot be read: store.db: Permission denied");
	verdict_release(&v);
	st.life = STATUS_RUNS_NOT;
	st.n_feeds = st.n_outputs = 0;
	st.roles.began = REPORT_NEVER;
	st.room.full = true;
	verdict_without_store(&st, "store.db: No such file", &v);
	ck_assert_uint_eq(v.n, 2);
	ck_assert_str_eq(v.remark[1].state, "the store's disk is full");
	verdict_release(&v);
	st.room.full = false;
	verdict_without_store(&st, "store.db: No such file", &v);
	ck_assert_int_eq(v.level, LEVEL_CRITICAL);
	ck_assert_uint_eq(v.n, 1);
	verdict_release(&v);
}
END_TEST

START_TEST(a_clock_that_went_back)
{
	feeds[1].committed = NOW + CLOCK_HOUR;
	is(true, "this machine's clock is off");
}
END_TEST

/* What the supervisor writes, status reads. */
START_TEST(roles_of_an_agent)
{
	char dir[64], path[128];
	struct buf text = BUF_INIT(10000);
	struct roles got;
	struct err err = ERR_INIT;

	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	ck_assert_int_eq(roles_read(path, &got, &err), 0);
	ck_assert_int_eq(got.began, REPORT_NEVER);
	roles_release(&got);
	roles[1].state = ROLE_DOWN;
	roles[1].deaths = 3;
	(void)strcpy(roles[1].how, "exited with status 1");
	(void)strcpy(st.roles.note, "a note\twith\na line");
	ck_assert_int_eq(roles_format(&st.roles, &text), 0);
	ck_assert_int_eq(roles_write(path, &text, &err), 0);
	ck_assert_int_eq(roles_read(path, &got, &err), 1);
	ck_assert_int_eq(got.began, BEGAN);
	ck_assert_int_eq(got.stopped, REPORT_NEVER);
	ck_assert_uint_eq(got.n, 2);
	ck_assert_str_eq(got.role[1].name, "ship siem");
	ck_assert_int_eq(got.role[1].state, ROLE_DOWN);
	ck_assert_int_eq(got.role[1].since, BEGAN);
	ck_assert_uint_eq(got.role[1].deaths, 3);
	ck_assert_str_eq(got.role[1].how, "exited with status 1");
	ck_assert_str_eq(got.note, "a note\\x09with\\x0aa line");
	roles_release(&got);
	/* What is cut short or not ours is passed over. */
	buf_clear(&text);
	ck_assert_int_eq(buf_adds(&text, "agent\t1\nrole\tx\n\n\tfoo\nrole"),
	    0);
	ck_assert_int_eq(roles_write(path, &text, &err), 0);
	ck_assert_int_eq(roles_read(path, &got, &err), 1);
	ck_assert_uint_eq(got.n, 0);
	roles_release(&got);
	buf_release(&text);
	store_help_end(dir);
}
END_TEST

START_TEST(troubles_of_a_store)
{
	char dir[64], path[128];
	struct store *s;
	struct err err = ERR_INIT;
	struct trouble t = troubles[0], got = { .since = 0 };

	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	s = store_help_open(path, STORE_DURABLE);
	t.until = INT64_MIN;
	ck_assert_int_eq(trouble_set(s, &t, &err), 0);
	/* The same in other words, later. */
	(void)strcpy(t.text, "other words");
	t.until = NOW + CLOCK_MINUTE;
	t.since = NOW;
	ck_assert_int_eq(trouble_set(s, &t, &err), 0);
	(void)strcpy(t.code, "AF20053");
	ck_assert_int_eq(trouble_set(s, &t, &err), 0);
	ck_assert_int_eq(trouble_next(s, &got, &err), 1);
	ck_assert_str_eq(got.code, "AF20052");
	ck_assert_str_eq(got.text, "other words");
	ck_assert_int_eq(got.since, NOW - CLOCK_MINUTE);
	ck_assert_int_eq(got.until, NOW + CLOCK_MINUTE);
	ck_assert(got.stands);
	ck_assert_int_eq(trouble_end(s, &got, &err), 0);
	got = (struct trouble){ .since = 0 };
	ck_assert_int_eq(trouble_next(s, &got, &err), 1);
	ck_assert_str_eq(got.code, "AF20053");
	ck_assert_int_eq(trouble_next(s, &got, &err), 0);
	ck_assert_int_eq(trouble_forget(s, t.subject, &err), 0);
	got = (struct trouble){ .since = 0 };
	ck_assert_int_eq(trouble_next(s, &got, &err), 0);
	store_close(s);
	store_help_end(dir);
}
END_TEST

Suite *
suite_verdict(void)
{
	Suite *s = suite_create("verdict");
	TCase *tc = tcase_create("verdict");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, what_is_ready);
	tcase_add_loop_test(tc, every_situation, 0,
	    sizeof(situations) / sizeof(situations[0]));
	tcase_add_loop_test(tc, nothing_flatters, 0,
	    sizeof(situations) / sizeof(situations[0]));
	tcase_add_test(tc, what_stands_still_twice);
	tcase_add_test(tc, an_agent_that_is_not_there);
	tcase_add_test(tc, a_role_that_is_gone);
	tcase_add_test(tc, what_is_configured);
	tcase_add_test(tc, the_worst_comes_first);
	tcase_add_test(tc, limits_are_obeyed);
	tcase_add_test(tc, limits_are_refused);
	tcase_add_test(tc, a_store_that_cannot_be_read);
	tcase_add_test(tc, a_clock_that_went_back);
	tcase_add_test(tc, roles_of_an_agent);
	tcase_add_test(tc, troubles_of_a_store);
	suite_add_tcase(s, tc);
	return s;
}
