/*
 * certificates.c - when the certificates that a part of the configuration
 * names end.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "config/setting.h"
#include "http/certificates.h"
#include "http/pem.h"
#include "store/expiry.h"

/* Last part of the keys whose value is a certificate or several. */
static const char *const keys[] = { "certificate", "cert", "ca" };

struct survey {
	const char *where;
	const void *conf;
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

/* A bundle ends with its first; INT64_MAX: it names none. */
static int64_t
ends(const char *key, const char *value)
{
	struct err ignored = ERR_INIT;
	char *pem = secret_resolve_pem(value, &ignored);
	STACK_OF(X509) *certs = NULL;
	int64_t first = INT64_MAX;

	if (pem != NULL)
		certs = pem_certificates(key, pem, &ignored);
	for (int i = 0; certs != NULL && i < sk_X509_num(certs); i++) {
		int64_t at = pem_expires(sk_X509_value(certs, i));

		if (at < first)
			first = at;
	}
	pem_certificates_free(certs);
	secret_free(pem);
	return first;
}

static void
look(void *ctx, const struct setting_row *row)
{
	const struct setting *setting = row->setting;
	struct survey *s = ctx;
	const char *value;
	struct expiry *e;
	int64_t at;

	if (setting->type != SETTING_SECRET || !names_certificate(setting->key))
		return;
	memcpy(&value, (const char *)s->conf + row->offset, sizeof(value));
	at = value == NULL ? INT64_MAX : ends(setting->key, value);
	if (at == INT64_MAX)
		return;
	s->found = xreallocarray(s->found, s->n + 1, sizeof(*s->found));
	e = &s->found[s->n++];
	e->ends = at;
	(void)snprintf(e->option, sizeof(e->option), "%s.%s", s->where,
	    setting->key);
}

int
certificates_note(struct store *store, const char *where,
    const struct setting *table, const void *conf, struct err *err)
{
	struct survey s = { .where = where, .conf = conf };
	int rc;

	settings_each(table, look, &s);
	rc = expiry_set(store, where, s.found, s.n, err);
	free(s.found);
	return rc;
}
