/*
 * host.c - a host that comes with the access token.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/auth.h"
#include "sources/rest/rest_private.h"

/* Does the host of an origin end with one of the suffixes? */
static bool
is_of(const char *origin, char *const *suffixes)
{
	const char *host = strstr(origin, "://");
	const size_t len = host != NULL ? strcspn(host + 3, ":/") : 0;

	for (; host != NULL && *suffixes != NULL; suffixes++) {
		const size_t end = strlen(*suffixes);

		if (len > end &&
		    strncasecmp(host + 3 + len - end, *suffixes, end) == 0)
			return true;
	}
	return false;
}

/* The base URL that the token server named; NULL: r says what is wrong. */
static char *
check(const struct def_host *h, const char *url, struct outcome *r)
{
	struct buf origin = BUF_INIT(HTTP_HEADERS_MAX);
	struct err err = ERR_INIT;
	char *base = NULL;

	if (*url == '\0')
		(void)outcome_set(r, REPLY_RETRY,
		    "the reply with the access token does not say where hosts."
		    "%s is",
		    h->name);
	else if (http_url_check("the host in the token's reply", url, &err) !=
		0 ||
	    http_origin(url, &origin, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	else if (!is_of(origin.data, h->suffixes))
		(void)outcome_set(r, REPLY_CONFIG,
		    "the reply with the access token names the host %s, which "
		    "is none of the vendor's and is refused; no token was sent",
		    origin.data);
	else
		base = xstrdup(origin.data);
	buf_release(&origin);
	return base;
}

enum reply_class
rest_find_host(struct worker *w, struct rest_stream *rs, struct outcome *r)
{
	struct rest *o = w->source->state;
	const size_t i = definition_host(o->def,
	    (struct slice){
		rs->def->request.host, strlen(rs->def->request.host) });
	const struct def_host *h = &o->def->hosts[i];
	struct http_request req = { .url = "" };
	struct auth_proof proof = { .secret = NULL };
	char *url, *base;

	(void)outcome_set(r, REPLY_OK, "the host is known");
	if (h->from_token == NULL || *o->base[i] != '\0')
		return r->class;
	worker_waits(w, WAITS_TOKEN);
	if (auth_apply(o->auth, w->http, &req, &proof, r) == REPLY_OK) {
		url = auth_host(o->auth);
		base = check(h, url, r);
		free(url);
		if (base != NULL && strcmp(base, rs->api->base) != 0) {
			free(rs->own_base);
			rs->own_base = base;
			rs->own_api = *rs->api;
			rs->own_api.base = base;
			rs->api = &rs->own_api;
		} else {
			free(base);
		}
	}
	worker_waits(w, WAITS_NOT);
	auth_proof_release(&proof);
	return r->class;
}
