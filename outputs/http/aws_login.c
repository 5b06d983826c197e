/*
 * aws_login.c - keys of AWS for outputs.
 */
#include "outputs/http/aws_login.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/aws.h"
#include "http/aws_sign.h"
#include "outputs/http/dialect.h"
#include "outputs/http/errand.h"

/* How long a request waits for the first keys; check --live: to the end. */
#define WAIT (5 * CLOCK_SECOND)

/* Keys are good for some minutes more than this when they are looked after. */
#define LOOK_AGAIN CLOCK_MINUTE

#define REFUSE_AGAIN CLOCK_MINUTE

/* Headers of a request that are signed. */
#define HEADERS_MAX 16

struct aws_login {
	const struct aws_conf *conf;
	struct errand *errand;
	bool out; /* the errand is under way, or back and not looked at */
	struct aws_key key; /* id NULL: none */
	int64_t look;       /* monotonic: from when on keys are asked for */
	bool refused;
	int64_t refuse_again; /* monotonic: not given up before */

	/* What the errand takes along, and what it brings. */
	struct {
		struct aws *keys;
		bool refused;
		struct aws_key key; /* id NULL: none, outcome says why */
		struct outcome outcome;
	} bag;
};

/* errand_fn */
static void
fetch(void *ctx, struct http *h)
{
	struct aws_login *l = ctx;

	if (l->bag.refused) {
		aws_free(l->bag.keys);
		l->bag.keys = aws_new(l->conf);
	}
	if (aws_keys(l->bag.keys, h, &l->bag.key, &l->bag.outcome) != REPLY_OK)
		l->bag.key = (struct aws_key){ .id = NULL };
}

struct aws_login *
aws_login_new(const struct aws_conf *conf, struct http_access *access)
{
	struct aws_login *l = xcalloc(1, sizeof(*l));

	l->conf = conf;
	l->bag.keys = aws_new(conf);
	l->errand = errand_new(access, fetch, l);
	return l;
}

void
aws_login_free(struct aws_login *l)
{
	if (l == NULL)
		return;
	errand_free(l->errand);
	aws_free(l->bag.keys);
	aws_key_release(&l->key);
	aws_key_release(&l->bag.key);
	free(l);
}

/* Look at what the errand brings, if it is back. */
static void
unpack(struct aws_login *l, int64_t wait)
{
	if (!l->out || errand_busy(l->errand, wait))
		return;
	l->out = false;
	l->look = clock_monotonic() + LOOK_AGAIN;
	aws_key_release(&l->key);
	l->key = l->bag.key;
	l->bag.key = (struct aws_key){ .id = NULL };
}

/* Have keys, as good as they can be had now. */
static int
get_keys(struct aws_login *l, const struct intake *in, struct err *err)
{
	const struct outcome *o = &l->bag.outcome;

	unpack(l, 0);
	if (!l->out &&
	    (l->key.id == NULL || l->refused || clock_monotonic() >= l->look)) {
		l->bag.refused = l->refused;
		l->refused = false;
		if (l->bag.refused)
			aws_key_release(&l->key);
		if (l->bag.refused)
			l->key = (struct aws_key){ .id = NULL };
		if (errand_begin(l->errand, err) != 0)
			return INTAKE_LATER;
		l->out = true;
	}
	if (l->key.id == NULL)
		unpack(l, WAIT);
	while (l->key.id == NULL && l->out && in->out->probing)
		unpack(l, WAIT);
	if (l->key.id != NULL)
		return 0;
	if (l->out) {
		(void)err_set(err,
		    "no keys: who gives them has not answered yet");
		return INTAKE_LATER;
	}
	(void)err_set(err, "%s", o->text);
	return o->class == REPLY_CREDENTIALS || o->class == REPLY_CONFIG
	    ? -1
	    : INTAKE_LATER;
}

/* The headers of r as pairs, whose texts are *copies. */
static void
split_headers(const struct intake_request *r, struct http_pair *pairs,
    char **copies)
{
	size_t n = 0;

	for (const struct curl_slist *h = r->headers;
	     h != NULL && n < HEADERS_MAX; h = h->next) {
		char *colon;

		copies[n] = xstrdup(h->data);
		colon = strchr(copies[n], ':');
		if (colon == NULL) {
			free(copies[n]);
			continue;
		}
		*colon = '\0';
		pairs[n].name = copies[n];
		pairs[n++].value = colon + 1 + strspn(colon + 1, " ");
	}
	pairs[n] = (struct http_pair){ .name = NULL };
	copies[n] = NULL;
}

int
aws_login_sign(struct aws_login *l, const struct intake *in,
    struct intake_request *r, const char *service, struct err *err)
{
	struct http_pair pairs[HEADERS_MAX + 1];
	char *copies[HEADERS_MAX + 1];
	struct aws_signature s = { .values = { NULL } };
	struct aws_request q = {
		.method = r->method,
		.region = aws_region(l->conf),
		.service = service,
		.headers = pairs,
		.body = r->body.data == NULL ? "" : r->body.data,
		.len = r->body.len,
		.now = clock_now(),
	};
	int rc = get_keys(l, in, err);

	if (rc != 0)
		return rc;
	split_headers(r, pairs, copies);
	q.url = r->url.data;
	rc = aws_sign(&q, &l->key, &s, err);
	for (size_t i = 0; rc == 0 && s.headers[i].name != NULL; i++)
		intake_header(r, s.headers[i].name, s.headers[i].value);
	if (rc == 0)
		aws_signature_release(&s);
	for (size_t i = 0; copies[i] != NULL; i++)
		free(copies[i]);
	return rc;
}

void
aws_login_hear(struct aws_login *l, bool refused)
{
	int64_t now = clock_monotonic();

	if (refused && now >= l->refuse_again) {
		l->refused = true;
		l->refuse_again = now + REFUSE_AGAIN;
	}
}
