/*
 * shell_proxy.c - the proxy that the shell's environment names.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/node.h"
#include "base/text.h"
#include "config/config.h"
#include "setup/answers.h"
#include "setup/shell_proxy.h"

#define HTTPS "https://"

/* The value of the first of names that is set and not empty; NULL: none. */
static const char *
variable(const char *const *names, const char **found)
{
	for (; *names != NULL; names++) {
		const char *value = getenv(*names);

		if (value != NULL && value[0] != '\0') {
			if (found != NULL)
				*found = *names;
			return value;
		}
	}
	return NULL;
}

/* Is the host one of those, or in a domain of theirs, that no_proxy names? */
static bool
is_left_out(const char *host, size_t len)
{
	static const char *const names[] = { "no_proxy", "NO_PROXY", NULL };
	const char *at = variable(names, NULL);

	while (at != NULL && *(at += strspn(at, ", ")) != '\0') {
		size_t n = strcspn(at, ", ");
		const char *next = at + n;

		if (n == 1 && *at == '*')
			return true;
		if (*at == '.' && n > 1) {
			at++;
			n--;
		}
		if (n <= len && strncasecmp(host + len - n, at, n) == 0 &&
		    (n == len || host[len - n - 1] == '.'))
			return true;
		at = next;
	}
	return false;
}

/* May all URLs of the entry be reached through it? */
static bool
is_for(const struct node *entry)
{
	for (const struct node *n = entry->child; n != NULL; n = n->next) {
		const char *host;
		size_t len;

		if (n->type != NODE_SCALAR || n->text == NULL ||
		    strstr(n->text, "://") == NULL ||
		    strncasecmp(n->text, "http", 4) != 0)
			continue;
		if (strncasecmp(n->text, HTTPS, strlen(HTTPS)) != 0)
			return false;
		host = n->text + strlen(HTTPS);
		len = strcspn(host, ":/?#");
		if (*host == '[') /* an IPv6 address */
			len = strcspn(++host, "]");
		if (is_left_out(host, len))
			return false;
	}
	return true;
}

static int
take(struct answers *a, const char *section, struct node *entry,
    const struct node *there, FILE *out, struct err *err)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY",
		"all_proxy", "ALL_PROXY", NULL };
	const struct config_type *type = answers_type(a, section, entry);
	const char *name = NULL, *proxy = variable(names, &name), *shown;

	if (proxy == NULL || type == NULL ||
	    answers_row(type->settings, "proxy") == NULL ||
	    node_find(entry, "proxy") != NULL || !is_for(entry) ||
	    node_get(node_get(there, section), entry->key) != NULL)
		return 0;
	/* Of other kinds, such as SOCKS, is no option. */
	if (strstr(proxy, "://") != NULL && strncasecmp(proxy, "http", 4) != 0)
		return 0;
	if (answers_set(a, entry, type->settings, "proxy", proxy, err) != 0)
		return -1;
	shown = strrchr(proxy, '@');
	(void)fprintf(out, "%s.%s: through the proxy %s, as %s says\n", section,
	    entry->key, shown != NULL ? shown + 1 : proxy, name);
	return 0;
}

int
shell_proxy_take(struct answers *a, const struct node *there, FILE *out,
    struct err *err)
{
	static const char *const sections[] = { "sources", "outputs" };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct node *all = node_get(a->tree, sections[i]);

		if (all == NULL || all->type != NODE_MAP)
			continue;
		for (struct node *n = all->child; n != NULL; n = n->next)
			if (n->type == NODE_MAP &&
			    take(a, sections[i], n, there, out, err) != 0)
				return -1;
	}
	return 0;
}
