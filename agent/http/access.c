/*
 * access.c - what a peer is reached with, in memory.
 *
 * CA (trust.h), client certificate and key are parsed once and put into each
 * TLS context by reference: a system CA bundle for each of a dozen connections
 * would cost more memory than all else together.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "config/setting.h"
#include "http/access.h"
#include "http/pem.h"
#include "http/shown.h"
#include "http/trust.h"

const struct setting http_settings[] = {
	{ .key = "proxy",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct http_conf, proxy),
	    .help = "Proxy, http://[user:password@]host:port or https://…. "
		    "Default: the environment variables https_proxy and "
		    "no_proxy." },
	{ .key = "tls.ca",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct http_conf, tls.ca),
	    .help = "Certificates to trust instead of the system's, a file "
		    "or PEM text." },
	{ .key = "tls.cert",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct http_conf, tls.cert),
	    .help = "Client certificate and its chain, a file or PEM text." },
	{ .key = "tls.key",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct http_conf, tls.key),
	    .help = "Private key of the client certificate, a file or PEM "
		    "text." },
	{ .key = "timeout",
	    .type = SETTING_DURATION,
	    .offset = offsetof(struct http_conf, timeout),
	    .def = "60s",
	    .min = INT64_C(1000000),
	    .max = INT64_C(3600000000),
	    .help = "Connect and stall timeout: a transfer that moves less "
		    "than a kilobyte in this time is given up." },
	SETTING_END,
};

/* "http://[user:password@]host:port"; its sentences never repeat it, since it
 * may have a password in it.  What stands elsewhere can't be checked. */
static void
check_proxy(const char *proxy, const struct config_section *b)
{
	CURLU *h;
	char *scheme = NULL, *port = NULL;

	if (proxy == NULL || strstr(proxy, "${") != NULL)
		return;
	h = curl_url();
	if (h == NULL)
		return;
	if (curl_url_set(h, CURLUPART_URL, proxy,
		CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
		config_error(b,
		    "proxy: is not http://host:port, with a number as the "
		    "port");
		goto out;
	}
	(void)curl_url_get(h, CURLUPART_SCHEME, &scheme, 0);
	(void)curl_url_get(h, CURLUPART_PORT, &port, 0);
	if (strstr(proxy, "://") != NULL && strcmp(scheme, "http") != 0 &&
	    strcmp(scheme, "https") != 0)
		config_error(b,
		    "proxy: %.20s:// is not a scheme for it; use http:// or "
		    "https://",
		    scheme);
	else if (port == NULL && strcmp(scheme, "https") != 0)
		config_warning(b,
		    "proxy: has no port, so 1080 is taken; write "
		    "http://host:port");
out:
	curl_free(scheme);
	curl_free(port);
	curl_url_cleanup(h);
}

void
http_conf_check(const struct http_conf *conf, const struct config_section *b)
{
	check_proxy(conf->proxy, b);
	if (conf->tls.cert != NULL && conf->tls.key == NULL)
		config_error(b,
		    "tls.cert: a certificate needs its private key; set "
		    "tls.key");
	if (conf->tls.key != NULL && conf->tls.cert == NULL)
		config_error(b,
		    "tls.key: a private key needs its certificate; set "
		    "tls.cert");
}

void
http_url_check_setting(const char *what, const char *url,
    const struct config_section *b)
{
	struct err err = ERR_INIT;

	if (url != NULL && http_url_check(what, url, &err) != 0)
		config_error(b, "%s", err.text);
}

struct url {
	char *scheme;
	char *host;
	char *port;
	char *user;
	char *fragment;
};

static void
url_release(struct url *u)
{
	curl_free(u->scheme);
	curl_free(u->host);
	curl_free(u->port);
	curl_free(u->user);
	curl_free(u->fragment);
}

/* Parts that are absent stay NULL.  -1: not an absolute http(s) URL. */
static int
url_parse(const char *text, struct url *u)
{
	CURLU *h = curl_url();
	int rc = -1;

	*u = (struct url){ .scheme = NULL };
	if (h == NULL)
		return -1;
	if (curl_url_set(h, CURLUPART_URL, text, 0) != CURLUE_OK ||
	    curl_url_get(h, CURLUPART_SCHEME, &u->scheme, 0) != CURLUE_OK ||
	    curl_url_get(h, CURLUPART_HOST, &u->host, 0) != CURLUE_OK ||
	    curl_url_get(h, CURLUPART_PORT, &u->port, CURLU_DEFAULT_PORT) !=
		CURLUE_OK)
		goto out;
	(void)curl_url_get(h, CURLUPART_USER, &u->user, 0);
	(void)curl_url_get(h, CURLUPART_FRAGMENT, &u->fragment, 0);
	if (strcmp(u->scheme, "https") == 0 || strcmp(u->scheme, "http") == 0)
		rc = 0;
out:
	curl_url_cleanup(h);
	if (rc != 0) {
		url_release(u);
		*u = (struct url){ .scheme = NULL };
	}
	return rc;
}

/* Names and addresses that can't leave the machine. */
static bool
is_loopback(const char *host)
{
	static const char digits[] = "0123456789.";

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return strncmp(host, "127.", 4) == 0 &&
	    strspn(host, digits) == strlen(host);
}

/* Where a cloud tells its own machines and containers who they are: what goes
 * there stays with the machine below. */
static bool
is_metadata(const char *host)
{
	static const char *const hosts[] = { "169.254.169.254",
		"[fd00:ec2::254]", "169.254.170.2", "169.254.170.23",
		"[fd00:ec2::23]" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (strcasecmp(host, hosts[i]) == 0)
			return true;
	return false;
}

int
http_url_check(const char *what, const char *url, struct err *err)
{
	char *shown = http_shown(url);
	struct url u;
	int rc = -1;

	if (url_parse(url, &u) != 0)
		(void)err_set(err, "%s: \"%s\" is not an https:// URL", what,
		    shown);
	else if (u.user != NULL)
		(void)err_set(err,
		    "%s: a URL must not contain a user name; use the options "
		    "for credentials",
		    what);
	else if (u.fragment != NULL)
		(void)err_set(err,
		    "%s: \"%s\" has a fragment, which is never sent; remove "
		    "what begins with #",
		    what, shown);
	else if (strcmp(u.scheme, "http") == 0 && !is_loopback(u.host) &&
	    !is_metadata(u.host))
		(void)err_set(err,
		    "%s: \"%s\" is not encrypted; http:// is for loopback "
		    "only, use https://",
		    what, shown);
	else
		rc = 0;
	url_release(&u);
	free(shown);
	return rc;
}

bool
http_same_origin(const char *a, const char *b)
{
	struct url x, y;
	bool same;

	if (url_parse(a, &x) != 0)
		return false;
	if (url_parse(b, &y) != 0) {
		url_release(&x);
		return false;
	}
	same = strcmp(x.scheme, y.scheme) == 0 &&
	    strcasecmp(x.host, y.host) == 0 && strcmp(x.port, y.port) == 0 &&
	    x.user == NULL && y.user == NULL;
	url_release(&x);
	url_release(&y);
	return same;
}

int
http_origin(const char *url, struct buf *out, struct err *err)
{
	struct url u;
	bool usual;
	int rc;

	if (url_parse(url, &u) != 0)
		return err_set(err, "%s: not an absolute URL", url);
	usual =
	    strcmp(u.port, strcmp(u.scheme, "https") == 0 ? "443" : "80") == 0;
	rc = buf_addf(out, "%s://%s%s%s", u.scheme, u.host, usual ? "" : ":",
	    usual ? "" : u.port);
	url_release(&u);
	if (rc != 0)
		return err_set(err, "%s: the URL is too long", url);
	return 0;
}

/* A transfer that brings less than this over the timeout is stalled. */
#define STALL_BYTES 1024

/* The parsed options; replaced as a whole. */
struct material {
	char *proxy;            /* NULL: the environment's */
	X509_STORE *trusted;    /* of trust_open() */
	STACK_OF(X509) * chain; /* client certificate first; NULL: none */
	EVP_PKEY *key;
	uint8_t digest[DIGEST_LEN]; /* of all texts, to notice a change */
};

struct http_access {
	const struct http_conf *conf;
	pthread_mutex_t lock;
	struct material now;
	unsigned generation;
};

static void
material_release(struct material *m)
{
	secret_free(m->proxy);
	trust_close(m->trusted);
	pem_certificates_free(m->chain);
	EVP_PKEY_free(m->key);
	*m = (struct material){ .proxy = NULL };
}

/* The options' texts with references replaced. */
struct texts {
	char *proxy;
	char *ca;
	char *cert;
	char *key;
};

static void
texts_release(struct texts *t)
{
	secret_free(t->proxy);
	secret_free(t->ca);
	secret_free(t->cert);
	secret_free(t->key);
}

static int
texts_read(const struct http_conf *c, struct texts *t, struct err *err)
{
	*t = (struct texts){ .proxy = NULL };
	if (c->proxy != NULL &&
	    (t->proxy = secret_resolve(c->proxy, err)) == NULL)
		return err_prefix(err, "proxy");
	if (c->tls.ca != NULL &&
	    (t->ca = secret_resolve_pem(c->tls.ca, err)) == NULL)
		return err_prefix(err, "tls.ca");
	if (c->tls.cert != NULL &&
	    (t->cert = secret_resolve_pem(c->tls.cert, err)) == NULL)
		return err_prefix(err, "tls.cert");
	if (c->tls.key != NULL &&
	    (t->key = secret_resolve_pem(c->tls.key, err)) == NULL)
		return err_prefix(err, "tls.key");
	return 0;
}

static void
texts_digest(const struct texts *t, uint8_t out[DIGEST_LEN])
{
	const char *all[] = { t->proxy, t->ca, t->cert, t->key };
	struct digest *d = digest_new();

	memset(out, 0, DIGEST_LEN);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		/* With its end: an empty text is not the same as none. */
		const size_t len = all[i] != NULL ? strlen(all[i]) + 1 : 0;

		digest_sha256(d, out, DIGEST_LEN, all[i], len, out);
	}
	digest_free(d);
}

static int
material_make(const struct texts *t, struct material *m, struct err *err)
{
	if (t->proxy != NULL)
		m->proxy = xstrdup(t->proxy);
	m->trusted = trust_open(t->ca, err);
	if (m->trusted == NULL)
		return -1;
	if (t->cert == NULL || t->key == NULL)
		return 0;
	m->chain = pem_certificates("tls.cert", t->cert, err);
	if (m->chain == NULL)
		return -1;
	m->key = pem_key("tls.key", t->key, err);
	if (m->key == NULL)
		return -1;
	if (X509_check_private_key(sk_X509_value(m->chain, 0), m->key) != 1) {
		ERR_clear_error();
		return err_set(err,
		    "tls.key: does not belong to the certificate in "
		    "tls.cert; the leaf certificate must come first");
	}
	return 0;
}

int
http_access_reload(struct http_access *a, struct err *err)
{
	struct material m = { .proxy = NULL };
	struct texts t;
	bool same = false;
	int rc = -1;

	if (texts_read(a->conf, &t, err) != 0)
		goto out;
	texts_digest(&t, m.digest);
	(void)pthread_mutex_lock(&a->lock);
	same = a->generation > 0 &&
	    memcmp(m.digest, a->now.digest, DIGEST_LEN) == 0;
	(void)pthread_mutex_unlock(&a->lock);
	if (same) {
		rc = 0;
		goto out;
	}
	if (material_make(&t, &m, err) != 0)
		goto out;
	(void)pthread_mutex_lock(&a->lock);
	material_release(&a->now);
	a->now = m;
	a->generation++;
	(void)pthread_mutex_unlock(&a->lock);
	m = (struct material){ .proxy = NULL };
	rc = 0;
out:
	texts_release(&t);
	material_release(&m);
	return rc;
}

struct http_access *
http_access_open(const struct http_conf *conf, struct err *err)
{
	struct http_access *a = xcalloc(1, sizeof(*a));

	a->conf = conf;
	(void)pthread_mutex_init(&a->lock, NULL);
	if (http_access_reload(a, err) != 0) {
		http_access_free(a);
		return NULL;
	}
	return a;
}

void
http_access_free(struct http_access *a)
{
	if (a == NULL)
		return;
	material_release(&a->now);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

unsigned
http_access_generation(struct http_access *a)
{
	unsigned n;

	(void)pthread_mutex_lock(&a->lock);
	n = a->generation;
	(void)pthread_mutex_unlock(&a->lock);
	return n;
}

unsigned
http_access_peer(struct http_access *a, const char *url,
    uint8_t peer[DIGEST_LEN])
{
	const char *host = strstr(url, "://");
	size_t len = host != NULL ? (size_t)(host - url) + 3 : 0;
	uint8_t with[DIGEST_LEN];
	struct digest *d = digest_new();
	unsigned n;

	len += strcspn(url + len, "/?#");
	(void)pthread_mutex_lock(&a->lock);
	memcpy(with, a->now.digest, DIGEST_LEN);
	n = a->generation;
	(void)pthread_mutex_unlock(&a->lock);
	digest_sha256(d, with, DIGEST_LEN, url, len, peer);
	digest_free(d);
	return n;
}

/* CURLOPT_SSL_CTX_FUNCTION: a new TLS context wants its certificates. */
static CURLcode
fill_context(CURL *easy, void *ssl_ctx, void *arg)
{
	struct http_access *a = arg;
	SSL_CTX *ctx = ssl_ctx;
	STACK_OF(X509) *rest = NULL;
	bool ok = true;

	(void)easy;
	(void)pthread_mutex_lock(&a->lock);
	SSL_CTX_set1_cert_store(ctx, a->now.trusted);
	if (a->now.chain != NULL) {
		X509 *leaf = sk_X509_value(a->now.chain, 0);

		rest = sk_X509_dup(a->now.chain);
		ok = rest != NULL;
		if (ok) {
			(void)sk_X509_shift(rest);
			ok = SSL_CTX_use_cert_and_key(ctx, leaf, a->now.key,
				 rest, 1) == 1;
		}
		sk_X509_free(rest);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return ok ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

/* Does url lead to a metadata service? */
static bool
to_metadata(const char *url)
{
	struct url u;
	bool is;

	if (strncmp(url, "http://", 7) != 0 || url_parse(url, &u) != 0)
		return false;
	is = is_metadata(u.host);
	url_release(&u);
	return is;
}

/* Plain http goes to loopback: never through a proxy that happens to stand
 * in the environment.  Metadata of another machine would be the proxy's. */
static CURLcode
apply_proxy(struct http_access *a, CURL *easy, const char *url)
{
	CURLcode rc = CURLE_OK;

	(void)pthread_mutex_lock(&a->lock);
	if (a->now.proxy != NULL && !to_metadata(url))
		rc = curl_easy_setopt(easy, CURLOPT_PROXY, a->now.proxy);
	else if (strncmp(url, "http://", 7) == 0)
		rc = curl_easy_setopt(easy, CURLOPT_PROXY, "");
	(void)pthread_mutex_unlock(&a->lock);
	return rc;
}

static CURLcode
apply_tls(struct http_access *a, CURL *easy)
{
	CURLcode rc;

	/* curl would load its own bundle beside ours. */
	rc = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION,
		    fill_context);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, a);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_SSLVERSION,
		    (long)CURL_SSLVERSION_TLSv1_2);
	return rc;
}

static void
apply_numbers(CURL *easy, int64_t timeout)
{
	int64_t seconds = timeout / CLOCK_SECOND;
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_NOPROGRESS, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		/* What a signature was made of; names may have "..". */
		{ CURLOPT_PATH_AS_IS, 1 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_TCP_KEEPALIVE, 1 },
		{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout / 1000) },
		{ CURLOPT_LOW_SPEED_TIME, (long)(seconds > 0 ? seconds : 1) },
		{ CURLOPT_LOW_SPEED_LIMIT,
		    (long)(STALL_BYTES / (seconds > 0 ? seconds : 1) + 1) },
	};

	/* These can't fail for a handle. */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)curl_easy_setopt(easy, numbers[i].option,
		    numbers[i].value);
#if LIBCURL_VERSION_NUM >= 0x075700
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

int
http_access_apply(struct http_access *a, void *easy, const char *url,
    struct err *err)
{
	CURLcode rc;

	if (http_url_check("URL", url, err) != 0)
		return -1;
	apply_numbers(easy, a->conf->timeout);
#if LIBCURL_VERSION_NUM >= 0x075500
	rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
	    (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_URL, url);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(easy, CURLOPT_USERAGENT,
		    "sealfeed/" PACKAGE_VERSION);
	if (rc == CURLE_OK)
		rc = apply_proxy(a, easy, url);
	if (rc == CURLE_OK)
		rc = apply_tls(a, easy);
	if (rc != CURLE_OK)
		return err_set(err,
		    "libcurl: %s; it must be built with OpenSSL",
		    curl_easy_strerror(rc));
	return 0;
}
