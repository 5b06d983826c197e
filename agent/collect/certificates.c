/*
 * certificates.c - when certificates end, and a warning of those that do soon.
 *
 * Every option of the configuration that may name one is looked at, whatever
 * it belongs to; private keys are not.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "collect/collect_private.h"
#include "config/config.h"
#include "config/secret.h"
#include "config/setting.h"
#include "http/pem.h"
#include "outputs/output.h"
#include "sources/agent_feed.h"
#include "store/expiry.h"

#define WARN_BEFORE (30 * CLOCK_DAY)

/* Last part of the keys whose value is a certificate or several. */
static const char *const keys[] = { "certificate", "cert", "ca" };

/* A look at all of them. */
struct survey {
	struct collector *c;
	bool warn;
	struct expiry *found;
	size_t n;
};

static bool
names_certificate(const char *key)
{
	const char *dot = strrchr(key, '.');

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(dot != NULL ? dot + 1 : key, keys[i]) == 0)
			return true;
	return false;
}

static void
tell(struct collector *c, const char *where, const char *key, int64_t ends)
{
	int64_t left = ends - clock_now();
	char text[CLOCK_TEXT];

	(void)clock_format(ends, 0, text);
	log_warn("%s.%s: the certificate %s on %s; replace it", where, key,
	    left > 0 ? "ends" : "ended", text);
	agent_feed_say(c->own, "certificate-expiry",
	    json_pack("{s:s++, s:s, s:I}", "option", where, ".", key,
		"not_after", text, "days_left",
		(json_int_t)(left / CLOCK_DAY)));
}

static void
note(struct survey *s, const char *where, const char *key, int64_t ends)
{
	struct expiry *e;

	s->found = xreallocarray(s->found, s->n + 1, sizeof(*s->found));
	e = &s->found[s->n++];
	e->ends = ends;
	(void)snprintf(e->option, sizeof(e->option), "%s.%s", where, key);
	if (s->warn && ends - clock_now() < WARN_BEFORE)
		tell(s->c, where, key, ends);
}

/* A bundle ends with its first. */
static void
look(struct survey *s, const char *where, const char *key, const char *value)
{
	struct err ignored = ERR_INIT;
	char *pem = secret_resolve_pem(value, &ignored);
	STACK_OF(X509) *certs = NULL;
	int64_t ends = INT64_MAX;

	/* What can't be read here is the business of who uses it. */
	if (pem != NULL)
		certs = pem_certificates(key, pem, &ignored);
	for (int i = 0; certs != NULL && i < sk_X509_num(certs); i++) {
		int64_t at = pem_expires(sk_X509_value(certs, i));

		if (at < ends)
			ends = at;
	}
	if (ends != INT64_MAX)
		note(s, where, key, ends);
	pem_certificates_free(certs);
	secret_free(pem);
}

static void
walk(struct survey *s, const char *where, const struct setting *table,
    const void *conf)
{
	for (; table->key != NULL; table++) {
		const char *at = (const char *)conf + table->offset;
		const char *value;

		if (table->type == SETTING_TABLE) {
			walk(s, where, table->table, at);
		} else if (table->type == SETTING_SECRET &&
		    names_certificate(table->key)) {
			memcpy(&value, at, sizeof(value));
			if (value != NULL)
				look(s, where, table->key, value);
		}
	}
}

void
collect_certificates(struct collector *c, bool warn)
{
	struct survey s = { .c = c, .warn = warn };
	struct err err = ERR_INIT;
	const struct config *config = c->role->config;
	char where[128];

	for (size_t i = 0; i < config->n_sources; i++) {
		(void)snprintf(where, sizeof(where), "sources.%s",
		    config->sources[i].name);
		walk(&s, where, config->sources[i].type->settings,
		    config->sources[i].conf);
	}
	for (size_t i = 0; i < config->n_outputs; i++) {
		(void)snprintf(where, sizeof(where), "outputs.%s",
		    config->outputs[i].name);
		walk(&s, where, config->outputs[i].type->settings,
		    config->outputs[i].conf);
	}
	if (expiry_set(c->store, s.found, s.n, &err) != 0)
		log_err("%s", err.text);
	free(s.found);
}
