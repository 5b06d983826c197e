/*
 * access.h - what a peer is reached with: URL, proxy, CA, client certificate,
 * timeouts, and the rules that every connection keeps.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "config/setting.h"

struct config_section;
struct err;

/* Options that every source and every HTTP output has. */
struct http_conf {
	char *proxy; /* secret text: "http://user:password@host:port" */
	struct {
		char *ca;   /* secret texts, see secret_resolve_pem() */
		char *cert; /* with key: client certificate and its chain */
		char *key;
	} tls;
	int64_t timeout; /* microseconds, to connect and of a stall */
};

extern const struct setting http_settings[];

/* Pure cross-check of the options, for `check`. */
void http_conf_check(const struct http_conf *conf,
    const struct config_section *b);

/* http_url_check() for `check`; url may be NULL. */
void http_url_check_setting(const char *what, const char *url,
    const struct config_section *b);

/* Check a configured URL: https, or http to loopback or a cloud's metadata
 * service (169.254.169.254); a host, no user, no fragment.  what ("api_url")
 * begins the sentence, which has the URL as http_shown() gives it. */
int http_url_check(const char *what, const char *url, struct err *err);

/* Do both URLs have the same scheme, host and port?  Hostile input is fine. */
bool http_same_origin(const char *a, const char *b);

/* Append scheme://host[:port] of url, the port only where it is not the
 * scheme's own.  -1: not a URL. */
int http_origin(const char *url, struct buf *out, struct err *err);

/*
 * What a peer is reached with: proxy, CA, client certificate and key, resolved
 * and parsed once, in memory.  Threads may share one.
 */
struct http_access;

/* conf is borrowed for the life of the access. */
struct http_access *http_access_open(const struct http_conf *conf,
    struct err *err);
void http_access_free(struct http_access *a);

/* Read files and variables again; the old ones stay when that fails. */
int http_access_reload(struct http_access *a, struct err *err);

/*
 * Set everything of the access and of the rules above on an easy handle (a
 * CURL *) for one request to url: verification, proxy, timeouts, stall,
 * protocols, no redirects, gzip.  For outputs, which drive curl themselves.
 */
int http_access_apply(struct http_access *a, void *easy, const char *url,
    struct err *err);

/* Whom a request to url goes to, as a hash of its scheme, host and port and of
 * proxy, CA and client certificate: connections of equal ones are the same.
 * Returns the generation that this holds for. */
unsigned http_access_peer(struct http_access *a, const char *url,
    uint8_t peer[DIGEST_LEN]);

/* Grows whenever a reload brought something new: connections and TLS sessions
 * of before must not be used any more. */
unsigned http_access_generation(struct http_access *a);

#endif /* HTTP_ACCESS_H */
