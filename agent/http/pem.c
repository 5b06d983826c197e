/*
 * pem.c - certificates and private keys out of PEM text.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "http/pem.h"

/* The system's bundle of a distribution has about 150. */
#define CERTIFICATES_MAX 4096

/* OpenSSL would ask the terminal for a passphrase. */
static int
no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)writing;
	(void)ctx;
	if (size > 0)
		buf[0] = '\0';
	return 0;
}

STACK_OF(X509) *
    pem_certificates(const char *what, const char *text, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(text, (int)strnlen(text, INT32_MAX));
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509 *cert;

	if (bio == NULL || certs == NULL)
		goto fail;
	while (sk_X509_num(certs) < CERTIFICATES_MAX) {
		cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (cert == NULL)
			break;
		if (sk_X509_push(certs, cert) == 0) {
			X509_free(cert);
			goto fail;
		}
	}
	/* The end of the text is reported as an error, too. */
	ERR_clear_error();
	if (sk_X509_num(certs) > 0) {
		BIO_free(bio);
		return certs;
	}
	(void)err_set(err,
	    "%s: no PEM certificate in it; it should begin with "
	    "-----BEGIN CERTIFICATE-----",
	    what);
fail:
	(void)err_set(err, "%s: out of memory", what);
	pem_certificates_free(certs);
	BIO_free(bio);
	return NULL;
}

void
pem_certificates_free(STACK_OF(X509) * certs)
{
	sk_X509_pop_free(certs, X509_free);
}

EVP_PKEY *
pem_key(const char *what, const char *text, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(text, (int)strnlen(text, INT32_MAX));
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (key == NULL)
		(void)err_set(err,
		    "%s: no unencrypted PEM private key in it; decrypt it "
		    "with \"openssl pkey\" and keep the file readable to "
		    "the agent alone",
		    what);
	return key;
}

int64_t
pem_expires(const X509 *cert)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return INT64_MAX;
	return (int64_t)timegm(&tm) * CLOCK_SECOND;
}
