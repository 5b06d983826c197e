/*
 * key.h - what key.c, note.c and succession.c share behind their headers.
 */
#ifndef EVIDENCE_KEY_H
#define EVIDENCE_KEY_H

#include <stdint.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "evidence/note.h"

#define KEY_LEN 32
#define KEY_ID_LEN 4

struct signer {
	char *name;
	EVP_PKEY *key;
	uint8_t public[KEY_LEN];
	uint8_t id[KEY_ID_LEN];
	char *succession; /* see succession.h; "" where there is none */
};

struct trust {
	const struct verifier *keys;
	size_t n;
};

/* The key id of a key by that name. */
void key_id(const char *name, const uint8_t key[KEY_LEN],
    uint8_t id[KEY_ID_LEN]);

/* err_set() with OpenSSL's own reason behind what. */
int key_failed(struct err *err, const char *what);

/* Sign what out holds from start on as the text of a note. */
int note_finish(const struct signer *s, struct buf *out, size_t start,
    struct err *err);

/* The text of a note, when it is well formed. */
int note_split(const char *note, size_t len, struct slice *text,
    struct err *err);

/* The signatures of a note that was split; signer gets the name of a key that
 * is trusted, "" on failure. */
int note_check(const char *note, size_t len, struct slice text,
    struct trust trust, char signer[256], struct err *err);

#endif /* EVIDENCE_KEY_H */
