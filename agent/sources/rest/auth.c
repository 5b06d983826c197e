/*
 * auth.c - how a definition shows credentials, with the values of a source.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/template.h"
#include "config/secret.h"
#include "http/auth.h"
#include "sources/common/request.h"
#include "sources/rest/rest_private.h"

#define TEXT_MAX (64 * 1024)

/* template_fn: variables, secrets as they are configured; the vendor's own URLs
 * of hosts, which name what a token is for wherever requests go; and as they
 * are those places that each request has values of its own for. */
static int
value(void *ctx, const struct template_place *p, struct buf *out)
{
	const struct rest_conf *c = ctx;
	const struct definition *d = c->def;
	const size_t v = definition_variable(d, p->name);
	const size_t dot = strlen("hosts.");
	const char *text;

	if (v < d->n_variables) {
		text = rest_variable(c, v);
		return text != NULL ? buf_adds(out, text) : 0;
	}
	if (p->name.len > dot && memcmp(p->name.data, "hosts.", dot) == 0)
		return rest_vendor_host(c,
		    definition_host(d,
			(struct slice){
			    p->name.data + dot, p->name.len - dot }),
		    out);
	return buf_addf(out, "{%.*s%s%.*s}", (int)p->name.len, p->name.data,
	    p->format.data != NULL ? "|" : "", (int)p->format.len,
	    p->format.data != NULL ? p->format.data : "");
}

/* Filling in under way: with whose values, and the first key whose text has
 * become too long, NULL: none has. */
struct filling {
	const struct rest_conf *conf;
	const char *too_long;
};

/* Append a text with its values. */
static void
add(struct filling *x, const char *key, const char *text,
    enum template_encoding encoding, struct buf *out)
{
	if (template_fill(text, encoding, value, (void *)(uintptr_t)x->conf,
		out) != 0 &&
	    x->too_long == NULL)
		x->too_long = key;
}

static char *
fill(struct filling *x, const char *key, const char *text,
    enum template_encoding encoding)
{
	struct buf out = BUF_INIT(TEXT_MAX);

	if (text == NULL)
		return NULL;
	add(x, key, text, encoding, &out);
	return buf_take(&out, NULL);
}

static struct http_pair *
fill_pairs(struct filling *x, const char *key, const struct http_pair *p)
{
	struct http_pair *out;
	size_t n = 0;

	while (p != NULL && p[n].name != NULL)
		n++;
	out = xcalloc(n + 1, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = (struct http_pair){ p[i].name,
			fill(x, key, p[i].value, TEMPLATE_PLAIN) };
	return out;
}

/* The lines of what is signed, as one text. */
static char *
fill_lines(struct filling *x, char *const *lines)
{
	struct buf out = BUF_INIT(TEXT_MAX);

	for (char *const *l = lines; l != NULL && *l != NULL; l++) {
		if (l != lines)
			add(x, "text", "\n", TEMPLATE_PLAIN, &out);
		add(x, "text", *l, TEMPLATE_PLAIN, &out);
	}
	return buf_take(&out, NULL);
}

/* Texts of a definition's auth that have places for values. */
static const struct {
	const char *key;
	size_t offset;
	enum template_encoding encoding;
} texts[] = {
	{ "value", offsetof(struct def_auth, value), TEMPLATE_PLAIN },
	{ "user", offsetof(struct def_auth, user), TEMPLATE_PLAIN },
	{ "password", offsetof(struct def_auth, password), TEMPLATE_PLAIN },
	{ "path", offsetof(struct def_auth, path), TEMPLATE_URL },
	{ "scope", offsetof(struct def_auth, scope), TEMPLATE_PLAIN },
	{ "client_id", offsetof(struct def_auth, client_id), TEMPLATE_PLAIN },
	{ "client_secret", offsetof(struct def_auth, client_secret),
	    TEMPLATE_PLAIN },
	{ "certificate", offsetof(struct def_auth, certificate),
	    TEMPLATE_PLAIN },
	{ "private_key", offsetof(struct def_auth, private_key),
	    TEMPLATE_PLAIN },
	{ "refresh_token", offsetof(struct def_auth, refresh_token),
	    TEMPLATE_PLAIN },
	{ "key_id", offsetof(struct def_auth, key_id), TEMPLATE_PLAIN },
	{ "issuer", offsetof(struct def_auth, issuer), TEMPLATE_PLAIN },
	{ "subject", offsetof(struct def_auth, subject), TEMPLATE_PLAIN },
	{ "audience", offsetof(struct def_auth, audience), TEMPLATE_PLAIN },
	{ "secret", offsetof(struct def_auth, secret), TEMPLATE_PLAIN },
	{ "region", offsetof(struct def_auth, region), TEMPLATE_PLAIN },
	{ "service", offsetof(struct def_auth, service), TEMPLATE_PLAIN },
	{ "session", offsetof(struct def_auth, session), TEMPLATE_PLAIN },
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static char **
text_at(struct def_auth *a, size_t i)
{
	return (char **)(void *)((char *)a + texts[i].offset);
}

/* A definition's texts with their values: def_auth's, whose other members are
 * the definition's own. */
static struct def_auth
fill_all(struct filling *x, const struct def_auth *a)
{
	struct def_auth f = *a;

	for (size_t i = 0; i < TEXTS; i++)
		*text_at(&f, i) =
		    fill(x, texts[i].key, *text_at(&f, i), texts[i].encoding);
	f.headers = fill_pairs(x, "headers", a->headers);
	f.fields = fill_pairs(x, "fields", a->fields);
	f.claims = fill_pairs(x, "claims", a->claims);
	return f;
}

static void
free_pairs(struct http_pair *p)
{
	for (struct http_pair *h = p; h->name != NULL; h++)
		secret_free((char *)(uintptr_t)h->value);
	free(p);
}

static void
free_all(struct def_auth *f)
{
	for (size_t i = 0; i < TEXTS; i++)
		secret_free(*text_at(f, i));
	free_pairs(f->headers);
	free_pairs(f->fields);
	free_pairs(f->claims);
}

/* What an access token stands behind: "Bearer {access_token}"; NULL: as
 * usual. */
static char *
before_token(const struct def_auth *a)
{
	return a->value != NULL ? xstrndup(a->value, strcspn(a->value, "{"))
				: NULL;
}

/* What a header's secret stands behind, and where that begins. */
static char *
before_secret(const struct def_auth *a, const struct def_auth *filled,
    const char **secret)
{
	struct template_place p;

	*secret = filled->value;
	if (a->value == NULL || !template_next(a->value, 0, &p))
		return NULL;
	*secret = filled->value + p.begin;
	return xstrndup(a->value, p.begin);
}

static struct oauth_conf
oauth_of(const struct rest_conf *c, const struct def_auth *f)
{
	return (struct oauth_conf){ .grant = (enum oauth_grant)f->grant,
		.client = (enum oauth_client)f->client,
		.body = (enum oauth_body)f->body,
		.scope = f->scope,
		.client_id = f->client_id,
		.client_secret = f->client_secret,
		.certificate = f->certificate,
		.private_key = f->private_key,
		.refresh_token = f->refresh_token,
		.fields = f->fields,
		.key_id = f->key_id,
		.issuer = f->issuer,
		.subject = f->subject,
		.audience = f->audience,
		.claims = f->claims,
		.claim_life = f->claim_life,
		.reply = f->token,
		.wait_max = c->retry_after_max };
}

/* The file of that name, "": its begin; NULL: there is no folder. */
static char *
refresh_file(const char *folder, const char *name)
{
	return folder != NULL ? xasprintf("%s/refresh-token%s%s", folder,
				    *name != '\0' ? "." : "", name)
			      : NULL;
}

static void
open_oauth(struct rest *o, const struct source *s, const struct def_auth *f,
    struct filling *x)
{
	struct auth_conf conf = { .scheme = AUTH_OAUTH2_SECRET,
		.header = f->header,
		.oauth = oauth_of(o->conf, f) };
	struct buf url = BUF_INIT(TEXT_MAX);
	char *before = before_token(f);
	struct buf server = BUF_INIT(TEXT_MAX), audience = BUF_INIT(TEXT_MAX);
	char *options = rest_auth_options(o->conf, f);
	char *keep = refresh_file(s->folder, "");
	char *kept[] = { refresh_file(s->folder, s->name),
		refresh_file(s->old_folder, s->name) };
	size_t host =
	    definition_host(o->def, (struct slice){ f->host, strlen(f->host) });

	if (request_url(&url, o->base[host], f->path, NULL) != 0 &&
	    x->too_long == NULL)
		x->too_long = "path";
	conf.oauth.token_url = url.len > 0 ? url.data : "";
	/* The vendor's own URL: it is the same server, and assertions are for
	 * it, wherever requests go. */
	if (rest_vendor_host(o->conf, host, &server) == 0) {
		conf.oauth.server = server.data;
		if (f->audience == NULL &&
		    request_url(&audience, server.data, f->path, NULL) == 0)
			conf.oauth.audience = audience.data;
	}
	if (f->grant == GRANT_REFRESH_TOKEN) {
		conf.oauth.keep = keep;
		conf.oauth.kept[0] = kept[0];
		conf.oauth.kept[1] = kept[1];
	}
	for (size_t i = 0; i < o->def->n_hosts; i++)
		if (o->def->hosts[i].from_token != NULL)
			conf.oauth.reply.host = o->def->hosts[i].from_token;
	conf.prefix = before;
	conf.oauth.options = options;
	o->auth = auth_new(&conf);
	buf_release(&url);
	buf_release(&server);
	buf_release(&audience);
	free(before);
	free(options);
	free(keep);
	free(kept[0]);
	free(kept[1]);
}

static void
open_header(struct rest *o, const struct def_auth *a, const struct def_auth *f)
{
	struct auth_conf conf = { .scheme = AUTH_HEADER,
		.option = "credentials",
		.header = f->header,
		.more = f->headers };
	char *before = before_secret(a, f, &conf.secret);

	conf.prefix = before;
	o->auth = auth_new(&conf);
	free(before);
}

static void
open_jwt(struct rest *o, const struct def_auth *f)
{
	struct auth_conf conf = { .scheme = AUTH_JWT,
		.option = "private_key",
		.secret = f->private_key,
		.header = f->header,
		.oauth = oauth_of(o->conf, f) };
	char *before = before_token(f);

	conf.prefix = before;
	o->auth = auth_new(&conf);
	free(before);
}

static void
open_signed(struct rest *o, const struct def_auth *f, struct filling *x)
{
	char *text = fill_lines(x, f->text);
	const struct auth_conf conf = { .scheme = AUTH_SIGNED,
		.option = f->secret != NULL ? "secret" : "private_key",
		.secret = f->secret != NULL ? f->secret : f->private_key,
		.sign = { .algorithm = (enum sign_algorithm)f->algorithm,
		    .encoding = (enum sign_encoding)f->encoding,
		    .key = (enum sign_encoding)f->key,
		    .text = text,
		    .headers = f->headers,
		    .user = f->user } };

	o->auth = auth_new(&conf);
	free(text);
}

int
rest_open_auth(struct rest *o, const struct source *s, const struct def_auth *a,
    struct err *err)
{
	struct filling x = { .conf = o->conf };
	struct def_auth f = fill_all(&x, a);
	const struct auth_conf aws = { .scheme = AUTH_AWS,
		.option = "secret",
		.user = f.user,
		.secret = f.secret,
		.region = f.region,
		.service = f.service,
		.session = f.session };
	const struct auth_conf plain = { .scheme = a->kind == KIND_BASIC
		    ? AUTH_BASIC
		    : a->kind == KIND_DIGEST ? AUTH_DIGEST
					     : AUTH_NONE,
		.option = "password",
		.user = f.user,
		.secret = f.password };

	o->no_auth = auth_new(&(struct auth_conf){ .scheme = AUTH_NONE });
	switch (a->kind) {
	case KIND_HEADER:
		open_header(o, a, &f);
		break;
	case KIND_OAUTH2:
		open_oauth(o, s, &f, &x);
		break;
	case KIND_JWT:
		open_jwt(o, &f);
		break;
	case KIND_SIGNATURE:
		open_signed(o, &f, &x);
		break;
	case KIND_AWS:
		o->auth = auth_new(&aws);
		break;
	default:
		o->auth = auth_new(&plain);
		break;
	}
	free_all(&f);
	/* A text that is cut would be other credentials. */
	if (x.too_long != NULL)
		return err_set(err,
		    "auth: \"%s\" has more than %d bytes once the options are "
		    "in it; shorten them",
		    x.too_long, TEXT_MAX);
	return 0;
}
