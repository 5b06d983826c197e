/*
 * vendor_ask.c - is a request as the script says that it must be?
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
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
		{ "<token>", &a->token }, { "<any>", &a->any },
		{ "<ids>", &a->ids }, { "<job>", &a->job },
		{ "<iterator>", &a->iterator }, { "<refresh>", &a->refresh } };

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
			/* Within JSON, none but <any> is more than a text. */
			if (*stop == '\0' ||
			    (*stop == '"' && to != &a->any && to != &a->ids))
				return false;
		}
	}
	return *got == '\0';
}

void
vendor_forget(struct asked *a)
{
	char **const places[] = { &a->start, &a->end, &a->page, &a->number,
		&a->token, &a->any, &a->ids, &a->job, &a->iterator,
		&a->refresh };

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

/* All of a map, or of a list of maps with one key each, and nothing else. */
static bool
take_all(struct asked *a, struct given *g, const struct node *wanted)
{
	const bool list = wanted != NULL && wanted->type == NODE_LIST;
	size_t n = 0;

	for (const struct node *w = wanted != NULL ? wanted->child : NULL;
	     w != NULL; w = w->next, n++)
		if (!take(a, g, list ? w->child : w))
			return false;
	return n == g->n;
}

/* "%20" and "+" become what they stand for, in place. */
static char *
decode(char *text)
{
	char *to = text;

	for (const char *s = text; *s != '\0'; s++) {
		unsigned byte;

		if (*s == '%' && sscanf(s + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			s += 2;
		} else {
			*to++ = *s == '+' ? ' ' : *s;
		}
	}
	*to = '\0';
	return text;
}

/* A body of application/x-www-form-urlencoded, whose order says nothing. */
static bool
fits_form(struct asked *a, const struct node *form)
{
	char *body = xstrdup(a->body.len > 0 ? a->body.data : "");
	char *save = NULL;
	struct given given = { .n = 0 };
	bool fit;

	for (char *pair = strtok_r(body, "&", &save);
	     pair != NULL && given.n < PAIRS_MAX;
	     pair = strtok_r(NULL, "&", &save)) {
		char *value = strchr(pair, '=');

		if (value != NULL)
			*value++ = '\0';
		given.key[given.n] = decode(pair);
		given.value[given.n++] = value != NULL ? decode(value) : "";
	}
	fit = take_all(a, &given, form);
	free(body);
	return fit;
}

/* The query and the body. */
static bool
fits(struct asked *a, const struct node *how)
{
	const struct node *form = node_get(how, "form");
	struct given given = { .n = 0 };

	vendor_forget(a);
	(void)MHD_get_connection_values(a->conn, MHD_GET_ARGUMENT_KIND,
	    note_one, &given);
	if (!take_all(a, &given, node_get(how, "query")))
		return false;
	return form != NULL ? fits_form(a, form)
			    : match(a, vendor_text(how, "body", ""),
				  a->body.len > 0 ? a->body.data : "");
}

/* What a JWT claims, NULL: it is none. */
static json_t *
claims_of(const char *jwt)
{
	const char *begin = jwt != NULL ? strchr(jwt, '.') : NULL;
	const size_t len = begin != NULL ? strcspn(++begin, ".") : 0;
	struct buf text = BUF_INIT(1 << 16), raw = BUF_INIT(1 << 16);
	json_t *claims = NULL;
	int rc = buf_add(&text, begin != NULL ? begin : "", len);

	for (size_t i = 0; i < text.len; i++)
		text.data[i] = text.data[i] == '-' ? '+'
		    : text.data[i] == '_'          ? '/'
						   : text.data[i];
	while (text.len % 4 != 0)
		rc |= buf_adds(&text, "=");
	if (rc == 0 && len > 0 && text_unbase64(&raw, text.data, text.len) == 0)
		claims = json_loadb(raw.data, raw.len, 0, NULL);
	buf_release(&text);
	buf_release(&raw);
	return claims;
}

/* Does a JWT claim all of a map, and nothing else but its own name and times?
 */
static bool
fits_claims(const json_t *claims, const struct node *wanted)
{
	static const char *const own[] = { "jti", "iat", "nbf", "exp" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		n += json_object_get(claims, own[i]) != NULL;
	for (const struct node *w = wanted->child; w != NULL;
	     w = w->next, n++) {
		const char *got =
		    json_string_value(json_object_get(claims, w->key));

		if (got == NULL || strcmp(got, w->text) != 0)
			return false;
	}
	return n == json_object_size(claims);
}

/* The JWT that is in the place of <any>. */
static void
check_claims(struct asked *a, const struct node *wanted)
{
	json_t *claims;

	if (wanted == NULL)
		return;
	claims = claims_of(a->any);
	if (!fits_claims(claims, wanted)) {
		char *text = json_dumps(claims, JSON_COMPACT);

		vendor_complain(a->v, "claims", text != NULL ? text : "none");
		free(text);
	}
	json_decref(claims);
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
	check_claims(a, node_get(how, "claims"));
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
	vendor_complain(a->v, "path, query or body", text.data);
	buf_release(&text);
}

/* Is it for a further page?  A vendor whose cursor may also be a time or a word
 * is not asked with a token of its own at first. */
static bool
goes_on(struct asked *a, const struct node *next, const char *path)
{
	const char *pages = vendor_text(a->v->script, "pages", "token");

	return next != NULL && fits(a, next) &&
	    match(a, vendor_text(next, "path", path), a->path) &&
	    (a->page == NULL || strcmp(pages, "token") != 0 ||
		a->page[0] == VENDOR_TOKEN);
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
	const struct node *resend = node_get(script, "resend");
	bool further;

	a->again = resend != NULL && fits(a, resend) &&
	    match(a, vendor_text(resend, "path", path), a->path);
	further = a->again || goes_on(a, next, path);
	if (!further && !(fits(a, first) && match(a, path, a->path)))
		complain_asked(a);
	a->further = further || (a->number != NULL && *a->number != '\0');
	if (strcmp(a->method,
		further ? vendor_text(next, "method", method) : method) != 0)
		vendor_complain(a->v, "method", a->method);
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

bool
vendor_is_of_job(struct asked *a, const struct node *how)
{
	const char *path = vendor_text(how, "path", "-");

	if (how == NULL ||
	    strcmp(a->method, vendor_text(how, "method", "GET")) != 0 ||
	    !match(a, path, a->path))
		return false;
	if (!fits(a, how) || !match(a, path, a->path))
		complain_asked(a);
	check_headers(a, node_get(a->v->script, "request"));
	check_headers(a, how);
	return true;
}

/* Is the id among those of a request: the only one, or one in quotes? */
static bool
is_among(const char *ids, const char *id)
{
	char *quoted = xasprintf("\"%s\"", id);
	bool among = strcmp(ids, id) == 0 || strstr(ids, quoted) != NULL;

	free(quoted);
	return among;
}

bool
vendor_fetched(struct asked *a, struct buf *files)
{
	struct vendor *v = a->v;
	const struct node *how = node_get(v->script, "fetch");
	const char *between = vendor_text(how, "between", ",");
	size_t n = 0;

	vendor_forget(a);
	if (how == NULL || !match(a, vendor_text(how, "path", ""), a->path))
		return false;
	/* Ids in the path are not forgotten over the body. */
	if (a->ids == NULL && !fits(a, how))
		complain_asked(a);
	if (strcmp(a->method, vendor_text(how, "method", "GET")) != 0)
		vendor_complain(v, "method", a->method);
	check_headers(a, node_get(v->script, "request"));
	for (size_t i = 0; i < v->n && a->ids != NULL; i++) {
		const struct event *e;

		/* An event that was told twice is one thing to fetch, as it is
		 * now. */
		while (i + 1 < v->n &&
		    strcmp(v->events[i + 1].key, v->events[i].key) == 0)
			i++;
		e = &v->events[i];
		if (!is_among(a->ids, e->key))
			continue;
		if ((n++ > 0 && buf_adds(files, between) != 0) ||
		    buf_adds(files, e->file != NULL ? e->file : e->text) != 0)
			vendor_die("out of memory");
	}
	return true;
}
