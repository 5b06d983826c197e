/*
 * conf.c - the options of every HTTP client, and what a URL may be.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/setting.h"
#include "http/client.h"

const struct setting http_settings[] = {
	{ .key = "proxy",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct http_conf, proxy),
	    .help = "Proxy, http://[user:password@]host:port or https://….  "
		    "Unset, the variables https_proxy and no_proxy count." },
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
	    .help = "Longest time to connect, and over which a transfer that "
		    "brings less than a kilobyte is given up." },
	SETTING_END,
};

void
http_conf_check(const struct http_conf *conf, const struct blame *b)
{
	if (conf->tls.cert != NULL && conf->tls.key == NULL)
		blame(b,
		    "tls.cert: a certificate is of no use without its key; "
		    "set tls.key");
	if (conf->tls.key != NULL && conf->tls.cert == NULL)
		blame(b,
		    "tls.key: a key is of no use without its certificate; "
		    "set tls.cert");
}

void
http_url_blame(const char *what, const char *url, const struct blame *b)
{
	struct err err = ERR_INIT;

	if (url != NULL && http_url_check(what, url, &err) != 0)
		blame(b, "%s", err.text);
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

int
http_url_check(const char *what, const char *url, struct err *err)
{
	struct url u;
	int rc = -1;

	if (url_parse(url, &u) != 0)
		return err_set(err, "%s: \"%s\" is not an https:// URL", what,
		    url);
	if (u.user != NULL)
		(void)err_set(err,
		    "%s: a URL with a user name in it is not taken; there "
		    "are options for credentials",
		    what);
	else if (u.fragment != NULL)
		(void)err_set(err,
		    "%s: \"%s\" has a fragment, which is never sent; remove "
		    "what begins with #",
		    what, url);
	else if (strcmp(u.scheme, "http") == 0 && !is_loopback(u.host))
		(void)err_set(err,
		    "%s: \"%s\" is not encrypted; http:// is for loopback "
		    "only, use https://",
		    what, url);
	else
		rc = 0;
	url_release(&u);
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
