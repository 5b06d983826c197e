/*
 * token.h - a key in a PKCS#11 token, which signs and is never seen.
 *
 * For OpenSSL 3 there is a provider of such keys only where a distribution has
 * one that knows Ed25519; GnuTLS, which is loaded for this alone, knows them
 * everywhere.
 */
#ifndef EVIDENCE_TOKEN_H
#define EVIDENCE_TOKEN_H

#include <stddef.h>

struct err;
struct public_key;
struct signature;
struct token;

/* The scheme of its URIs (RFC 7512). */
#define TOKEN_SCHEME "pkcs11:"

/* Open the private key of that URI, "pkcs11:token=T;object=O?pin-source=/FILE":
 * its module is the one of module-path in it, else those that p11-kit is told
 * of.  public gets the public key.  NULL with err, which has nothing of the
 * URI: there may be a PIN in it. */
struct token *token_open(const char *uri, struct public_key *public,
    struct err *err);
int token_sign(struct token *t, const char *data, size_t len,
    struct signature *signature, struct err *err);
/* NULL is fine.  The next token_open() asks the modules anew. */
void token_free(struct token *t);

#endif /* EVIDENCE_TOKEN_H */
