/*
 * pair_help.c - a key, and a certificate for it.
 */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "tests/unit/pair_help.h"
#include "tests/unit/unit.h"

void
pair_make(char **key_pem, char **cert_pem)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	ck_assert(key != NULL && cert != NULL && bio != NULL);
	ck_assert(X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL);
	ck_assert(X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL);
	ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
			     NULL),
	    1);
	len = BIO_get_mem_data(bio, &data);
	*key_pem = xstrndup(data, (size_t)len);
	(void)BIO_reset(bio);
	ck_assert_int_eq(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &data);
	*cert_pem = xstrndup(data, (size_t)len);
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}
