/*
 * fuzz_certificate.c - any bytes as a peer's certificate, or, by the first
 * byte, as one field of a good one: its names, its subject, its end.  What is
 * said of it must be readable text, and no certificate may read as if it were
 * for the host when it is not.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "http/pem.h"
#include "outputs/syslog/certificate.h"
#include "tests/fuzz/fuzz.h"

#define HOST "siem.example.com"

/* What is said goes into one sentence with others. */
#define NAMES_ROOM 600

static void
check_text(const char *s)
{
	struct buf clean = BUF_INIT(4096);

	FUZZ_CHECK(text_printable(&clean, s, strlen(s)) == 0);
	FUZZ_CHECK(*s != '\0' && strcmp(clean.data, s) == 0);
	buf_release(&clean);
}

/* Whether the host is one of the names in a list as it is said. */
static bool
reads_as_host(const char *list)
{
	size_t len;

	if (strncmp(list, "no name (", 9) == 0)
		return false;
	for (const char *at = list; *at != '\0'; at += len) {
		len = strcspn(at, " ,");
		if (len == strlen(HOST) && memcmp(at, HOST, len) == 0)
			return true;
		len += strspn(at + len, " ,");
	}
	return false;
}

/* An address is said as it is, where it is the certificate's first name. */
static void
check_address(X509 *cert, const char *list)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
	char text[INET6_ADDRSTRLEN];
	uint8_t back[16];
	size_t len;

	if (name != NULL && name->type == GEN_IPADD) {
		len = (size_t)ASN1_STRING_length(name->d.iPAddress);
		(void)snprintf(text, sizeof(text), "%.*s",
		    (int)strcspn(list, " ,"), list);
		if (len == 4 || len == 16) {
			FUZZ_CHECK(inet_pton(len == 4 ? AF_INET : AF_INET6,
				       text, back) == 1);
			FUZZ_CHECK(memcmp(back,
				       ASN1_STRING_get0_data(name->d.iPAddress),
				       len) == 0);
		} else {
			FUZZ_CHECK(strcmp(text, "an") == 0);
		}
	}
	GENERAL_NAMES_free(names);
}

static void
check_times(const X509 *cert)
{
	int64_t when, expires = pem_expires(cert);
	char text[CLOCK_TEXT];

	certificate_time(X509_get0_notBefore(cert), text);
	check_text(text);
	certificate_time(X509_get0_notAfter(cert), text);
	check_text(text);
	if (clock_parse(text, strlen(text), &when) != 0)
		FUZZ_CHECK(expires == INT64_MAX);
	else
		FUZZ_CHECK(when == (expires < 0 ? 0 : expires));
}

/* The same certificate comes out of the PEM that it is written as. */
static void
check_pem(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	STACK_OF(X509) * certs;
	struct err err = ERR_INIT;
	char *text;

	FUZZ_CHECK(bio != NULL);
	for (int i = 0; i < 2; i++)
		FUZZ_CHECK(PEM_write_bio_X509(bio, cert) == 1);
	FUZZ_CHECK(BIO_write(bio, "", 1) == 1);
	(void)BIO_get_mem_data(bio, &text);
	certs = pem_certificates("ca", text, &err);
	FUZZ_CHECK(certs != NULL && sk_X509_num(certs) == 2);
	for (int i = 0; i < 2; i++)
		FUZZ_CHECK(X509_cmp(sk_X509_value(certs, i), cert) == 0);
	pem_certificates_free(certs);
	BIO_free(bio);
}

static void
check_certificate(X509 *cert)
{
	struct buf names = BUF_INIT(NAMES_ROOM);
	char text[CERTIFICATE_NAME];

	if (certificate_names(cert, &names) == 0)
		FUZZ_CHECK(names.len > 0);
	if (names.len > 0) {
		check_text(names.data);
		check_address(cert, names.data);
		if (reads_as_host(names.data))
			FUZZ_CHECK(X509_check_host(cert, HOST, 0, 0, NULL) ==
			    1);
	}
	buf_release(&names);
	certificate_name(X509_get_subject_name(cert), text);
	check_text(text);
	certificate_name(X509_get_issuer_name(cert), text);
	check_text(text);
	check_times(cert);
}

static void
set_names(X509 *cert, const uint8_t *data, size_t size)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	FUZZ_CHECK(value != NULL &&
	    ASN1_STRING_set(value, data, (int)size) == 1);
	ext =
	    X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
	FUZZ_CHECK(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
}

/* A SAN of one name with these bytes, whatever they are. */
static void
set_name(X509 *cert, int type, const uint8_t *data, size_t size)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value =
	    ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING
						 : V_ASN1_OCTET_STRING);

	FUZZ_CHECK(names != NULL && name != NULL && value != NULL &&
	    ASN1_STRING_set(value, data, (int)size) == 1);
	GENERAL_NAME_set0_value(name, type, value);
	FUZZ_CHECK(sk_GENERAL_NAME_push(names, name) > 0);
	FUZZ_CHECK(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) ==
	    1);
	GENERAL_NAMES_free(names);
}

/* The subject is the bytes as a string of any type. */
static void
set_subject(X509 *cert, const uint8_t *data, size_t size)
{
	static const int types[] = { V_ASN1_UTF8STRING, V_ASN1_T61STRING,
		V_ASN1_BMPSTRING, V_ASN1_UNIVERSALSTRING, V_ASN1_IA5STRING,
		V_ASN1_PRINTABLESTRING };
	X509_NAME *name = X509_get_subject_name(cert);

	if (size > 0)
		(void)X509_NAME_add_entry_by_NID(name, NID_commonName,
		    types[data[0] % (sizeof(types) / sizeof(types[0]))],
		    data + 1, (int)size - 1, -1, 0);
}

static void
set_end(X509 *cert, const uint8_t *data, size_t size)
{
	ASN1_TIME *when = X509_getm_notAfter(cert);

	if (size == 0 || ASN1_STRING_set(when, data + 1, (int)size - 1) != 1)
		return;
	when->type = data[0] % 2 == 0 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
}

/* A certificate with all that it must have, and the bytes in one field. */
static X509 *
make(uint8_t field, const uint8_t *data, size_t size)
{
	X509 *cert = X509_new();

	FUZZ_CHECK(cert != NULL);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	switch (field) {
	case 0:
		set_names(cert, data, size);
		break;
	case 1:
		set_name(cert, GEN_DNS, data, size);
		break;
	case 2:
		set_name(cert, GEN_IPADD, data, size);
		break;
	case 3:
		set_subject(cert, data, size);
		break;
	default:
		set_end(cert, data, size);
		break;
	}
	return cert;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	X509 *cert;

	/* DER of a certificate begins with 0x30. */
	if (size > 0 && data[0] < 5) {
		cert = make(data[0], data + 1, size - 1);
		check_certificate(cert);
		X509_free(cert);
	} else if ((cert = d2i_X509(NULL, &at, (long)size)) != NULL) {
		check_certificate(cert);
		check_pem(cert);
		X509_free(cert);
	}
	ERR_clear_error();
	return 0;
}
