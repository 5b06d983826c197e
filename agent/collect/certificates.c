/*
 * certificates.c - when the sources' certificates end, and a warning of all
 * that do soon, those of the outputs included, which their ships note.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "collect/collect_private.h"
#include "config/config.h"
#include "http/certificates.h"
#include "sources/agent_feed.h"
#include "sources/source.h"
#include "store/expiry.h"

#define WARN_BEFORE (30 * CLOCK_DAY)
#define WARN_EVERY CLOCK_DAY

static bool
has(const struct config_entry *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		const size_t len = strlen(list[i].name);

		if (strncmp(list[i].name, name, len) == 0 && name[len] == '.')
			return true;
	}
	return false;
}

/* Is the option, "outputs.siem.tls.ca", one of the configuration? */
static bool
configured(const struct config *config, const char *option)
{
	const char *name = strchr(option, '.');

	if (name == NULL)
		return false;
	return strncmp(option, "sources", 7) == 0
	    ? has(config->sources, config->n_sources, name + 1)
	    : has(config->outputs, config->n_outputs, name + 1);
}

/* Of options that are not there any more. */
static void
forget_others(struct collector *c)
{
	struct expiry e = { .ends = 0 };
	struct err err = ERR_INIT;
	int rc;

	while ((rc = expiry_next(c->store, INT64_MAX, &e, &err)) == 1) {
		if (!configured(c->role->config, e.option))
			rc = expiry_forget(c->store, e.option, &err);
		if (rc == -1)
			break;
	}
	if (rc == -1)
		log_err("%s", err.text);
}

void
collect_certificates(struct collector *c)
{
	const struct config *config = c->role->config;
	struct err err = ERR_INIT;
	char where[128];

	for (size_t i = 0; i < config->n_sources; i++) {
		const struct config_entry *s = &config->sources[i];

		(void)snprintf(where, sizeof(where), "sources.%s", s->name);
		if (certificates_note(c->store, where, s->type->settings,
			s->conf, &err) != 0)
			log_err("%s", err.text);
	}
	forget_others(c);
}

static void
tell(struct collector *c, const struct expiry *e)
{
	int64_t left = e->ends - clock_now();
	char text[CLOCK_TEXT];

	(void)clock_format(e->ends, 0, text);
	log_warn("%s: the certificate %s on %s; replace it", e->option,
	    left > 0 ? "ends" : "ended", text);
	agent_feed_say(c->own, "certificate-expiry",
	    json_pack("{s:s, s:s, s:I}", "option", e->option, "not_after", text,
		"days_left", (json_int_t)(left / CLOCK_DAY)));
}

/* Not told within a day, as it stands; it will have been now. */
static bool
is_news(struct expiry_watch *w, const struct expiry *e)
{
	int64_t now = clock_monotonic();
	size_t i = 0;

	while (i < w->n && strcmp(w->told[i].of.option, e->option) != 0)
		i++;
	if (i == w->n) {
		w->told = xreallocarray(w->told, w->n + 1, sizeof(*w->told));
		w->n++;
	} else if (w->told[i].of.ends == e->ends &&
	    now - w->told[i].at < WARN_EVERY) {
		return false;
	}
	w->told[i].of = *e;
	w->told[i].at = now;
	return true;
}

void
collect_warn_certificates(struct collector *c, struct expiry_watch *w)
{
	struct expiry e = { .ends = 0 };
	struct err err = ERR_INIT;
	int rc;

	while ((rc = expiry_next(c->store, clock_now() + WARN_BEFORE, &e,
		    &err)) == 1)
		if (configured(c->role->config, e.option) && is_news(w, &e))
			tell(c, &e);
	if (rc == -1)
		log_err("%s", err.text);
}
