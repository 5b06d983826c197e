/*
 * auth_sign.h - requests that are signed: which text is signed with what, and
 * which headers have the signature, is said by templates (base/template.h).
 *
 * Their places, all of the request that is sent:
 *
 *   request.method         "GET"; request.method_lower: "get"
 *   request.host           in lower case, with the port where that is unusual
 *   request.path           as sent; request.target: with "?" and the query
 *   request.query          as sent; request.query_sorted: by parameters, all
 *                          but unreserved characters percent-encoded
 *   request.body           request.body_sha256, request.body_sha512: in hex;
 *                          request.body_sha256_base64; request.body_length
 *   request.type           the Content-Type, "" without a body
 *   request.time|FORMAT    the server's time now, one for the whole request
 *   request.nonce          a random UUID, likewise
 *   signature              in headers
 */
#ifndef HTTP_AUTH_SIGN_H
#define HTTP_AUTH_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/template.h"
#include "http/client.h"

struct buf;
struct err;

enum sign_algorithm {
	SIGN_HMAC_SHA1,
	SIGN_HMAC_SHA256,
	SIGN_HMAC_SHA512,
	SIGN_RSA_SHA256, /* PKCS #1 v1.5 */
	SIGN_ALGORITHMS
};
extern const char *const sign_algorithms[]; /* names, NULL-terminated */

/* How bytes are written as text. */
enum sign_encoding { SIGN_HEX, SIGN_BASE64, SIGN_PLAIN };
extern const char *const sign_encodings[];     /* of signatures */
extern const char *const sign_key_encodings[]; /* of keys */

struct sign_conf {
	enum sign_algorithm algorithm;
	enum sign_encoding encoding; /* of the signature, not SIGN_PLAIN */
	enum sign_encoding key;      /* of an HMAC's key */
	const char *text;            /* what is signed */
	const struct http_pair *headers;
	/* Authorization: Basic of user and signature; NULL: none. */
	const char *user;
};

/* Is it one of the places above?  *time: it needs a format. */
bool sign_place(struct slice name, bool *time);

/*
 * Sign req at now with key: the secret, or PEM text.  fn gets each header, its
 * value valid during the call.  0, or -1: the key is none, or a text too long.
 */
typedef void sign_header_fn(void *ctx, const char *name, const char *value);
int sign_request(const struct sign_conf *c, const char *key,
    const struct http_request *req, int64_t now, sign_header_fn *fn, void *ctx,
    struct err *err);

#endif /* HTTP_AUTH_SIGN_H */
