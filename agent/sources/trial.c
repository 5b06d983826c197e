/*
 * trial.c - a source is tried: one stream, a store of its own, some requests.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "http/client.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/source.h"
#include "sources/trial.h"
#include "store/audit.h"
#include "store/feed.h"
#include "store/line.h"
#include "store/report.h"
#include "store/store.h"

/* A vendor that asks for more than this would keep a person waiting. */
#define WAIT_MAX (10 * CLOCK_SECOND)
/* What fails is tried again so often, which shows whether it fails always. */
#define TROUBLES_MAX 2
#define POLLS_MAX 1000
#define LINES_MAX (64 << 20)

/* One run. */
struct run {
	struct trial *t;
	struct store *store;
	struct source source;
	struct stream stream;
	struct worker worker;
	unsigned troubles;
	char last[1024]; /* of them */
	bool ended;      /* enough was seen */
	char dir[256];
	char path[300];
};

/* Takes text. */
static void
say(struct run *k, const char *kind, char *text)
{
	k->t->step(k->t->ctx, kind, text);
	free(text);
}

/* -- what the source is told ----------------------------------------------- */

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

static bool
rest(void *ctx, int64_t us)
{
	struct run *k = ctx;

	if (us > WAIT_MAX || k->troubles > TROUBLES_MAX) {
		if (us > WAIT_MAX)
			say(k, "stop",
			    xasprintf("an agent would wait for %" PRId64
				      " s now",
				us / CLOCK_SECOND));
		return false;
	}
	(void)usleep((useconds_t)us);
	return true;
}

static void
ignore(void *ctx, struct stream *st)
{
	(void)ctx;
	(void)st;
}

static void
count(struct run *k)
{
	struct feed_report r;
	struct err err = ERR_INIT;

	if (report_feed(k->store, 0, &r, &err) != 1)
		return;
	k->t->collected = r.size;
	k->t->repeats = r.count[FEED_DUPLICATES];
}

static void
committed(void *ctx, struct stream *st)
{
	(void)st;
	count(ctx);
}

static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	struct run *k = ctx;

	(void)st;
	k->troubles += r->class == REPLY_RETRY || r->class == REPLY_THROTTLED;
	(void)snprintf(k->last, sizeof(k->last), "%s", r->text);
	say(k, "trouble",
	    xasprintf("%s: %s", reply_class_name(r->class), r->text));
}

/* source_watch.asks */
static bool
asks(void *ctx, const char *method, const char *url, const char *body)
{
	struct run *k = ctx;
	const struct trial *t = k->t;
	const bool enough = t->collected >= t->events;

	if (enough || t->asked >= t->requests) {
		if (!k->ended)
			say(k, "stop",
			    xasprintf("%s are enough here; an agent would go "
				      "on with %s %s",
				enough ? "these events" : "these requests",
				method, url));
		k->ended = true;
		return false;
	}
	k->t->asked++;
	say(k, "request",
	    xasprintf("%s %s%s%s", method, url, body != NULL ? " " : "",
		body != NULL ? body : ""));
	return true;
}

/* source_watch.answered */
static void
answered(void *ctx, const struct http_reply *reply, const struct outcome *r)
{
	struct run *k = ctx;
	const bool good = r->class == REPLY_OK;

	if (reply->status == 0)
		say(k, "reply", xasprintf("none: %s", r->text));
	else
		say(k, "reply",
		    xasprintf("status %d, %s, %" PRIu64 " bytes: %s%s%s",
			reply->status,
			reply->type[0] != '\0' ? reply->type : "no type",
			reply->bytes, reply_class_name(r->class),
			good ? "" : ": ", good ? "" : r->text));
}

/* -- a store of its own ---------------------------------------------------- */

static int
make_store(struct run *k, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *name = xasprintf("%s/%s", k->source.name, k->t->stream);

	(void)snprintf(k->dir, sizeof(k->dir), "%.200s/sealfeed-test-XXXXXX",
	    tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	if (mkdtemp(k->dir) == NULL) {
		(void)err_set(err, "%s: cannot be made: %s", k->dir,
		    strerror(errno));
		k->dir[0] = '\0';
	} else {
		(void)snprintf(k->path, sizeof(k->path), "%s/store.db", k->dir);
		k->store = store_open(k->path, STORE_RELAXED, err);
	}
	if (k->store != NULL)
		k->stream.feed =
		    feed_open(k->store, name, k->source.definition.dedupe, err);
	free(name);
	return k->stream.feed != NULL ? 0 : -1;
}

static void
remove_store(struct run *k)
{
	DIR *dir = k->dir[0] != '\0' ? opendir(k->dir) : NULL;
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
	if (k->dir[0] != '\0')
		(void)rmdir(k->dir);
}

/* What is left of the events to be shown. */
struct show {
	struct trial *t;
	uint64_t left;
};

/* audit_batch_fn */
static int
show_batch(void *ctx, const struct audit_batch *b, struct err *err)
{
	struct show *s = ctx;
	struct gzip *g = gzip_new();
	struct buf lines = BUF_INIT(LINES_MAX);
	int rc = gzip_unpack(g, b->lines.data, b->lines.len, &lines, err);
	const char *at = lines.data, *end = at + lines.len;

	while (rc == 0 && s->left > 0 && at != NULL && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		struct line line;

		if (nl == NULL)
			break;
		if (line_parse(at, (size_t)(nl - at), &line) == 0 &&
		    line.kind == LINE_EVENT) {
			s->t->event(s->t->ctx, line.value.data, line.value.len);
			s->left--;
		}
		at = nl + 1;
	}
	buf_release(&lines);
	gzip_free(g);
	return rc;
}

static int
show_events(struct run *k, struct err *err)
{
	struct show s = { .t = k->t, .left = k->t->events };
	int rc = audit_begin(k->store, err);

	if (rc != 0)
		return rc;
	rc = audit_batches(k->store, show_batch, &s, err);
	audit_end(k->store);
	return rc;
}

static int
show_gaps(struct run *k, struct err *err)
{
	struct gap_row g = { .id = 0 };
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	int rc;

	while ((rc = report_gap(k->store, g.id, &g, err)) == 1) {
		(void)clock_format(g.from, 0, from);
		(void)clock_format(g.to, 0, to);
		say(k, "gap",
		    xasprintf("from %s to %s: %s", from, to, g.cause));
	}
	return rc;
}

/* -- the run --------------------------------------------------------------- */

static const char *
next_text(enum poll_next next)
{
	return next == POLL_AGAIN ? "there is more to ask for at once"
	    : next == POLL_SOON   ? "there is a backlog, the next poll is soon"
				  : "all is read, the next poll is after the "
				    "interval";
}

static void
say_poll(struct run *k, enum poll_next next)
{
	char *cursor = feed_cursor(k->stream.feed);

	count(k);
	say(k, "poll",
	    xasprintf("%" PRIu64 " events so far, %" PRIu64 " came again: %s",
		k->t->collected, k->t->repeats, next_text(next)));
	if (*cursor != '\0')
		say(k, "cursor", xasprintf("%s", cursor));
	free(cursor);
}

/* Poll as collect does, until all is read or enough was seen. */
static int
poll(struct run *k, struct err *err)
{
	const struct source_type *type = k->source.type;
	enum poll_next next = POLL_AGAIN;

	for (unsigned n = 0; n < POLLS_MAX && next != POLL_REST; n++) {
		struct outcome r = { .class = REPLY_OK };

		next = type->poll(&k->worker, &k->stream, &r);
		if (r.class == REPLY_STOPPED ? !k->ended : r.class != REPLY_OK)
			return err_set(err, "%s/%s: %s", k->source.name,
			    k->t->stream,
			    r.class == REPLY_STOPPED && k->last[0] != '\0'
				? k->last
				: r.text);
		say_poll(k, k->ended ? POLL_AGAIN : next);
		if (k->ended)
			break;
	}
	return 0;
}

static int
run(struct run *k, struct err *err)
{
	struct source *s = &k->source;
	struct err later = ERR_INIT;
	int rc = -1;

	s->rate = rate_new(s->definition.budget, s->definition.budget);
	s->clock = server_clock_new();
	s->access = http_access_open(s->definition.http, err);
	if (s->access != NULL && make_store(k, err) == 0 &&
	    s->type->open(s, err) == 0) {
		stream_begin(&k->stream);
		k->worker.http = http_new(s->access, NULL, NULL);
		rc = poll(k, err);
		/* What was collected before it failed is of interest, too. */
		if (show_gaps(k, rc == 0 ? err : &later) != 0 ||
		    show_events(k, rc == 0 ? err : &later) != 0)
			rc = -1;
		http_free(k->worker.http);
		stream_end(&k->stream);
		s->type->close(s);
	}
	feed_close(k->stream.feed);
	store_close(k->store);
	http_access_free(s->access);
	server_clock_free(s->clock);
	rate_free(s->rate);
	return rc;
}

int
trial_run(struct trial *t, struct err *err)
{
	struct run k = { .t = t };
	const struct source_watch watch = {
		.asks = asks, .answered = answered, .ctx = &k
	};
	int rc;

	k.source = (struct source){ .type = source_type_of(t->conf->type),
		.name = t->conf->name,
		.folder = t->folder,
		.old_folder = t->old_folder,
		.conf = t->conf->conf,
		.stop = never,
		.rest = rest,
		.listed = ignore,
		.committed = committed,
		.trouble = trouble,
		.ctx = &k,
		.watch = &watch };
	k.source.type->define(k.source.conf, &k.source.definition);
	k.stream = (struct stream){
		.source = &k.source, .name = t->stream, .listed = INT64_MIN
	};
	k.worker = (struct worker){ .source = &k.source, .stream = &k.stream };
	rc = run(&k, err);
	remove_store(&k);
	return rc;
}
