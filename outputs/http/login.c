/*
 * login.c - access tokens for outputs.
 */
#include "outputs/http/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/auth_oauth2.h"
#include "http/token.h"
#include "outputs/http/dialect.h"
#include "outputs/http/errand.h"

/* How long a request waits for the first token; check --live: to the end. */
#define WAIT (5 * CLOCK_SECOND)

/* A receiver that refuses the new token, too, is not asked with a third one
 * sooner. */
#define REFUSE_AGAIN CLOCK_MINUTE

struct login {
	struct oauth *oauth;
	struct oauth_user user;
	struct errand *errand;
	bool out;      /* the errand is under way, or back and not looked at */
	char *token;   /* NULL: none */
	int64_t renew; /* monotonic: from when on another one is asked for */
	int64_t ends;
	bool refused;         /* by the receiver, since the last renewal */
	bool taken;           /* by the receiver, likewise */
	int64_t refuse_again; /* monotonic: not given up before */

	/* What the errand takes along, and what it brings. */
	struct {
		char *used; /* the token up to now, or NULL */
		bool refused;
		bool taken;
		char *token; /* NULL: none, outcome says why */
		int64_t renew;
		int64_t ends;
		struct outcome outcome;
	} bag;
};

/* errand_fn */
static void
fetch(void *ctx, struct http *h)
{
	struct login *l = ctx;

	if (l->bag.used != NULL && l->bag.taken)
		oauth_accept(l->oauth, l->bag.used, &l->user);
	if (l->bag.used != NULL && l->bag.refused)
		(void)oauth_reject(l->oauth, l->bag.used, &l->user);
	l->bag.token = oauth_token(l->oauth, h, &l->bag.outcome);
	oauth_times(l->oauth, &l->bag.renew, &l->bag.ends);
}

struct login *
login_new(const struct oauth_conf *conf, struct http_access *access)
{
	struct login *l = xcalloc(1, sizeof(*l));

	l->oauth = oauth_new(conf);
	l->errand = errand_new(access, fetch, l);
	return l;
}

void
login_free(struct login *l)
{
	if (l == NULL)
		return;
	errand_free(l->errand);
	oauth_free(l->oauth);
	secret_free(l->token);
	secret_free(l->bag.token);
	secret_free(l->bag.used);
	free(l);
}

/* Look at what the errand brings, if it is back. */
static void
unpack(struct login *l, int64_t wait)
{
	int64_t now;

	if (!l->out || errand_busy(l->errand, wait))
		return;
	l->out = false;
	secret_free(l->bag.used);
	l->bag.used = NULL;
	if (l->bag.token == NULL) {
		/* The old one, where there is one, is good to its end. */
		l->renew = clock_monotonic() + l->bag.outcome.wait;
		return;
	}
	now = clock_monotonic();
	secret_free(l->token);
	l->token = l->bag.token;
	l->bag.token = NULL;
	/* One that is handed out again while its renewal fails. */
	l->renew = l->bag.renew > now ? l->bag.renew : now + CLOCK_SECOND;
	l->ends = l->bag.ends;
}

static int
send_out(struct login *l, struct err *err)
{
	if (l->token != NULL)
		l->bag.used = secret_copy(l->token);
	if (l->refused) {
		secret_free(l->token);
		l->token = NULL;
	}
	l->bag.refused = l->refused;
	l->bag.taken = l->taken;
	l->refused = l->taken = false;
	l->out = errand_begin(l->errand, err) == 0;
	return l->out ? 0 : INTAKE_LATER;
}

/* Why there is no token: who is to blame. */
static int
tell(const struct login *l, struct err *err)
{
	const struct outcome *o = &l->bag.outcome;

	if (l->out) {
		(void)err_set(err,
		    "no access token: the server for tokens has not answered "
		    "yet");
		return INTAKE_LATER;
	}
	(void)err_set(err, "%s", o->text);
	return o->class == REPLY_CREDENTIALS || o->class == REPLY_CONFIG
	    ? -1
	    : INTAKE_LATER;
}

int
login_sign(struct login *l, const struct intake *in, struct intake_request *r,
    struct err *err)
{
	char *value;

	unpack(l, 0);
	if (l->token != NULL && clock_monotonic() >= l->ends) {
		secret_free(l->token);
		l->token = NULL;
	}
	if (!l->out &&
	    (l->token == NULL || l->refused || clock_monotonic() >= l->renew) &&
	    send_out(l, err) != 0)
		return INTAKE_LATER;
	if (l->token == NULL)
		unpack(l, WAIT);
	while (l->token == NULL && l->out && in->out->probing)
		unpack(l, WAIT);
	if (l->token == NULL)
		return tell(l, err);
	value = xasprintf("Bearer %s", l->token);
	intake_header(r, "Authorization", value);
	secret_free(value);
	return 0;
}

void
login_hear(struct login *l, const struct intake_response *r)
{
	int64_t now = clock_monotonic();

	if (r->status == 401 && now >= l->refuse_again) {
		l->refused = true;
		l->refuse_again = now + REFUSE_AGAIN;
	} else if (r->status >= 200 && r->status < 300) {
		l->taken = true;
		l->refuse_again = 0;
	}
}
