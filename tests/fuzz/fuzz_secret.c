/*
 * fuzz_secret.c - any bytes as a secret in a file, as the text of a setting,
 * and as PEM: certificates, keys of outputs, the agent's own key.  What is
 * read can be written and read again; what cannot be read leaves none of its
 * content in the message.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "config/secret.h"
#include "evidence/key.h"
#include "http/pem.h"
#include "tests/fuzz/fuzz.h"

/* Stands in every secret, and in no message. */
#define CANARY "Tr0ub4dor&3"

static const char begin_pem[] = "-----BEGIN";

/* A file with data, as a setting refers to it; the caller closes it. */
static int
put(const void *data, size_t size, char reference[64])
{
	int fd = memfd_create("secret", MFD_CLOEXEC);

	FUZZ_CHECK(fd != -1 && file_write_all(fd, data, size) == 0);
	(void)snprintf(reference, 64, "${file:/proc/self/fd/%d}", fd);
	return fd;
}

static void
check_silence(const struct err *err)
{
	FUZZ_CHECK(err->text[0] != '\0');
	FUZZ_CHECK(strstr(err->text, CANARY) == NULL);
}

/* A secret is its file's content without one line's end. */
static void
in_file(const uint8_t *data, size_t size)
{
	struct buf content = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	char reference[64], *secret;
	size_t len;
	int fd;

	FUZZ_CHECK(buf_adds(&content, CANARY) == 0);
	FUZZ_CHECK(size == 0 || buf_add(&content, data, size) == 0);
	len = content.len;
	fd = put(content.data, len, reference);
	secret = secret_resolve(reference, &err);
	if (memchr(content.data, '\0', len) != NULL) {
		FUZZ_CHECK(secret == NULL);
		check_silence(&err);
	} else {
		FUZZ_CHECK(secret != NULL);
		len -= len > 0 && content.data[len - 1] == '\n';
		len -= len > 0 && content.data[len - 1] == '\r';
		FUZZ_CHECK(strlen(secret) == len);
		FUZZ_CHECK(memcmp(secret, content.data, len) == 0);
	}
	secret_free(secret);
	/* Neither PEM nor a file's name, or PEM that only this file has. */
	err_clear(&err);
	secret = secret_resolve_pem(reference, &err);
	if (secret == NULL)
		check_silence(&err);
	secret_free(secret);
	(void)close(fd);
	buf_release(&content);
}

/* The text of a setting, which stands for itself but for its references. */
static void
as_setting(const char *text)
{
	struct err err = ERR_INIT, why = ERR_INIT;
	bool good = secret_check(text, &err) == 0;
	char *secret;

	FUZZ_CHECK(good == (err.text[0] == '\0'));
	if (strstr(text, "${file:") != NULL ||
	    strstr(text, "${credential:") != NULL)
		return;
	secret = secret_resolve(text, &why);
	FUZZ_CHECK((secret == NULL) == (why.text[0] != '\0'));
	FUZZ_CHECK(good || secret == NULL);
	if (strstr(text, "${") == NULL)
		FUZZ_CHECK(secret != NULL && strcmp(secret, text) == 0);
	secret_free(secret);
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* No certificate is passed over, and each can be written and read again. */
static void
as_certificates(const char *text)
{
	struct err err = ERR_INIT;
	STACK_OF(X509) *certs = pem_certificates("tls.ca", text, &err);
	BIO *bio = BIO_new(BIO_s_mem());
	STACK_OF(X509) * again;
	char *pem;
	int n;

	if (certs == NULL) {
		check_silence(&err);
		BIO_free(bio);
		return;
	}
	n = sk_X509_num(certs);
	FUZZ_CHECK(n > 0 && err.text[0] == '\0');
	FUZZ_CHECK((size_t)n <= count(text, begin_pem));
	for (int i = 0; i < n; i++)
		FUZZ_CHECK(PEM_write_bio_X509(bio, sk_X509_value(certs, i)) ==
		    1);
	FUZZ_CHECK(BIO_write(bio, "", 1) == 1);
	(void)BIO_get_mem_data(bio, &pem);
	again = pem_certificates("tls.ca", pem, &err);
	FUZZ_CHECK(again != NULL && sk_X509_num(again) == n);
	for (int i = 0; i < n; i++)
		FUZZ_CHECK(X509_cmp(sk_X509_value(again, i),
			       sk_X509_value(certs, i)) == 0);
	pem_certificates_free(again);
	pem_certificates_free(certs);
	BIO_free(bio);
	ERR_clear_error();
}

static void
as_key(const char *text)
{
	struct err err = ERR_INIT;
	EVP_PKEY *key = pem_key("tls.key", text, &err), *again;
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;

	if (key == NULL) {
		check_silence(&err);
	} else if (PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
		       NULL) == 1) {
		FUZZ_CHECK(BIO_write(bio, "", 1) == 1);
		(void)BIO_get_mem_data(bio, &pem);
		again = pem_key("tls.key", pem, &err);
		FUZZ_CHECK(again != NULL && EVP_PKEY_eq(key, again) == 1);
		EVP_PKEY_free(again);
	}
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
}

/* The agent's own key: whoever has the vkey can check what it signs. */
static void
as_signer(const char *text)
{
	struct signature signature;
	struct buf vkey = BUF_INIT(1000);
	struct err err = ERR_INIT;
	struct verifier v, p;
	struct signer *s = signer_open("fra1", text, &err);

	if (s == NULL) {
		check_silence(&err);
		return;
	}
	FUZZ_CHECK(signer_vkey(s, &vkey, &err) == 0);
	FUZZ_CHECK(verifier_parse(vkey.data, &v, &err) == 0);
	FUZZ_CHECK(signer_sign(s, text, strlen(text), &signature, &err) == 0);
	FUZZ_CHECK(verifier_check(&v, signature.data, signature.len, text,
	    strlen(text)));
	signature.data[signature.len - 1] ^= 1;
	FUZZ_CHECK(!verifier_check(&v, signature.data, signature.len, text,
	    strlen(text)));
	FUZZ_CHECK(strlen(signer_rotations(s)) <= KEY_ROTATIONS_MAX);
	if (verifier_parse(text, &p, &err) == 0)
		FUZZ_CHECK(public_same(&p.key, &v.key));
	signer_free(s);
	buf_release(&vkey);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	in_file(data, size);
	as_setting(text);
	if (strstr(text, begin_pem) != NULL) {
		as_certificates(text);
		as_key(text);
		if (!signer_is_elsewhere(text))
			as_signer(text);
	}
	free(text);
	return 0;
}
