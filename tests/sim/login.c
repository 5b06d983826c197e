/*
 * login.c - the token endpoint: client credentials, as Entra answers them.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "tests/sim/request.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define FIELD_MAX 8192

/* Status, "error" and AADSTS code with its text. */
struct refusal {
	int status;
	const char *error;
	const char *text;
};

static const struct refusal no_tenant = { 400, "invalid_request",
	"AADSTS90002: Tenant not found. Check to make sure you have the "
	"correct tenant ID and are signing into the correct cloud." };
static const struct refusal no_grant = { 400, "unsupported_grant_type",
	"AADSTS70003: The app requested an unsupported grant type." };
static const struct refusal no_scope = { 400, "invalid_scope",
	"AADSTS1002012: The provided value for scope is not valid. Client "
	"credential flows must have a scope value with \\/.default suffixed to "
	"the resource identifier." };
static const struct refusal no_client = { 400, "unauthorized_client",
	"AADSTS700016: Application with that identifier was not found in the "
	"directory." };
static const struct refusal bad_secret = { 401, "invalid_client",
	"AADSTS7000215: Invalid client secret provided. Ensure the secret "
	"being "
	"sent in the request is the client secret value, not the client secret "
	"ID, for a secret added to the app." };
static const struct refusal no_credential = { 401, "invalid_client",
	"AADSTS7000218: The request body must contain the following parameter: "
	"'client_assertion' or 'client_secret'." };

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	return p == NULL ? -1 : (int)((p - digits) % 16);
}

/* A field of an application/x-www-form-urlencoded body; false: not there. */
static bool
form_field(const struct buf *form, const char *name, char *out)
{
	size_t len = strlen(name), n = 0;
	const char *p = form->data == NULL ? "" : form->data;

	while (*p != '\0' && (strncmp(p, name, len) != 0 || p[len] != '=')) {
		p += strcspn(p, "&");
		p += *p == '&';
	}
	if (*p == '\0')
		return false;
	for (p += len + 1; *p != '\0' && *p != '&' && n < FIELD_MAX - 1; p++) {
		if (*p == '%' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			out[n++] =
			    (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
			p += 2;
		} else {
			out[n++] = *p == '+' ? ' ' : *p;
		}
	}
	out[n] = '\0';
	return true;
}

static void
refuse(struct request *rq, struct reply *r, const struct refusal *why)
{
	char when[32];
	unsigned code =
	    (unsigned)strtoul(why->text + strlen("AADSTS"), NULL, 10);

	sim_count(rq->sim, STAT_TOKENS_REFUSED, 1);
	sim_time_text(sim_clock(rq->sim), when);
	r->status = why->status;
	r->type = "application/json; charset=utf-8";
	reply_printf(r,
	    "{\"error\":\"%s\",\"error_description\":\"%s Trace ID: "
	    "0af5a3f7-0d1c-4b5e-8c8e-000000000000 Correlation ID: "
	    "0af5a3f7-0d1c-4b5e-8c8e-000000000001 Timestamp: %.10s %.8sZ\","
	    "\"error_codes\":[%u],\"timestamp\":\"%.10s %.8sZ\",\"trace_id\":"
	    "\"0af5a3f7-0d1c-4b5e-8c8e-000000000000\",\"correlation_id\":"
	    "\"0af5a3f7-0d1c-4b5e-8c8e-000000000001\",\"error_uri\":"
	    "\"https://login.microsoftonline.com/error?code=%u\"}",
	    why->error, why->text, when, when + 11, code, when, when + 11,
	    code);
}

/* The secret is read anew each time, so that a test can rotate it. */
static bool
secret_is(const struct sim *s, const char *given)
{
	FILE *in = fopen(s->opt.secret_file, "r");
	char line[256] = "";

	if (in == NULL)
		return false;
	if (fgets(line, sizeof(line), in) == NULL)
		line[0] = '\0';
	(void)fclose(in);
	line[strcspn(line, "\n")] = '\0';
	return line[0] != '\0' && strcmp(line, given) == 0;
}

/* NULL when the credential is good; spare is room for a refusal. */
static const struct refusal *
check_credential(struct request *rq, char *field, struct refusal *spare)
{
	char url[512];

	if (form_field(&rq->upload, "client_secret", field))
		return secret_is(rq->sim, field) ? NULL : &bad_secret;
	if (!form_field(&rq->upload, "client_assertion_type", field) ||
	    strcmp(field, ASSERTION_TYPE) != 0 ||
	    !form_field(&rq->upload, "client_assertion", field))
		return &no_credential;
	(void)snprintf(url, sizeof(url), "%s://%s%s",
	    rq->sim->opt.key != NULL ? "https" : "http", rq->host, rq->url);
	spare->status = 401;
	spare->error = "invalid_client";
	spare->text = assertion_check(rq->sim, field, url);
	return spare->text == NULL ? NULL : spare;
}

static const struct refusal *
check(struct request *rq, char *field, struct refusal *spare)
{
	const struct sim *s = rq->sim;
	bool v2 = strstr(rq->url, "/oauth2/v2.0/") != NULL;
	size_t n = strlen(s->opt.tenant);
	const char *path = strstr(rq->url, "/oauth2/");

	if ((size_t)(path - rq->url) < n + 1 || path[-(long)n - 1] != '/' ||
	    strncmp(path - n, s->opt.tenant, n) != 0)
		return &no_tenant;
	if (!form_field(&rq->upload, "grant_type", field) ||
	    strcmp(field, "client_credentials") != 0)
		return &no_grant;
	if (!form_field(&rq->upload, v2 ? "scope" : "resource", field) ||
	    strncmp(field, "http", 4) != 0 ||
	    (v2 && strstr(field, "/.default") == NULL))
		return &no_scope;
	if (!form_field(&rq->upload, "client_id", field) ||
	    strcmp(field, s->opt.client) != 0)
		return &no_client;
	return check_credential(rq, field, spare);
}

static void
issue(struct request *rq, struct reply *r)
{
	struct sim *s = rq->sim;
	struct token *t;
	bool v2 = strstr(rq->url, "/oauth2/v2.0/") != NULL;
	const char *q = v2 ? "" : "\""; /* v1 writes numbers as strings */

	s->tokens =
	    xreallocarray(s->tokens, s->n_tokens + 1, sizeof(s->tokens[0]));
	t = &s->tokens[s->n_tokens++];
	(void)snprintf(t->text, sizeof(t->text), "sim.%016llx%016llx",
	    (unsigned long long)rng_next(&s->rng),
	    (unsigned long long)rng_next(&s->rng));
	t->expires = sim_ticks() + s->opt.token_life;
	s->stat[STAT_TOKENS]++;
	r->status = 200;
	r->type = "application/json; charset=utf-8";
	reply_header(r, "Cache-Control", "no-store, no-cache");
	reply_printf(r,
	    "{\"token_type\":\"Bearer\",\"expires_in\":%s%lld%s,"
	    "\"ext_expires_in\":%s%lld%s,\"access_token\":\"%s\"}",
	    q, (long long)(s->opt.token_life / MS), q, q,
	    (long long)(s->opt.token_life / MS), q, t->text);
}

void
login_answer(struct request *rq, struct reply *r)
{
	char *field = xmalloc(FIELD_MAX);
	struct refusal spare;
	const struct refusal *why = check(rq, field, &spare);

	free(field);
	if (why != NULL) {
		refuse(rq, r, why);
		return;
	}
	(void)pthread_mutex_lock(&rq->sim->lock);
	issue(rq, r);
	(void)pthread_mutex_unlock(&rq->sim->lock);
}

static struct token *
find_token(const struct request *rq)
{
	const char *given = MHD_lookup_connection_value(rq->conn,
	    MHD_HEADER_KIND, "Authorization");

	if (given == NULL || strncmp(given, "Bearer ", 7) != 0)
		return NULL;
	for (size_t i = 0; i < rq->sim->n_tokens; i++) {
		if (strcmp(rq->sim->tokens[i].text, given + 7) == 0)
			return &rq->sim->tokens[i];
	}
	return NULL;
}

bool
login_check(struct request *rq)
{
	const struct token *t;
	bool good;

	(void)pthread_mutex_lock(&rq->sim->lock);
	t = find_token(rq);
	good = t != NULL && t->expires > sim_ticks();
	(void)pthread_mutex_unlock(&rq->sim->lock);
	return good;
}

void
login_expire(struct sim *s, const struct request *rq)
{
	(void)pthread_mutex_lock(&s->lock);
	if (rq != NULL) {
		struct token *t = find_token(rq);

		if (t != NULL)
			t->expires = 0;
	} else {
		for (size_t i = 0; i < s->n_tokens; i++)
			s->tokens[i].expires = 0;
	}
	(void)pthread_mutex_unlock(&s->lock);
}
