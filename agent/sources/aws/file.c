/*
 * file.c - what CloudTrail's files are, for its digests: the SHA-256 of each,
 * and how many events of which hour it has.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "sources/aws/s3.h"

void
s3_reading_begin(struct s3_reading *r)
{
	*r = (struct s3_reading){ .hash = EVP_MD_CTX_new() };
	if (r->hash == NULL)
		mem_gone();
	s3_reading_see(r, NULL, 0);
}

void
s3_reading_see(void *ctx, const char *data, size_t len)
{
	struct s3_reading *r = ctx;

	if (data == NULL)
		hours_release(&r->hours);
	if ((data == NULL ? EVP_DigestInit_ex(r->hash, EVP_sha256(), NULL)
			  : EVP_DigestUpdate(r->hash, data, len)) != 1)
		mem_gone();
}

void
s3_reading_count(void *ctx, int64_t when)
{
	struct s3_reading *r = ctx;

	hours_add(&r->hours, when, false, VIA_FEED);
}

void
s3_reading_end(struct s3_reading *r, struct s3_file *out)
{
	uint8_t hash[DIGEST_LEN];

	if (EVP_DigestFinal_ex(r->hash, hash, NULL) != 1)
		mem_gone();
	EVP_MD_CTX_free(r->hash);
	text_hex(out->hex, hash, DIGEST_LEN);
	out->hours = r->hours;
}

void
s3_file_release(struct s3_file *f)
{
	hours_release(&f->hours);
}

/* Where a file is remembered. */
static struct s3_known *
place(struct s3 *o, const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (const char *c = key; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	return &o->known[hash % S3_KNOWN];
}

void
s3_file_keep(struct s3 *o, const char *key, struct s3_file *f)
{
	struct s3_known *k = place(o, key);

	(void)pthread_mutex_lock(&o->lock);
	free(k->key);
	s3_file_release(&k->file);
	k->key = xstrdup(key);
	k->file = *f;
	(void)pthread_mutex_unlock(&o->lock);
	*f = (struct s3_file){ .hex = "" };
}

bool
s3_file_recall(struct s3 *o, const char *key, struct s3_file *f)
{
	struct s3_known *k = place(o, key);
	bool found;

	*f = (struct s3_file){ .hex = "" };
	(void)pthread_mutex_lock(&o->lock);
	found = k->key != NULL && strcmp(k->key, key) == 0;
	if (found) {
		memcpy(f->hex, k->file.hex, sizeof(f->hex));
		hours_sum(&f->hours, &k->file.hours);
	}
	(void)pthread_mutex_unlock(&o->lock);
	return found;
}
