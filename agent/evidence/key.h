/*
 * key.h - what note.c and key.c share behind note.h.
 */
#ifndef KEY_H
#define KEY_H

#include <stdint.h>

#include <openssl/evp.h>

#include "evidence/note.h"

#define KEY_LEN 32
#define KEY_ID_LEN 4

struct signer {
	char *name;
	EVP_PKEY *key;
	uint8_t public[KEY_LEN];
	uint8_t id[KEY_ID_LEN];
};

/* The key id of a key by that name. */
void key_id(const char *name, const uint8_t key[KEY_LEN],
    uint8_t id[KEY_ID_LEN]);

/* err_set() with OpenSSL's own reason behind what. */
int key_failed(struct err *err, const char *what);

#endif /* KEY_H */
