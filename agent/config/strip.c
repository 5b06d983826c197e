/*
 * strip.c - a configuration without the secrets that are written out in it.
 */
#include <stdbool.h>
#include <string.h>

#include "base/node.h"
#include "config/secret.h"
#include "config/setting.h"
#include "config/strip.h"

/* "host" or "host:443". */
static bool
is_host(const char *text)
{
	const char *port = strchr(text, ':');

	return port == NULL || port[1 + strspn(port + 1, "0123456789")] == '\0';
}

/* Leave "https://host:443" of a URL with all that one can have, of a path
 * nothing from its query on, and nothing of a user without a scheme,
 * "name:password@host:443".  An "@" behind the host is
 * a part of the path, or the host a part of a password that was not encoded:
 * where that is not certain, nothing is left. */
static void
strip_url(char *text)
{
	char *host = strstr(text, "://");
	char *end, *at;
	bool later;

	if (text[0] == '/') {
		text[strcspn(text, "?#")] = '\0';
		return;
	}
	host = host == NULL ? text : host + 3;
	end = host == text ? host + strlen(host) : host + strcspn(host, "/?#");
	later = strchr(end, '@') != NULL;
	*end = '\0';
	at = strrchr(host, '@');
	if (later && (at != NULL || !is_host(host)))
		*host = '\0';
	else if (at != NULL)
		memmove(host, at + 1, strlen(at + 1) + 1);
}

static void
strip_node(struct node *n, void (*strip)(char *text))
{
	if (n->type == NODE_SCALAR)
		strip(n->text);
	for (struct node *c = n->child; c != NULL; c = c->next)
		strip_node(c, strip);
}

static void
strip_all(char *text)
{
	explicit_bzero(text, strlen(text));
}

static void
strip_secret_row(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;
	struct node *n = (struct node *)(uintptr_t)node_find(ctx, s->key);

	if (n != NULL &&
	    (s->type == SETTING_SECRET || s->type == SETTING_SECRETS))
		strip_node(n, strip_all);
}

static void
strip_row(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;
	/* The map is the caller's to change; node_find() only borrows it. */
	struct node *n = (struct node *)(uintptr_t)node_find(ctx, s->key);

	if (n == NULL)
		return;
	if (s->type == SETTING_SECRET || s->type == SETTING_SECRETS)
		strip_node(n, secret_keep_references);
	else if (s->type == SETTING_STRING || s->type == SETTING_LIST)
		strip_node(n, strip_url);
}

void
config_strip(const struct setting *table, struct node *map)
{
	settings_each(table, strip_row, map);
}

void
config_strip_secrets(const struct setting *table, struct node *map)
{
	config_strip(table, map);
	settings_each(table, strip_secret_row, map);
}
