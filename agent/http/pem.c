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

/* The reading of certificate number n ended; -1: not because the text did. */
static int
check_end(const char *what, int n, struct err *err)
{
	unsigned long why = ERR_peek_last_error();
	const char *text = ERR_reason_error_string(why);
	int rc = 0;

	if (ERR_GET_LIB(why) != ERR_LIB_PEM ||
	    ERR_GET_REASON(why) != PEM_R_NO_START_LINE)
		rc = err_set(err,
		    "%s: certificate %d in it cannot be read (%s); put it in "
		    "again, or take it out",
		    what, n, text == NULL ? "unknown error" : text);
	else if (n == 1)
		rc = err_set(err,
		    "%s: no PEM certificate in it; it should begin with "
		    "-----BEGIN CERTIFICATE-----",
		    what);
	ERR_clear_error();
	return rc;
}

STACK_OF(X509) *
    pem_certificates(const char *what, const char *text, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(text, (int)strnlen(text, INT32_MAX));
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509 *cert = NULL;
	int rc = -1;

	if (bio == NULL || certs == NULL)
		(void)err_set(err, "%s: out of memory", what);
	else
		rc = 0;
	ERR_clear_error();
	for (int n = 1; rc == 0; n++) {
		cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (cert == NULL) {
			rc = check_end(what, n, err);
			break;
		}
		if (n > CERTIFICATES_MAX || sk_X509_push(certs, cert) == 0) {
			rc = err_set(err, "%s: more than %d certificates", what,
			    CERTIFICATES_MAX);
			X509_free(cert);
		}
	}
	BIO_free(bio);
	if (rc == 0)
		return certs;
	pem_certificates_free(certs);
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
