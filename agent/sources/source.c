/*
 * source.c - the kinds of vendor, and one outside the agent.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/source.h"

const struct config_type *const source_types[] = {
	&source_office365.type,
	&source_aws_s3.type,
	NULL,
};

void
stream_begin(struct stream *st)
{
	st->state = xcalloc(1, st->source->definition.stream_size);
}

void
stream_end(struct stream *st)
{
	if (st->state == NULL)
		return;
	if (st->source->type->forget != NULL)
		st->source->type->forget(st);
	free(st->state);
	st->state = NULL;
}

void
worker_waits(struct worker *w, enum waiting what)
{
	w->waits_since = clock_monotonic();
	w->waits = what;
}

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

/* One try is enough: nothing is waited for. */
static bool
no_rest(void *ctx, int64_t us)
{
	(void)ctx;
	(void)us;
	return false;
}

static int
tell_skew(const struct source *s, struct buf *message)
{
	int64_t skew = server_clock_claim(s->clock);

	if (skew <= SERVER_CLOCK_APART && skew >= -SERVER_CLOCK_APART)
		return 0;
	return buf_addf(message,
	    "the vendor's replies tell a time that differs from this machine's "
	    "by %lld s; check this machine's clock, and that no proxy changes "
	    "the Date of replies\n",
	    (long long)(skew / CLOCK_SECOND));
}

int
source_live(const struct config_entry *conf, const char *folder,
    const char *old_folder, struct buf *message, struct err *err)
{
	struct source s = { .type = source_type_of(conf->type),
		.name = conf->name,
		.folder = folder,
		.old_folder = old_folder,
		.conf = conf->conf,
		.stop = never,
		.rest = no_rest };
	struct worker w = { .source = &s };
	int rc = -1;

	if (s.type->live == NULL)
		return 0;
	s.type->define(s.conf, &s.definition);
	s.rate = rate_new(s.definition.budget, s.definition.budget);
	s.clock = server_clock_new();
	s.access = http_access_open(s.definition.http, err);
	if (s.access != NULL && s.type->open(&s, err) == 0) {
		w.http = http_new(s.access, NULL, NULL);
		rc = s.type->live(&w, message, err);
		if (tell_skew(&s, message) != 0)
			rc = -1;
		http_free(w.http);
		s.type->close(&s);
	}
	http_access_free(s.access);
	server_clock_free(s.clock);
	rate_free(s.rate);
	return rc;
}
