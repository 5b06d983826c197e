/*
 * rest.c - a source that a definition describes, as collect calls it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/auth.h"
#include "http/server_clock.h"
#include "sources/common/pages.h"
#include "sources/rest/rest_private.h"
#include "store/feed.h"

#define URL_MAX 4096

/* What the vendor shows at the end of a window may grow for so long. */
#define SETTLE (5 * CLOCK_SECOND)

static void
define(const void *conf, struct source_definition *out)
{
	const struct rest_conf *c = conf;
	const struct def_rate *rate = &c->def->rate;
	const double minutes = (double)rate->per / (double)CLOCK_MINUTE;
	const int64_t most =
	    rate->most > rate->requests ? rate->most : rate->requests;

	*out = (struct source_definition){
		.streams = (const char *const *)c->streams,
		.stream_size = sizeof(struct rest_stream *),
		.http = &c->http,
		.budget = (double)rate->requests / minutes,
		.budget_max = (double)most / minutes,
		.interval = c->interval,
		.dedupe = c->dedupe,
		.retry_after_max = c->retry_after_max,
	};
	for (size_t i = 0; c->streams != NULL && c->streams[i] != NULL; i++) {
		const int64_t kept =
		    rest_retention(c, definition_stream(c->def, c->streams[i]));

		if (out->retention == 0 || kept < out->retention)
			out->retention = kept;
	}
}

/* api.wait: the time that a header of the reply says. */
static int64_t
wait_for_reset(const void *ctx, const struct http_reply *reply)
{
	const struct def_rate *rate = ctx;
	const int64_t now =
	    reply->date != INT64_MIN ? reply->date : clock_now();
	char value[64];
	int64_t when;

	if (!http_header(reply, rate->reset, value, sizeof(value)) ||
	    when_read((enum when_format)rate->reset_format,
		(struct slice){ value, strlen(value) }, &when) != 0)
		return 0;
	/* No time of this century: seconds from now, as in the draft of the
	 * RateLimit headers. */
	if (when < CLOCK_DAY)
		when += now;
	if (when <= now)
		return 0;
	/* A whole second may be cut from either. */
	return when - now + CLOCK_SECOND;
}

static int
open_hosts(struct rest *o, struct err *err)
{
	const struct definition *d = o->def;

	o->base = xcalloc(d->n_hosts + 1, sizeof(*o->base));
	o->own = xcalloc(d->n_hosts + 1, sizeof(*o->own));
	o->option = xcalloc(d->n_hosts + 1, sizeof(*o->option));
	for (size_t i = 0; i < d->n_hosts; i++) {
		struct buf url = BUF_INIT(URL_MAX), own = BUF_INIT(URL_MAX);

		o->option[i] = xasprintf("hosts.%s", d->hosts[i].name);
		if (rest_host(o->conf, i, &url) != 0 ||
		    rest_vendor_host(o->conf, i, &own) != 0) {
			buf_release(&url);
			buf_release(&own);
			return err_set(err, "%s: too long", o->option[i]);
		}
		o->base[i] = buf_take(&url, NULL);
		o->own[i] = buf_take(&own, NULL);
		/* It comes with the token. */
		if (*o->base[i] == '\0' && d->hosts[i].from_token != NULL)
			continue;
		if (http_url_check(o->option[i], o->base[i], err) != 0)
			return -1;
	}
	return 0;
}

static void
open_apis(struct rest *o)
{
	const struct definition *d = o->def;

	o->api = xcalloc(d->n_streams, sizeof(*o->api));
	for (size_t i = 0; i < d->n_streams; i++) {
		const struct def_stream *s = &d->streams[i];
		size_t host = definition_host(d,
		    (struct slice){ s->request.host, strlen(s->request.host) });

		o->api[i] = (struct api){ .base = o->base[host],
			.own = o->own[host],
			.option = o->option[host],
			.auth = o->auth,
			.rules = s->rules,
			.wait = d->rate.reset != NULL ? wait_for_reset : NULL,
			.ctx = &d->rate };
	}
}

void
rest_stream_free(struct rest_stream *rs)
{
	if (rs == NULL)
		return;
	buf_release(&rs->token);
	buf_release(&rs->part_page);
	buf_release(&rs->job);
	free(rs->brought);
	free(rs->own_base);
	free(rs);
}

static void
close_source(struct source *s)
{
	struct rest *o = s->state;

	s->state = NULL;
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->def->n_hosts; i++) {
		free(o->base != NULL ? o->base[i] : NULL);
		free(o->own != NULL ? o->own[i] : NULL);
		free(o->option != NULL ? o->option[i] : NULL);
	}
	free(o->base);
	free(o->own);
	free(o->option);
	free(o->api);
	auth_free(o->auth);
	auth_free(o->no_auth);
	free(o);
}

/* Names of hosts are the same in either case; a signature has the lower one. */
static void
lower_hosts(const struct rest_conf *c)
{
	for (size_t i = 0; i < c->def->n_variables; i++)
		if (c->def->variables[i].type == VARIABLE_HOST)
			for (char *at = c->values[i].text;
			     at != NULL && *at != '\0'; at++)
				*at = (char)tolower((unsigned char)*at);
}

static int
open_source(struct source *s, struct err *err)
{
	struct rest *o = xcalloc(1, sizeof(*o));
	const struct def_auth *a;

	s->state = o;
	o->conf = s->conf;
	o->def = o->conf->def;
	lower_hosts(o->conf);
	a = rest_auth(o->conf);
	if (a == NULL) {
		(void)err_set(err, "credentials are missing");
	} else if (open_hosts(o, err) == 0 &&
	    rest_open_auth(o, s, a, err) == 0) {
		open_apis(o);
		return 0;
	}
	close_source(s);
	return -1;
}

/* How far windows end before now because their bounds name whole units, of
 * which the last has begun: all that there is of it comes, too. */
static int64_t
unit_lag(const struct def_cursor *c)
{
	return c->lag <= c->granularity ? c->lag : 0;
}

/* Where windows end a whole unit ago, a feed begins no later than the last one
 * did, or it would wait for the next. */
static int64_t
initial_of(const struct rest_conf *conf, const struct def_cursor *c)
{
	return conf->initial < unit_lag(c) ? unit_lag(c) : conf->initial;
}

static void
set_windows(struct rest_stream *rs, const struct rest_conf *conf)
{
	const struct def_cursor *c = &rs->def->cursor;
	const int64_t kept = rest_retention(conf, rs->def);

	rs->spec = (struct window_spec){
		.unit = c->granularity,
		.span = c->span,
		.kept = kept,
		.late = CLOCK_MINUTE,
		.slack = 5 * CLOCK_MINUTE,
		.ahead = c->lag > 0 ? -c->lag : CLOCK_SECOND,
		.beyond = unit_lag(c),
		.settle = SETTLE,
		.initial = initial_of(conf, c),
		.overlap = conf->overlap > 0 ? conf->overlap : c->overlap,
		/* How far the longest sweep goes, where that has grown: as a
		 * time behind 1970, which a cursor has. */
		.own = { "widened" },
		.lost = "not read within the time that the vendor keeps it",
	};
	for (size_t i = 0; i < DEF_SWEEPS && c->sweeps[i].every != 0; i++) {
		text_duration_format(rs->sweep_keys[i], c->sweeps[i].every);
		rs->spec.sweeps[i] =
		    (struct window_sweep){ .key = rs->sweep_keys[i],
			    .every = c->sweeps[i].every,
			    .back = c->sweeps[i].back < kept ? c->sweeps[i].back
							     : kept };
	}
}

/* The cursor, and a sweep that has grown before. */
static void
load_windows(struct rest_stream *rs, struct stream *st)
{
	struct window_sweep *longest = rs->spec.sweeps;
	int64_t back;

	window_load(&rs->window, &rs->spec, st);
	back = rs->window.cursor.own[0];
	while (longest->every != 0 && longest[1].every != 0)
		longest++;
	if (longest->every != 0 && back > longest->back)
		longest->back = back < rs->spec.kept ? back : rs->spec.kept;
}

/* A feed of a vendor's own cursor begins. */
static void
begin_token(struct rest_stream *rs, struct stream *st, int64_t initial)
{
	const int64_t kept = rs->spec.kept - rs->spec.slack;
	const int64_t now = server_clock_now(st->source->clock);

	if (rs->from == 0)
		rs->from = now - (initial < kept ? initial : kept);
	if (st->listed == INT64_MIN)
		st->listed = rs->newest != 0 ? rs->newest : rs->from;
}

struct rest_stream *
rest_stream_new(struct stream *st, const struct def_stream *def)
{
	struct rest *o = st->source->state;
	struct rest_stream *rs = xcalloc(1, sizeof(*rs));

	rs->def = def;
	/* By its name: a bounded one has the stream's. */
	rs->api =
	    &o->api[definition_stream(o->def, st->name) - o->def->streams];
	buf_init(&rs->token, PAGES_LINK_MAX);
	buf_init(&rs->part_page, PAGES_LINK_MAX);
	buf_init(&rs->job, PAGES_LINK_MAX);
	set_windows(rs, o->conf);
	return rs;
}

/* The state of a stream, made when it is first wanted; its thread alone calls
 * this. */
static struct rest_stream *
state_of(struct stream *st)
{
	struct rest_stream **at = st->state, *rs = *at;
	struct rest *o = st->source->state;
	char *json;

	if (rs != NULL)
		return rs;
	rs = rest_stream_new(st, definition_stream(o->def, st->name));
	json = feed_cursor(st->feed);
	rest_cursor_read(rs, json);
	if (rs->def->cursor.kind != CURSOR_WINDOW)
		/* What was lost is to be read as far back as can be. */
		begin_token(rs, st,
		    strcmp(json, "lost") == 0 ? INT64_MAX : o->conf->initial);
	else
		load_windows(rs, st);
	free(json);
	*at = rs;
	return rs;
}

static void
begin(struct stream *st, struct outcome *r)
{
	struct rest_stream *rs = state_of(st);

	if (rs->def->cursor.kind == CURSOR_WINDOW)
		(void)window_begin(&rs->window, st, r);
	else
		(void)rest_cursor_save(rs, st, NULL, r);
}

static enum poll_next
poll(struct worker *w, struct stream *st, struct outcome *r)
{
	struct rest_stream *rs = state_of(st);
	bool behind = false;

	if (rs->def->cursor.kind != CURSOR_WINDOW) {
		/* Where it begins is durable before it is asked for. */
		if (rs->token.len == 0 &&
		    rest_cursor_save(rs, st, NULL, r) != REPLY_OK)
			return POLL_REST;
		if (rest_read_token(w, st, &behind, r) != REPLY_OK)
			return POLL_REST;
		return behind ? POLL_AGAIN : POLL_REST;
	}
	if (window_begin(&rs->window, st, r) != REPLY_OK ||
	    rest_read_part(w, st, r) != REPLY_OK)
		return POLL_REST;
	return window_poll(&rs->window, w, st, rest_read_window, r);
}

/* A line about each stream, and the first fault as the result. */
static int
live(struct worker *w, struct buf *message, struct err *err)
{
	const struct rest_conf *c = w->source->conf;
	int rc = 0;

	for (size_t i = 0; c->streams[i] != NULL; i++) {
		size_t rows = 0;
		struct outcome r;

		if (rest_try(w, definition_stream(c->def, c->streams[i]), &rows,
			&r) == REPLY_OK) {
			if (buf_addf(message,
				"%s: can be read; the first page of the last "
				"hour has %zu event%s\n",
				c->streams[i], rows, rows == 1 ? "" : "s") != 0)
				return err_set(err, "too much to say");
			continue;
		}
		if (r.class == REPLY_STOPPED)
			(void)outcome_set(&r, REPLY_STOPPED,
			    "is not tried, since no further request may be "
			    "made for the moment");
		if (rc != 0 &&
		    buf_addf(message, "%s: %s\n", c->streams[i], r.text) != 0)
			break;
		rc = err_set(err, "%s: %s", c->streams[i], r.text);
	}
	return rc;
}

const struct source_type rest_calls = {
	.define = define,
	.credential = rest_credential,
	.open = open_source,
	.begin = begin,
	.poll = poll,
	.bounds = rest_bounds,
	.backfill = rest_backfill,
	.forget = rest_forget,
	.audit = &rest_audit,
	.live = live,
	.close = close_source,
};
