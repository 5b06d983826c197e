/*
 * certificate.c - what is said of a peer's certificate.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/text.h"
#include "outputs/syslog/certificate.h"

/* Names of a certificate that are listed. */
#define NAMES_MAX 8

void
certificate_print(const uint8_t digest[32], char out[CERTIFICATE_PRINT])
{
	int n = snprintf(out, CERTIFICATE_PRINT, "sha-256");

	for (size_t i = 0; i < 32; i++)
		n += snprintf(out + n, CERTIFICATE_PRINT - (size_t)n, ":%02X",
		    digest[i]);
}

void
certificate_name(const X509_NAME *name, char out[CERTIFICATE_NAME])
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf text = BUF_INIT(CERTIFICATE_NAME - 1);
	char *data = NULL;
	long len = 0;

	/* Fails where a string is not of the encoding that it claims. */
	if (bio != NULL &&
	    X509_NAME_print_ex(bio, name, 0,
		XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_get_mem_data(bio, &data);
	ERR_clear_error();
	/* The ceiling cuts it between two characters. */
	if (len > 0)
		(void)text_printable(&text, data, (size_t)len);
	(void)snprintf(out, CERTIFICATE_NAME, "%s",
	    text.len > 0 ? text.data : "an unreadable name");
	buf_release(&text);
	BIO_free(bio);
}

void
certificate_time(const ASN1_TIME *when, char out[CLOCK_TEXT])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) == 1)
		(void)clock_format(timegm(&tm) * CLOCK_SECOND, 0, out);
	else
		(void)snprintf(out, CLOCK_TEXT, "an unreadable time");
	ERR_clear_error();
}

/* An iPAddress has four or sixteen bytes (RFC 5280 section 4.2.1.6); that of a
 * hostile certificate, any number. */
static int
add_address(const ASN1_STRING *address, struct buf *out)
{
	const int len = ASN1_STRING_length(address);
	char text[INET6_ADDRSTRLEN];

	if (len != 4 && len != 16)
		return buf_addf(out, "an address of %d bytes", len);
	return buf_adds(out,
	    inet_ntop(len == 4 ? AF_INET : AF_INET6,
		ASN1_STRING_get0_data(address), text, sizeof(text)));
}

/* A NUL would end the text early, and a comma would make two names of one:
 * then it could look like the name that was hoped for. */
static int
add_host(const ASN1_STRING *host, struct buf *out)
{
	const unsigned char *s = ASN1_STRING_get0_data(host);
	const int len = ASN1_STRING_length(host);
	int rc = len == 0 ? buf_adds(out, "an empty name") : 0;

	for (int i = 0; i < len && rc == 0; i++) {
		const bool plain = (s[i] >= '0' && s[i] <= '9') ||
		    (s[i] >= 'A' && s[i] <= 'Z') ||
		    (s[i] >= 'a' && s[i] <= 'z') ||
		    (s[i] != '\0' && strchr("-._*", s[i]) != NULL);

		rc = buf_addf(out, plain ? "%c" : "\\x%02x", s[i]);
	}
	return rc;
}

/* One of cert's names, put behind those before it whole or not at all. */
static int
add_one(const GENERAL_NAME *name, struct buf *out)
{
	struct buf one = BUF_INIT(out->ceiling);
	int rc = 0;

	if (out->len > 0)
		rc = buf_adds(&one, ", ");
	if (rc == 0)
		rc = name->type == GEN_DNS
		    ? add_host(name->d.dNSName, &one)
		    : add_address(name->d.iPAddress, &one);
	if (rc == 0)
		rc = buf_add(out, one.data, one.len);
	buf_release(&one);
	return rc;
}

int
certificate_names(X509 *cert, struct buf *out)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int n = names == NULL ? 0 : sk_GENERAL_NAME_num(names), rc = 0;
	char subject[CERTIFICATE_NAME];

	for (int i = 0; rc == 0 && i < n && i < NAMES_MAX; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS || name->type == GEN_IPADD)
			rc = add_one(name, out);
	}
	if (rc == 0 && n > NAMES_MAX)
		rc = buf_adds(out, " and more");
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	if (rc == 0 && out->len == 0) {
		certificate_name(X509_get_subject_name(cert), subject);
		rc = buf_addf(out, "no name (subject %s)", subject);
	}
	return rc;
}
