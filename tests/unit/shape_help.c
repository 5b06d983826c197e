/*
 * shape_help.c - see shape_help.h.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sources/rest/rest_private.h"
#include "store/db.h"
#include "tests/unit/rest_rig.h"
#include "tests/unit/shape_help.h"
#include "tests/unit/unit.h"

#define TEXT_MAX (1 << 20)

static struct {
	char epoch[24], old[24];
	char *texts[SHAPE_MAX];
	struct canned_reply replies[SHAPE_MAX + 1];
	struct canned *server;
} t;

/* A disk is full, or not any more. */
static void
fill_disk(bool full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* source_watch */
static bool
asks(void *ctx, const char *method, const char *url, const char *body)
{
	const char *full = ctx;

	(void)method;
	(void)body;
	if (strstr(url, full) != NULL)
		fill_disk(true);
	return true;
}

static void
answered(void *ctx, const struct http_reply *reply, const struct outcome *r)
{
	(void)ctx;
	(void)reply;
	(void)r;
}

/* Text with what is known only now in its place: to be freed. */
static char *
fill(const char *text, const char *place, const char *value)
{
	const char *at = strstr(text, place);

	if (at == NULL)
		return xstrdup(text);
	return xasprintf("%.*s%s%s", (int)(at - text), text, value,
	    at + strlen(place));
}

static char *
fill_times(const char *text)
{
	char *half = fill(text, "<epoch>", t.epoch);
	char *whole = fill(half, "<old>", t.old);

	free(half);
	return whole;
}

/* The server's table: the URL is known when it runs, and the table is read only
 * then. */
static void
start_server(const struct shape *shape)
{
	char now[CLOCK_TEXT];

	(void)clock_format(clock_now() - CLOCK_MINUTE, 0, now);
	(void)snprintf(t.epoch, sizeof(t.epoch), "%" PRId64,
	    (clock_now() - CLOCK_MINUTE) / CLOCK_SECOND);
	(void)snprintf(t.old, sizeof(t.old), "%" PRId64,
	    (clock_now() - 2 * CLOCK_HOUR) / CLOCK_SECOND);
	t.server = canned_start(t.replies);
	for (size_t i = 0; i < SHAPE_MAX && shape->replies[i].path != NULL;
	     i++) {
		char *first = fill(shape->replies[i].bytes, "<now>", now);
		char *half = fill_times(first);

		t.texts[i] = fill(half, "<url>", canned_url(t.server));
		free(first);
		free(half);
		t.replies[i].bytes = t.texts[i];
		t.replies[i].path = shape->replies[i].path;
	}
}

void
shape_begin(const struct shape *shape, const char *token)
{
	const bool own = strstr(shape->definition, "from_token") != NULL;
	const char *url;
	char *options;

	memset(&t, 0, sizeof(t));
	rest_rig_begin();
	start_server(shape);
	url = canned_url(t.server);
	options = xasprintf("    token: %s\n%s    hosts: { login: \"%s\"%s%s%s "
			    "}\n",
	    token, shape->options != NULL ? shape->options : "", url,
	    own ? "" : ", api: \"", own ? "" : url, own ? "" : "\"");
	rest_rig_define("shape", shape->definition);
	rest_rig_configure("shape", options);
	free(options);
}

void
shape_end(void)
{
	canned_stop(t.server);
	for (size_t i = 0; i < SHAPE_MAX; i++)
		free(t.texts[i]);
	rest_rig_end();
}

/* Each text is in the requests, behind the one before it. */
static void
expect_asked(const struct shape *shape)
{
	const char *at = canned_requests(t.server);

	for (size_t i = 0; i < SHAPE_MAX && shape->asked[i] != NULL; i++) {
		char *asked = fill(shape->asked[i], "<epoch>", t.epoch);
		const char *found = strstr(at, asked);

		ck_assert_msg(found != NULL, "%s: not asked: %s\nin %s",
		    shape->name, shape->asked[i], canned_requests(t.server));
		at = found + 1;
		free(asked);
	}
}

/* How often is text in the requests? */
static unsigned
count_asked(const char *text)
{
	unsigned n = 0;

	for (const char *at = canned_requests(t.server);
	     (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static void
poll_all(const struct shape *shape)
{
	enum poll_next next = POLL_REST;

	for (unsigned i = 0; i < shape->polls || i == 0; i++) {
		struct source *s = &rest_rig.source;
		struct outcome r = { .class = REPLY_OK };
		struct source_watch watch = { .asks = asks,
			.answered = answered,
			.ctx = (void *)(uintptr_t)shape->full };

		s->watch = shape->full != NULL && i == 0 ? &watch : NULL;
		next = s->type->poll(&rest_rig.w, &rest_rig.stream, &r);
		if (s->watch != NULL)
			fill_disk(false);
		if (r.class != REPLY_OK)
			rest_rig_tell(&r);
		rest_rig_state()->window.full = 0;
		if (shape->again && i == 0) {
			rest_rig_close();
			rest_rig_open("s");
		}
	}
	ck_assert_msg(!shape->rests || next == POLL_REST, "%s: more polls",
	    shape->name);
}

static void
expect_events(const struct shape *shape, const char *told)
{
	struct buf events = BUF_INIT(TEXT_MAX);
	char *expected = fill_times(shape->events);
	size_t n;
	char **list = rest_rig_events(&n);

	ck_assert_int_eq(buf_adds(&events, ""), 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(buf_addf(&events, "%s\n", list[i]), 0);
		free(list[i]);
	}
	ck_assert_msg(strcmp(events.data, expected) == 0,
	    "%s: %s\ninstead of %s; %s\nasked: %s", shape->name, events.data,
	    expected, told, canned_requests(t.server));
	free(list);
	free(expected);
	buf_release(&events);
}

/* Of the store. */
static int64_t
number(const char *sql, const char *text)
{
	int64_t n;

	db_lock(rest_rig.s);
	ck_assert_int_eq(db_number(rest_rig.s, &rest_rig.err, 0, &n, sql,
			     text != NULL ? "t" : "", text),
	    0);
	db_unlock(rest_rig.s);
	return n;
}

/* The store has a window that ends so, or none; and as many gaps. */
static void
expect_spans(const struct shape *shape)
{
	int64_t n, all;

	n = number("SELECT count(*) FROM span WHERE chain = 's' AND since < "
		   "until AND how = ?",
	    shape->counted != NULL ? shape->counted : "");
	all = number("SELECT count(*) FROM span", NULL);
	ck_assert_msg(n == (shape->counted != NULL) && all == n, "%s: %d spans",
	    shape->name, (int)all);
	all = number("SELECT count(*) FROM gap", NULL);
	ck_assert_msg(all == shape->gaps, "%s: %d gaps", shape->name, (int)all);
	n = number("SELECT count(*) FROM gap WHERE until < since", NULL);
	ck_assert_int_eq(n, 0);
}

/* A lost cursor is told of whoever expects it. */
static void
expect_told(const struct shape *shape, const char *told)
{
	const bool right = shape->trouble != NULL
	    ? strstr(told, shape->trouble) != NULL
	    : *told == '\0' || strstr(told, "lost the cursor") != NULL;

	ck_assert_msg(right, "%s: told %s", shape->name, told);
}

void
shape_play(const struct shape *shape)
{
	const char *told;

	shape_begin(shape, "abcdefgh");
	rest_rig_open("s");
	poll_all(shape);
	told = rest_rig.told.len > 0 ? rest_rig.told.data : "";
	expect_events(shape, told);
	expect_asked(shape);
	expect_told(shape, told);
	ck_assert_msg(shape->once == NULL || count_asked(shape->once) == 1,
	    "%s: %u times", shape->name, count_asked(shape->once));
	ck_assert_msg(shape->most == 0 || canned_count(t.server) <= shape->most,
	    "%s: %zu requests", shape->name, canned_count(t.server));
	expect_spans(shape);
	rest_rig_close();
	shape_end();
}
