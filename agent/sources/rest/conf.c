/*
 * conf.c - what a source of a definition is configured with.
 */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/template.h"
#include "sources/rest/rest_private.h"

const char *
rest_variable(const struct rest_conf *c, size_t variable)
{
	const struct def_variable *v = &c->def->variables[variable];

	if (v->type == VARIABLE_CHOICE)
		return v->values[c->values[variable].choice];
	return c->values[variable].text;
}

/* template_fn of variables alone */
static int
variable_value(void *ctx, const struct template_place *p, struct buf *out)
{
	const struct rest_conf *c = ctx;
	size_t v = definition_variable(c->def, p->name);
	const char *text = v < c->def->n_variables ? rest_variable(c, v) : NULL;

	return text != NULL ? buf_adds(out, text) : 0;
}

int
rest_vendor_host(const struct rest_conf *c, size_t host, struct buf *out)
{
	const struct def_host *h = &c->def->hosts[host];
	const size_t at =
	    h->by == VARIABLES_MAX ? 0 : (size_t)c->values[h->by].choice;

	return template_fill(h->url[at], TEMPLATE_PLAIN, variable_value,
	    (void *)(uintptr_t)c, out);
}

int
rest_host(const struct rest_conf *c, size_t host, struct buf *out)
{
	const char *own = c->values[c->def->n_variables + host].text;

	return own != NULL ? buf_adds(out, own)
			   : rest_vendor_host(c, host, out);
}

int64_t
rest_retention(const struct rest_conf *c, const struct def_stream *s)
{
	return c->retention > 0 && c->retention < s->retention ? c->retention
							       : s->retention;
}

/* How many of the secrets that a uses are set, and how many are not. */
static void
count_secrets(const struct rest_conf *c, const struct def_auth *a, size_t *set,
    size_t *unset)
{
	*set = *unset = 0;
	for (size_t i = 0; i < c->def->n_variables; i++) {
		const int type = c->def->variables[i].type;

		if ((a->uses & UINT32_C(1) << i) == 0 ||
		    type == VARIABLE_CHOICE)
			continue;
		if (c->values[i].text != NULL)
			++*set;
		else
			++*unset;
	}
}

const struct def_auth *
rest_auth(const struct rest_conf *c)
{
	for (size_t i = 0; i < c->def->n_auth; i++) {
		size_t set, unset;

		count_secrets(c, &c->def->auth[i], &set, &unset);
		if (unset == 0)
			return &c->def->auth[i];
	}
	return NULL;
}

/* The names of the variables that one way needs: "client_id and token". */
static void
add_way(const struct rest_conf *c, const struct def_auth *a, struct buf *out)
{
	bool first = true;

	if (out->len > 0)
		(void)!buf_adds(out, ", or ");
	for (size_t i = 0; i < c->def->n_variables; i++) {
		if ((a->uses & UINT32_C(1) << i) == 0 ||
		    c->def->variables[i].required)
			continue;
		(void)!buf_addf(out, "%s%s", first ? "" : " and ",
		    c->def->variables[i].name);
		first = false;
	}
}

char *
rest_auth_options(const struct rest_conf *c, const struct def_auth *a)
{
	struct buf out = BUF_INIT(1000);
	uint32_t left = a->uses;

	for (size_t i = 0; i < c->def->n_variables; i++) {
		const uint32_t bit = UINT32_C(1) << i;

		if ((left & bit) == 0)
			continue;
		left &= ~bit;
		(void)!buf_addf(&out, "%s%s",
		    out.len == 0    ? ""
			: left == 0 ? " and "
				    : ", ",
		    c->def->variables[i].name);
	}
	if (out.len > 0)
		return buf_take(&out, NULL);
	buf_release(&out);
	return NULL;
}

/* Credentials: one way must be whole, and not two. */
static void
check_auth(const struct rest_conf *c, const struct config_section *b)
{
	struct buf ways = BUF_INIT(1000);
	size_t whole = 0;

	for (size_t i = 0; i < c->def->n_auth; i++) {
		size_t set, unset;

		count_secrets(c, &c->def->auth[i], &set, &unset);
		whole += unset == 0;
		add_way(c, &c->def->auth[i], &ways);
	}
	/* Where all that is needed is required, that was checked. */
	if (whole != 1 && ways.len > 0)
		config_errors_add(b->errors, b->map, "%s: %s: give %s",
		    b->where,
		    whole == 0 ? "credentials are missing"
			       : "there are two kinds of credentials",
		    ways.data);
	buf_release(&ways);
}

/* A host name with or without a port, as it stands in a URL. */
static void
check_host_name(const char *key, const char *value,
    const struct config_section *b)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-";
	size_t len = strspn(value, letters);
	size_t port =
	    value[len] == ':' ? 1 + strspn(value + len + 1, "0123456789") : 0;

	if (len == 0 || value[len + port] != '\0' || !isalnum(*value))
		config_error(b,
		    "%s: \"%.80s\" is no host name; write it without https:// "
		    "and path, such as acme.example.com",
		    key, value);
}

static void
check_values(const struct rest_conf *c, const struct config_section *b)
{
	const struct definition *d = c->def;

	for (size_t i = 0; i < d->n_variables; i++)
		if (d->variables[i].type == VARIABLE_HOST &&
		    c->values[i].text != NULL)
			check_host_name(d->variables[i].name, c->values[i].text,
			    b);
	for (size_t i = 0; i < d->n_hosts; i++) {
		struct buf key = BUF_INIT(100);

		if (buf_addf(&key, "hosts.%s", d->hosts[i].name) == 0)
			http_url_check_setting(key.data,
			    c->values[d->n_variables + i].text, b);
		buf_release(&key);
	}
}

/* A request that has a place for a variable can't be made without it. */
static void
check_needed(const struct rest_conf *c, const struct def_stream *s,
    const char *text, const struct config_section *b)
{
	struct template_place p;

	for (size_t at = 0; text != NULL && template_next(text, at, &p);
	     at = p.end) {
		size_t v = definition_variable(c->def, p.name);

		if (v < c->def->n_variables && rest_variable(c, v) == NULL)
			config_errors_add(b->errors, b->map,
			    "%s: \"%s\" is missing; the stream %s needs it",
			    b->where, c->def->variables[v].name, s->name);
	}
}

static void
check_stream(const struct rest_conf *c, const struct def_stream *s,
    const struct config_section *b)
{
	const struct def_request *r = &s->request;
	const int64_t overlap = c->overlap > 0 ? c->overlap : s->cursor.overlap;

	check_needed(c, s, r->path, b);
	check_needed(c, s, r->body, b);
	for (const struct http_pair *q = r->query; q != NULL && q->name != NULL;
	     q++)
		check_needed(c, s, q->value, b);
	if (s->cursor.kind == CURSOR_WINDOW && c->overlap >= s->cursor.span)
		config_error(b,
		    "overlap: must be shorter than the windows of %s", s->name);
	if (c->retention > 0 && overlap >= c->retention)
		config_error(b,
		    "retention: must be longer than the overlap of %s",
		    s->name);
}

static void
check_streams(const struct rest_conf *c, const struct config_section *b)
{
	const struct definition *d = c->def;

	for (size_t i = 0; c->streams == NULL && i < d->n_streams; i++)
		if (!d->streams[i].off)
			check_stream(c, &d->streams[i], b);
	for (size_t n = 0; c->streams != NULL && c->streams[n] != NULL; n++) {
		const struct def_stream *s =
		    definition_stream(d, c->streams[n]);

		for (size_t i = 0; i < n; i++)
			if (strcmp(c->streams[n], c->streams[i]) == 0)
				config_error(b, "streams: %s is listed twice",
				    c->streams[n]);
		if (s != NULL)
			check_stream(c, s, b);
	}
	if (c->streams != NULL && c->streams[0] == NULL)
		config_error(b, "streams: is an empty list");
}

void
rest_check(const void *conf, const struct config_section *b)
{
	const struct rest_conf *c = conf;

	check_auth(c, b);
	check_values(c, b);
	check_streams(c, b);
	http_conf_check(&c->http, b);
}

const struct event_shape *
rest_shape(const void *conf, const char *stream)
{
	const struct def_stream *s =
	    definition_stream(((const struct rest_conf *)conf)->def, stream);

	return s != NULL ? &s->shape : NULL;
}

char *
rest_credential(const void *conf)
{
	const struct rest_conf *c = conf;
	const struct def_auth *a = rest_auth(c);
	struct buf key = BUF_INIT((size_t)1 << 20);
	int rc = 0;

	if (a == NULL || a->uses == 0)
		return NULL;
	for (size_t i = 0; rc == 0 && i < c->def->n_hosts; i++) {
		rc = rest_host(c, i, &key);
		if (rc == 0)
			rc = buf_adds(&key, "\n");
	}
	for (size_t i = 0; rc == 0 && i < c->def->n_variables; i++)
		if ((a->uses & UINT32_C(1) << i) != 0) {
			const char *text = rest_variable(c, i);

			rc = buf_addf(&key, "%s\n", text != NULL ? text : "");
		}
	/* One that is too long to compare is nobody else's. */
	if (rc != 0) {
		buf_release(&key);
		return NULL;
	}
	return buf_take(&key, NULL);
}
