/*
 * vendor_ask.c - is a request as the script says that it must be?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "tests/lib/vendor_private.h"

#define PAIRS_MAX 64

void
vendor_die(const char *why)
{
	(void)fprintf(stderr, "vendor: %s\n", why);
	abort();
}

const char *
vendor_text(const struct node *map, const char *path, const char *otherwise)
{
	const struct node *n = node_find(map, path);

	return n != NULL && n->text != NULL ? n->text : otherwise;
}

void
vendor_complain(struct vendor *v, const char *what, const char *got)
{
	if (v->complaint == NULL)
		v->complaint =
		    xasprintf("request %u: %s: %s", v->requests, what, got);
}

void
vendor_put(struct buf *out, const char *text, const struct place *places)
{
	while (*text != '\0') {
		const struct place *p = places;
		size_t len = 0;

		for (; p->name != NULL; p++) {
			len = strlen(p->name);
			if (strncmp(text, p->name, len) == 0)
				break;
		}
		if (p->name != NULL ? buf_adds(out, p->value) != 0
				    : buf_add(out, text, 1) != 0)
			vendor_die("out of memory");
		text += p->name != NULL ? len : 1;
	}
}

/* Where the place goes that a pattern begins with, NULL: it begins with none.
 */
static char **
place_of(struct asked *a, const char *pattern)
{
	const struct {
		const char *name;
		char **to;
	} places[] = { { "<start>", &a->start }, { "<end>", &a->end },
		{ "<page>", &a->page }, { "<number>", &a->number },
		{ "<token>", &a->token }, { "<any>", &a->any } };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strncmp(pattern, places[i].name, strlen(places[i].name)) ==
		    0)
			return places[i].to;
	return NULL;
}

/* Does got look like the pattern?  What is in its places goes into a. */
static bool
match(struct asked *a, const char *pattern, const char *got)
{
	while (*pattern != '\0') {
		char **to = place_of(a, pattern);
		size_t len;

		if (to == NULL && *pattern++ != *got++)
			return false;
		if (to == NULL)
			continue;
		pattern = strchr(pattern, '>') + 1;
		len = strcspn(pattern, "<");
		for (const char *stop = got;; stop++) {
			if (len > 0 ? strncmp(stop, pattern, len) == 0
				    : *stop == '\0') {
				free(*to);
				*to = xstrndup(got, (size_t)(stop - got));
				got = stop;
				break;
			}
			if (*stop == '\0')
				return false;
		}
	}
	return *got == '\0';
}

void
vendor_forget(struct asked *a)
{
	char **const places[] = { &a->start, &a->end, &a->page, &a->number,
		&a->token, &a->any };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		free(*places[i]);
		*places[i] = NULL;
	}
}

/* Parameters of a query, in their order; a name may be there twice. */
struct given {
	const char *key[PAIRS_MAX];
	const char *value[PAIRS_MAX];
	bool known[PAIRS_MAX];
	size_t n;
};

static enum MHD_Result
note_one(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct given *g = cls;

	(void)kind;
	if (g->n == PAIRS_MAX)
		return MHD_NO;
	g->key[g->n] = key;
	g->value[g->n++] = value != NULL ? value : "";
	return MHD_YES;
}

/* The first of that name that is not taken yet fits. */
static bool
take(struct asked *a, struct given *g, const struct node *wanted)
{
	size_t i = 0;

	while (i < g->n && (g->known[i] || strcmp(g->key[i], wanted->key) != 0))
		i++;
	if (i == g->n || !match(a, wanted->text, g->value[i]))
		return false;
	g->known[i] = true;
	return true;
}

/* The query, a map or a list of maps with one key each, and the body. */
static bool
fits(struct asked *a, const struct node *how)
{
	const struct node *query = node_get(how, "query");
	struct given given = { .n = 0 };
	size_t wanted = 0;

	vendor_forget(a);
	(void)MHD_get_connection_values(a->conn, MHD_GET_ARGUMENT_KIND,
	    note_one, &given);
	for (const struct node *q = query != NULL ? query->child : NULL;
	     q != NULL; q = q->next, wanted++)
		if (!take(a, &given, query->type == NODE_LIST ? q->child : q))
			return false;
	return given.n == wanted &&
	    match(a, vendor_text(how, "body", ""),
		a->body.len > 0 ? a->body.data : "");
}

static void
check_headers(struct asked *a, const struct node *how)
{
	const struct node *h = node_get(how, "headers");

	for (h = h != NULL ? h->child : NULL; h != NULL; h = h->next) {
		const char *got = MHD_lookup_connection_value(a->conn,
		    MHD_HEADER_KIND, h->key);

		if (got == NULL || !match(a, h->text, got))
			vendor_complain(a->v, h->key,
			    got != NULL ? got : "missing");
	}
}

/* Complain with all of the request that may be wrong. */
static void
complain_asked(struct asked *a)
{
	struct given given = { .n = 0 };
	struct buf text = BUF_INIT(1 << 20);
	int rc = buf_addf(&text, "%s %s", a->method, a->path);

	(void)MHD_get_connection_values(a->conn, MHD_GET_ARGUMENT_KIND,
	    note_one, &given);
	for (size_t i = 0; i < given.n; i++)
		rc |= buf_addf(&text, " %s=%s", given.key[i], given.value[i]);
	if (a->body.len > 0)
		rc |= buf_addf(&text, " %s", a->body.data);
	if (rc != 0)
		vendor_die("out of memory");
	vendor_complain(a->v, "query or body", text.data);
	buf_release(&text);
}

bool
vendor_right(struct asked *a)
{
	const struct node *script = a->v->script;
	const struct node *first = node_get(script, "request");
	const struct node *next = node_get(script, "next");
	const char *path = vendor_text(first, "path", "");
	const char *method = vendor_text(first, "method", "GET");
	const unsigned complaints = a->v->complaint != NULL;
	const bool further = next != NULL &&
	    strcmp(a->path, vendor_text(next, "path", path)) == 0 &&
	    fits(a, next);

	if (!further && strcmp(a->path, path) != 0)
		vendor_complain(a->v, "path", a->path);
	if (strcmp(a->method,
		further ? vendor_text(next, "method", method) : method) != 0)
		vendor_complain(a->v, "method", a->method);
	if (!further && !fits(a, first))
		complain_asked(a);
	check_headers(a, first);
	return complaints == (a->v->complaint != NULL);
}

bool
vendor_is(struct asked *a, const struct node *how)
{
	if (how == NULL || strcmp(a->path, vendor_text(how, "path", "-")) != 0)
		return false;
	if (strcmp(a->method, vendor_text(how, "method", "POST")) != 0)
		vendor_complain(a->v, "method", a->method);
	if (!fits(a, how))
		complain_asked(a);
	check_headers(a, how);
	return true;
}
