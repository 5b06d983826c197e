/*
 * watch.c - the role that answers scrapers and browsers: /metrics, /healthz,
 * /readyz and the status page; and that judges how the whole agent does.
 *
 * It holds no secret and reads the store alone; one connection at a time is
 * plenty for that.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"
#include "config/config.h"
#include "store/store.h"
#include "watch/history.h"
#include "watch/metrics.h"
#include "watch/microhttpd_late.h"
#include "watch/page.h"
#include "watch/status.h"
#include "watch/textfile.h"
#include "watch/verdict.h"
#include "watch/watch.h"

#define ANSWER_MAX METRICS_MAX
#define CONNECTIONS_MAX 32
#define IDLE_SECONDS 15
#define STEP_MS 1000
/* Unasked it judges so often, and where that takes long, of a thousand feeds,
 * for no more than a five-hundredth of the time. */
#define JUDGE_EVERY (5 * CLOCK_SECOND)
#define JUDGE_MOST HISTORY_EVERY
#define JUDGE_SHARE 500
#define TELL_EVERY CLOCK_HOUR
#define LEAN_AFTER (5 * CLOCK_SECOND) /* of nobody asking */

struct watch {
	const struct role *role;
	struct store *store;       /* NULL until it can be opened */
	struct MHD_Daemon *daemon; /* NULL: nobody may ask */
	struct history *history;
	int64_t judge_at;  /* monotonic: for the supervisor */
	int64_t sample_at; /* … for the history */
	char line[400];    /* as the supervisor was told */
	int64_t write_at;  /* the next textfile; monotonic */
	int64_t told;      /* that none can be written; 0: it can, or nobody
			      was told */
	int64_t busy;      /* the last question, or the start; 0: at rest */
};

/* What is served; fill returns the HTTP status. */
struct page {
	const char *path;
	const char *type;
	unsigned (*fill)(struct watch *w, struct buf *out);
	bool document; /* for a browser, which it gets a policy for */
};

/* NULL with the cause. */
static struct store *
open_store(const struct config *config, struct err *err)
{
	const struct agent_conf *conf = &config->agent;
	struct store *s = store_open(conf->store.path, STORE_READ, err);

	if (s != NULL)
		store_limits(s, conf->store.max_size, conf->store.min_free);
	return s;
}

/* Open the store where it is not open; NULL with the cause. */
static struct store *
store_of(struct watch *w, struct err *err)
{
	if (w->store == NULL)
		w->store = open_store(w->role->config, err);
	return w->store;
}

/* A reply that does not fit is our own fault: report it, do not truncate it. */
static unsigned
sentence(struct buf *out, unsigned status, const char *text)
{
	buf_clear(out);
	if (buf_addf(out, "%s\n", text) == -1)
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	return status;
}

static unsigned
serve_metrics(struct watch *w, struct buf *out)
{
	struct err err = ERR_INIT;
	struct store *s = store_of(w, &err);

	if (s == NULL || metrics_write(s, w->role, out, &err) == -1)
		return sentence(out, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
	return MHD_HTTP_OK;
}

/* Look at the store, and judge; release both.  False: the store can't be
 * read. */
static bool
judge(struct watch *w, struct status *st, struct verdict *v)
{
	const struct config *config = w->role->config;
	struct err err = ERR_INIT;
	struct store *s = store_of(w, &err);

	*st = (struct status){ .config = config };
	if (s == NULL || status_read(s, config, st, &err) != 0) {
		status_release(st);
		status_without_store(config, st);
		st->life = STATUS_RUNS;
		verdict_without_store(st, err.text, v);
		return false;
	}
	st->life = STATUS_RUNS; /* what it is part of */
	verdict_of(st, NULL, v);
	return true;
}

/* The line of the verdict, or the status and the sentence of what check
 * finds. */
static unsigned
serve_check(struct watch *w, struct buf *out,
    int (*check)(const struct verdict *, struct err *))
{
	struct status st;
	struct verdict v;
	struct err err = ERR_INIT;
	unsigned rc;

	(void)judge(w, &st, &v);
	if (check(&v, &err) != 0)
		rc = sentence(out, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
	else
		rc = sentence(out, MHD_HTTP_OK, v.line);
	verdict_release(&v);
	status_release(&st);
	return rc;
}

static unsigned
serve_health(struct watch *w, struct buf *out)
{
	return serve_check(w, out, verdict_alive);
}

static unsigned
serve_ready(struct watch *w, struct buf *out)
{
	return serve_check(w, out, verdict_works);
}

static unsigned
serve_page(struct watch *w, struct buf *out)
{
	struct status st;
	struct verdict v;
	bool known = judge(w, &st, &v);
	unsigned rc = MHD_HTTP_OK;

	if (page_write(&st, &v, w->history, !known, out) != 0)
		rc = sentence(out, MHD_HTTP_INTERNAL_SERVER_ERROR,
		    "the page is larger than a reply may be");
	verdict_release(&v);
	status_release(&st);
	return rc;
}

static const struct page pages[] = {
	{ "/", "text/html; charset=utf-8", serve_page, true },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", serve_metrics,
	    false },
	{ "/healthz", "text/plain; charset=utf-8", serve_health, false },
	{ "/readyz", "text/plain; charset=utf-8", serve_ready, false },
};

static const struct page *
find_page(const char *path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	}
	return NULL;
}

static const struct header {
	const char *name, *value; /* NULL: page_policy() */
	bool document;            /* only of the page */
} headers[] = {
	{ "X-Content-Type-Options", "nosniff", false },
	{ "Cache-Control", "no-store", false },
	{ "Content-Security-Policy", NULL, true },
	{ "X-Frame-Options", "DENY", true },
	{ "Referrer-Policy", "no-referrer", true },
	{ "Cross-Origin-Resource-Policy", "same-origin", true },
};

/* Hand a filled answer to the connection; takes out's memory. */
static enum MHD_Result
answer(struct MHD_Connection *c, unsigned status, const char *type,
    bool document, struct buf *out)
{
	struct MHD_Response *r;
	enum MHD_Result rc;
	size_t len;
	const struct microhttpd *mhd = microhttpd_load();
	char *data = buf_take(out, &len);

	r = mhd->create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
	if (r == NULL) {
		free(data);
		return MHD_NO;
	}
	rc = mhd->add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const struct header *h = &headers[i];

		if (rc == MHD_YES && (document || !h->document))
			rc = mhd->add_response_header(r, h->name,
			    h->value == NULL ? page_policy() : h->value);
	}
	if (rc == MHD_YES)
		rc = mhd->queue_response(c, status, r);
	mhd->destroy_response(r);
	return rc;
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **state)
{
	static const char plain[] = "text/plain; charset=utf-8";
	struct buf out = BUF_INIT(ANSWER_MAX);
	const struct page *page = find_page(url);
	unsigned status;

	(void)version;
	(void)upload;
	((struct watch *)ctx)->busy = clock_monotonic();
	if (*state == NULL) { /* headers only: wait for the whole request */
		*state = ctx;
		return MHD_YES;
	}
	if (*upload_size != 0) { /* a body nobody asked for */
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		status = sentence(&out, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "only GET is supported");
		return answer(c, status, plain, false, &out);
	}
	if (page == NULL) {
		status = sentence(&out, MHD_HTTP_NOT_FOUND,
		    "available: / /metrics /healthz /readyz");
		return answer(c, status, plain, false, &out);
	}
	status = page->fill(ctx, &out);
	return answer(c, status,
	    status == MHD_HTTP_INTERNAL_SERVER_ERROR ? plain : page->type,
	    page->document, &out);
}

static int
open_daemon(struct watch *w, struct err *err)
{
	w->daemon = microhttpd_load()->start_daemon(MHD_USE_EPOLL, 0, NULL,
	    NULL, on_request, w, MHD_OPTION_LISTEN_SOCKET, w->role->listen_fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
	    MHD_OPTION_END);
	if (w->daemon != NULL)
		return 0;
	return err_set(err, "watch: cannot start the HTTP server");
}

/* Tell the supervisor what has changed; a pipe that is full gets the next
 * line. */
static void
tell(struct watch *w, const char *line)
{
	char text[sizeof(w->line)];
	int len;

	/* The longest line that the pipe takes whole, and systemd's status. */
	text_one_line(text, sizeof(text) - 1, line);
	if (strcmp(text, w->line) == 0)
		return;
	len = (int)strlen(text);
	memcpy(w->line, text, (size_t)len + 1);
	text[len] = '\n';
	if (write(w->role->verdict_fd, text, (size_t)len + 1) < 0)
		w->line[0] = '\0';
}

static int64_t
pause_after(int64_t took)
{
	if (took > JUDGE_MOST / JUDGE_SHARE)
		return JUDGE_MOST;
	return took > JUDGE_EVERY / JUDGE_SHARE ? took * JUDGE_SHARE
						: JUDGE_EVERY;
}

/* From time to time: what the supervisor tells systemd, and the history. */
static void
look(struct watch *w)
{
	int64_t now = clock_monotonic();
	struct status st;
	struct verdict v;

	if (now < w->judge_at)
		return;
	if (judge(w, &st, &v) && now >= w->sample_at) {
		w->sample_at = now + HISTORY_EVERY;
		history_add(w->history, &st);
	}
	tell(w, v.line);
	verdict_release(&v);
	status_release(&st);
	w->judge_at = now + pause_after(clock_monotonic() - now);
}

/* It stands still alone: scrapers see it by the age of the file. */
static void
write_textfile(struct watch *w)
{
	const char *path = w->role->config->agent.watch.textfile;
	const int64_t now = clock_monotonic();
	struct err err = ERR_INIT;
	struct store *s;

	if (path == NULL || now < w->write_at)
		return;
	w->write_at = now + TEXTFILE_EVERY;
	s = store_of(w, &err);
	if (s != NULL && textfile_write(path, s, w->role, &err) == 0) {
		if (w->told != 0)
			log_notice("watch.textfile: written again");
		w->told = 0;
	} else if (w->told == 0 || now - w->told >= TELL_EVERY) {
		w->told = now;
		log_err("watch.textfile: %s; its directory must exist, be "
			"writable for the agent's user and, under systemd, be "
			"in ReadWritePaths= of the unit",
		    err.text);
	}
}

/* Most of what the start, or an answer, needed is not needed to judge. */
static void
keep_lean(struct watch *w)
{
	if (w->busy == 0 || clock_monotonic() - w->busy < LEAN_AFTER)
		return;
	w->busy = 0;
	if (w->store != NULL)
		store_rest(w->store);
	mem_give_back();
}

static void
loop(struct watch *w)
{
	struct pollfd pfd[2] = {
		{ .fd = -1, .events = POLLIN },
		{ .fd = w->role->wake_fd, .events = POLLIN },
	};

	if (w->daemon != NULL)
		pfd[0].fd =
		    microhttpd_load()
			->get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			->epoll_fd;
	while (!role_stopping(w->role)) {
		role_alive(w->role);
		look(w);
		write_textfile(w);
		keep_lean(w);
		(void)poll(pfd, 2, STEP_MS);
		if (pfd[1].revents != 0)
			role_rest(w->role, 0);
		if (w->daemon != NULL)
			(void)microhttpd_load()->run(w->daemon);
	}
}

int
watch_prepare(struct role *r)
{
	const char *where = r->config->agent.watch.listen;
	struct err err = ERR_INIT, later = ERR_INIT;

	if (where != NULL) {
		r->listen_fd = listen_open(where, &err);
		if (r->listen_fd < 0) {
			log_err("%s", err.text);
			return -1;
		}
	}
	/* Whoever opens it first makes the index of its log, which watch only
	 * reads from within its walls: what is open now could be written. */
	store_close(open_store(r->config, &later));
	return 0;
}

int
watch_run(const struct role *r)
{
	struct watch w = { .role = r,
		.history = history_new(),
		.busy = clock_monotonic(),
		.told = r->renewed };
	struct err err = ERR_INIT;

	if (r->listen_fd >= 0 && open_daemon(&w, &err) == -1) {
		log_err("%s", err.text);
		history_free(w.history);
		return 1;
	}
	role_ready(r);
	loop(&w);
	if (w.daemon != NULL)
		microhttpd_load()->stop_daemon(w.daemon);
	history_free(w.history);
	if (w.store != NULL)
		store_close(w.store);
	return 0;
}
