/*
 * tls.c - contexts for TLS connections: what is trusted, who we are.
 */
#include "outputs/syslog/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "outputs/syslog/syslog.h"
#include "outputs/syslog/tls_check.h"

/* RFC 9662 section 4: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is the preferred
 * one of TLS 1.2.  The CBC suite that it lists for old peers is not offered.
 */
#define SUITES_12                        \
	"ECDHE-RSA-AES128-GCM-SHA256:"   \
	"ECDHE-ECDSA-AES128-GCM-SHA256:" \
	"ECDHE-RSA-AES256-GCM-SHA384:"   \
	"ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305"
#define SUITES_13                                        \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"

/* Most certificates in one file: a system's bundle has some 150. */
#define CERTIFICATES_MOST 1000

/* The text of OpenSSL's first queued error; clears the queue. */
static const char *
reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text = ERR_reason_error_string(code);

	ERR_clear_error();
	return text == NULL ? "unknown error" : text;
}

/* PEM bytes that a setting stands for. */
static BIO *
pem_open(const char *setting, const char *text, char **pem, struct err *err)
{
	*pem = secret_resolve_pem(text, err);
	if (*pem == NULL) {
		(void)err_prefix(err, "%s", setting);
		return NULL;
	}
	return BIO_new_mem_buf(*pem, -1);
}

/* Never ask a terminal. */
static int
no_password(char *out, int size, int writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static int
load_ca(SSL_CTX *ctx, const char *text, struct err *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	char *pem = NULL;
	BIO *bio = pem_open("tls.ca", text, &pem, err);
	X509 *cert;
	int n = 0;

	if (bio == NULL)
		return -1;
	while (n < CERTIFICATES_MOST) {
		cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
		if (cert == NULL)
			break;
		(void)X509_STORE_add_cert(store, cert);
		X509_free(cert);
		n++;
	}
	ERR_clear_error(); /* the end of the file is one */
	BIO_free(bio);
	secret_free(pem);
	if (n == 0)
		return err_set(err,
		    "tls.ca: no certificate in it; give a PEM "
		    "file of the authority's certificates");
	return 0;
}

static int
load_cert(SSL_CTX *ctx, const char *text, struct err *err)
{
	char *pem = NULL;
	BIO *bio = pem_open("tls.cert", text, &pem, err);
	X509 *cert;
	int rc = -1;

	if (bio == NULL)
		return -1;
	cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	if (cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1)
		rc = 0;
	X509_free(cert);
	for (int n = 0; rc == 0 && n < CERTIFICATES_MOST; n++) {
		cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
		if (cert == NULL)
			break;
		/* Takes cert where it succeeds. */
		if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			X509_free(cert);
			rc = -1;
		}
	}
	if (rc != 0)
		(void)err_set(err, "tls.cert: not a certificate (%s)",
		    reason());
	ERR_clear_error();
	BIO_free(bio);
	secret_free(pem);
	return rc;
}

static int
load_key(SSL_CTX *ctx, const char *text, struct err *err)
{
	char *pem = NULL;
	BIO *bio = pem_open("tls.key", text, &pem, err);
	EVP_PKEY *key;
	int rc = 0;

	if (bio == NULL)
		return -1;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (key == NULL)
		rc = err_set(err,
		    "tls.key: not a private key without password (%s)",
		    reason());
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		rc = err_set(err,
		    "tls.key: does not belong to tls.cert (%s); both must be "
		    "of one pair",
		    reason());
	EVP_PKEY_free(key);
	BIO_free(bio);
	secret_free(pem);
	return rc;
}

static int
load_fingerprints(struct tls *t, char *const *list, struct err *err)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	if (n == 0)
		return 0;
	t->fingerprint = xcalloc(n, sizeof(*t->fingerprint));
	for (; t->n_fingerprints < n; t->n_fingerprints++) {
		if (syslog_fingerprint(list[t->n_fingerprints],
			t->fingerprint[t->n_fingerprints]) != 0)
			return err_set(err,
			    "tls.fingerprint: \"%s\" is not one",
			    list[t->n_fingerprints]);
	}
	return 0;
}

static int
load(struct tls *t, const struct syslog_conf *conf, struct err *err)
{
	if (load_fingerprints(t, conf->tls.fingerprint, err) != 0)
		return -1;
	t->authority = conf->tls.ca != NULL || t->n_fingerprints == 0;
	if (conf->tls.ca != NULL && load_ca(t->ctx, conf->tls.ca, err) != 0)
		return -1;
	if (conf->tls.ca == NULL && t->authority &&
	    SSL_CTX_set_default_verify_paths(t->ctx) != 1)
		return err_set(err,
		    "tls.ca: unset, and the system's "
		    "certificates cannot be read (%s)",
		    reason());
	if (conf->tls.cert == NULL)
		return 0;
	if (load_cert(t->ctx, conf->tls.cert, err) != 0)
		return -1;
	return load_key(t->ctx, conf->tls.key, err);
}

static int
set_up(SSL_CTX *ctx, struct err *err)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, SUITES_12) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, SUITES_13) != 1)
		return err_set(err, "tls: OpenSSL refuses the suites (%s)",
		    reason());
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, tls_check, NULL);
	return 0;
}

struct tls *
tls_open(const struct syslog_conf *conf, const char *name, struct err *err)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->name = name;
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL) {
		(void)err_set(err, "tls: OpenSSL does not start (%s)",
		    reason());
	} else if (set_up(t->ctx, err) == 0 && load(t, conf, err) == 0) {
		return t;
	}
	tls_close(t);
	return NULL;
}

void
tls_close(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t->fingerprint);
	free(t);
}

/* Count the peer's KeyUpdates that ask for none, which answer ours
 * (RFC 8446 section 4.6.3). */
static void
see_message(int writing, int version, int type, const void *data, size_t len,
    SSL *ssl, void *ctx)
{
	const unsigned char *message = data;
	struct session *s = ctx;

	(void)version;
	(void)ssl;
	if (writing == 0 && type == SSL3_RT_HANDSHAKE && len == 5 &&
	    message[0] == SSL3_MT_KEY_UPDATE &&
	    message[4] == SSL_KEY_UPDATE_NOT_REQUESTED)
		s->answers++;
}

int
tls_begin(const struct tls *t, struct session *s, int fd, struct err *err)
{
	unsigned char address[16];
	char host[256]; /* OpenSSL's macro takes no const */
	bool numeric = inet_pton(AF_INET, t->name, address) == 1 ||
	    inet_pton(AF_INET6, t->name, address) == 1;

	(void)snprintf(host, sizeof(host), "%s", t->name);
	s->tls = t;
	s->answers = 0;
	s->ssl = SSL_new(t->ctx);
	if (s->ssl == NULL || SSL_set_fd(s->ssl, fd) != 1 ||
	    (!numeric && SSL_set_tlsext_host_name(s->ssl, host) != 1) ||
	    SSL_set_app_data(s->ssl, s) != 1)
		return err_set(err,
		    "tls: OpenSSL does not start a session "
		    "(%s)",
		    reason());
	SSL_set_msg_callback(s->ssl, see_message);
	SSL_set_msg_callback_arg(s->ssl, s);
	SSL_set_connect_state(s->ssl);
	return 0;
}
