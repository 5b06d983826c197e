/*
 * check_secrets.c - what is odd about secrets and the modes of their files.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/check_private.h"
#include "cmd/service.h"
#include "config/doubt.h"
#include "config/secret.h"

#define TEXT_MAX 2048

struct walk {
	const char *subject;
	const void *conf;
	check_secret_fn *fn;
	void *ctx;
};

static bool
is_private_key(const char *key)
{
	static const char *const keys[] = { "key", "private_key", "tls.key",
		"proxy" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* setting_fn */
static void
visit(void *ctx, const struct setting_row *row)
{
	const struct walk *w = ctx;
	const struct setting *s = row->setting;
	struct check_secret one = { .subject = w->subject, .key = s->key };
	const struct setting_pair *pair;
	const void *at = (const char *)w->conf + row->offset;

	if (s->type == SETTING_SECRETS) {
		memcpy(&pair, at, sizeof(pair));
		one.private = true;
		for (; pair != NULL && pair->name != NULL; pair++) {
			one.text = pair->value;
			w->fn(w->ctx, &one);
		}
	}
	if (s->type != SETTING_SECRET)
		return;
	memcpy(&one.text, at, sizeof(one.text));
	one.plain = setting_is_text_secret(s);
	one.private = one.plain || is_private_key(s->key);
	one.pem = !one.plain && strcmp(s->key, "proxy") != 0;
	if (one.text != NULL)
		w->fn(w->ctx, &one);
}

void
check_each_secret(const char *subject, const struct setting *table,
    const void *conf, check_secret_fn *fn, void *ctx)
{
	struct walk w = { subject, conf, fn, ctx };

	settings_each(table, visit, &w);
}

static void
each_entry(const char *section, const struct config_entry *list, size_t n,
    check_secret_fn *fn, void *ctx)
{
	char subject[128];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(subject, sizeof(subject), "%s.%s", section,
		    list[i].name);
		check_each_secret(subject, list[i].type->settings, list[i].conf,
		    fn, ctx);
	}
}

void
check_all_secrets(const struct config *config, check_secret_fn *fn, void *ctx)
{
	check_each_secret("agent", agent_settings, &config->agent, fn, ctx);
	each_entry("sources", config->sources, config->n_sources, fn, ctx);
	each_entry("outputs", config->outputs, config->n_outputs, fn, ctx);
}

static void
doubt(struct check *c, const struct check_secret *s, const char *what)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	c->doubts++;
	if (buf_addf(&text, "%s: %s: %s", s->subject, s->key, what) == 0)
		check_warn(c, text.data);
	buf_release(&text);
}

struct files {
	struct check *check;
	const struct check_secret *secret;
};

/* secret_file_fn */
static void
look_at_file(void *ctx, const char *path)
{
	const struct files *f = ctx;
	struct buf text = BUF_INIT(TEXT_MAX);

	if (doubt_file(path, &text))
		doubt(f->check, f->secret, text.data);
	buf_release(&text);
}

void
check_modes(void *ctx, const struct check_secret *s)
{
	struct files f = { ctx, s };

	if (s->private)
		secret_each_file(s->text, s->pem, look_at_file, &f);
}

void
check_text(void *ctx, const struct check_secret *s)
{
	struct err ignored = ERR_INIT; /* who uses it tells it */
	char *secret = s->plain ? secret_resolve(s->text, &ignored) : NULL;
	const char *why = secret != NULL ? doubt_resolved(secret) : NULL;

	if (why != NULL)
		doubt(ctx, s, why);
	secret_free(secret);
}

void
check_credential_modes(struct check *c)
{
	struct check_secret s = { .subject = "credential" };

	for (size_t i = 0; i < c->as->n; i++) {
		struct files f = { c, &s };

		s.key = c->as->credential[i].id;
		if (c->as->credential[i].path != NULL)
			look_at_file(&f, c->as->credential[i].path);
	}
}
