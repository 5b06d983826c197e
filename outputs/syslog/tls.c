/*
 * tls.c - contexts for TLS connections: what is trusted, who we are.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/openssl.h"
#include "config/secret.h"
#include "http/pem.h"
#include "outputs/syslog/certificate.h"
#include "outputs/syslog/conf.h"
#include "outputs/syslog/tls.h"

struct tls {
	SSL_CTX *ctx;
	const char *name;
	uint8_t (*fingerprint)[32];
	size_t n_fingerprints;
	bool authority; /* check chain and name, not the fingerprint alone */
};

static void
explain_name(X509 *cert, const char *name, struct err *why)
{
	struct buf names = BUF_INIT(600);
	int full = certificate_names(cert, &names);

	(void)err_set(why,
	    "the receiver's certificate is for %s%s, not for %s; set tls.name "
	    "to a name that it has, or address to the right host",
	    names.len > 0 ? names.data : "other names",
	    full != 0 ? " and more" : "", name);
	buf_release(&names);
}

static void
explain_issuer(X509 *cert, const unsigned char *digest, struct err *why)
{
	char issuer[CERTIFICATE_NAME], print[CERTIFICATE_PRINT];

	certificate_name(X509_get_issuer_name(cert), issuer);
	certificate_print(digest, print);
	(void)err_set(why,
	    "the receiver's certificate is issued by %s, which is not in "
	    "tls.ca; add that authority's certificate there, or pin this one "
	    "with tls.fingerprint: [\"%s\"]",
	    issuer, print);
}

static void
explain_time(X509 *cert, bool early, struct err *why)
{
	char subject[CERTIFICATE_NAME], when[CLOCK_TEXT];

	certificate_name(X509_get_subject_name(cert), subject);
	certificate_time(early ? X509_get0_notBefore(cert)
			       : X509_get0_notAfter(cert),
	    when);
	if (early)
		(void)err_set(why,
		    "the receiver's certificate of %s is not valid before %s; "
		    "check the clocks of both machines",
		    subject, when);
	else
		(void)err_set(why,
		    "the receiver's certificate of %s expired at %s; renew it "
		    "there",
		    subject, when);
}

static void
explain_chain(X509_STORE_CTX *store, const struct tls *t,
    const unsigned char *digest, struct err *why)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	X509 *at = X509_STORE_CTX_get_current_cert(store);
	int code = X509_STORE_CTX_get_error(store);

	if (at == NULL)
		at = leaf;
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		explain_time(at, code == X509_V_ERR_CERT_NOT_YET_VALID, why);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		explain_name(leaf, t->name, why);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		explain_issuer(at, digest, why);
		break;
	default:
		(void)err_set(why,
		    "the receiver's certificate is not valid: %s",
		    X509_verify_cert_error_string(code));
	}
}

static bool
pinned(const struct tls *t, const unsigned char *digest)
{
	for (size_t i = 0; i < t->n_fingerprints; i++) {
		if (memcmp(t->fingerprint[i], digest, 32) == 0)
			return true;
	}
	return false;
}

static int
expect_name(X509_STORE_CTX *store, const char *name)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);

	/* A trusted authority need not be a root: administrators hand out
	 * intermediate ones, and receivers' self-signed certificates. */
	X509_STORE_CTX_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
		return 0;
	ERR_clear_error();
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 ? 0 : -1;
}

/* For SSL_CTX_set_cert_verify_callback(): fingerprint, chain and name, as
 * configured; sets the session's why. */
static int
tls_check(X509_STORE_CTX *store, void *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls_session *s = SSL_get_app_data(ssl);
	const struct tls *t = s->tls;
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	char print[CERTIFICATE_PRINT];

	(void)ctx;
	if (X509_digest(X509_STORE_CTX_get0_cert(store), EVP_sha256(), digest,
		NULL) != 1)
		return 0;
	if (t->n_fingerprints > 0 && !pinned(t, digest)) {
		certificate_print(digest, print);
		(void)err_set(s->why,
		    "the receiver's certificate has the fingerprint %s, which "
		    "tls.fingerprint does not list; add it if that is the "
		    "receiver's new certificate",
		    print);
		X509_STORE_CTX_set_error(store,
		    X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	if (!t->authority)
		return 1;
	if (expect_name(store, t->name) != 0)
		return 0;
	if (X509_verify_cert(store) == 1)
		return 1;
	explain_chain(store, t, digest, s->why);
	return 0;
}

/* What OpenSSL's reasons mean to an administrator. */
static const struct {
	int reason;
	const char *text;
} reasons[] = {
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
	    "the receiver requires a client certificate; set tls.cert and "
	    "tls.key" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA,
	    "the receiver does not know the authority that issued tls.cert; "
	    "make it trust that one, or use a certificate of its authority" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
	    "the receiver does not accept tls.cert; check what it requires of "
	    "clients" },
	{ SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
	    "the receiver does not accept this kind of tls.cert; check its "
	    "key usage" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
	    "the receiver says that tls.cert has expired; renew it" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
	    "the receiver says that tls.cert is revoked; use another one" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
	    "the receiver does not accept tls.cert; check what it requires of "
	    "clients" },
	{ SSL_R_TLSV1_ALERT_ACCESS_DENIED,
	    "the receiver denies access to tls.cert; allow it there" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
	    "the receiver ended the handshake: no common cipher suite, or it "
	    "requires a client certificate (tls.cert, tls.key)" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
	    "the receiver supports neither TLS 1.2 nor 1.3; update it" },
	{ SSL_R_UNSUPPORTED_PROTOCOL,
	    "the receiver supports neither TLS 1.2 nor 1.3; update it" },
	{ SSL_R_TLSV1_UNRECOGNIZED_NAME,
	    "the receiver does not recognise the host name; set tls.name" },
	{ SSL_R_WRONG_VERSION_NUMBER,
	    "the receiver does not speak TLS on this port; use its TLS port" },
};

bool
tls_explain(const struct tls_session *s, int rc, struct err *err)
{
	int saved = errno, kind = SSL_get_error(s->ssl, rc);
	unsigned long code = ERR_peek_error();
	const char *text = ERR_reason_error_string(code);

	ERR_clear_error();
	if (s->why->text[0] != '\0') {
		(void)err_set(err, "%s", s->why->text);
		return true;
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (kind == SSL_ERROR_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL &&
		    ERR_GET_REASON(code) == reasons[i].reason) {
			(void)err_set(err, "%s", reasons[i].text);
			return true;
		}
	}
	if (kind == SSL_ERROR_ZERO_RETURN)
		(void)err_set(err, "the receiver closed the connection");
	else if (kind == SSL_ERROR_SYSCALL && saved != 0)
		(void)err_set(err, "%s", strerror(saved));
	else if (kind == SSL_ERROR_SYSCALL ||
	    ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		(void)err_set(err,
		    "the receiver closed the connection without close_notify");
	else
		(void)err_set(err, "TLS failed: %s",
		    text == NULL ? "unknown error" : text);
	return false;
}

int
tls_describe(const struct tls_session *s, struct buf *out)
{
	X509 *cert = SSL_get1_peer_certificate(s->ssl);
	char subject[CERTIFICATE_NAME] = "?", until[CLOCK_TEXT] = "?";

	if (cert != NULL) {
		certificate_name(X509_get_subject_name(cert), subject);
		certificate_time(X509_get0_notAfter(cert), until);
	}
	X509_free(cert);
	return buf_addf(out, "%s with %s, certificate of %s valid until %s",
	    SSL_get_version(s->ssl), SSL_get_cipher_name(s->ssl), subject,
	    until);
}

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

static int
load_ca(SSL_CTX *ctx, const char *text, struct err *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	char *pem = secret_resolve_pem(text, err);
	STACK_OF(X509) *certs = NULL;
	int rc = -1;

	if (pem == NULL)
		return err_prefix(err, "tls.ca");
	certs = pem_certificates("tls.ca", pem, err);
	secret_free(pem);
	if (certs != NULL)
		rc = 0;
	for (int i = 0; rc == 0 && i < sk_X509_num(certs); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(certs, i)) != 1)
			rc = err_set(err,
			    "tls.ca: OpenSSL does not take certificate %d of "
			    "it (%s); take that out",
			    i + 1, openssl_reason());
	pem_certificates_free(certs);
	return rc;
}

static int
load_cert(SSL_CTX *ctx, const char *text, struct err *err)
{
	char *pem = secret_resolve_pem(text, err);
	STACK_OF(X509) *certs = NULL;
	int ok = 0;

	if (pem == NULL)
		return err_prefix(err, "tls.cert");
	certs = pem_certificates("tls.cert", pem, err);
	secret_free(pem);
	if (certs == NULL)
		return -1;
	ok = SSL_CTX_use_certificate(ctx, sk_X509_value(certs, 0));
	for (int i = 1; ok == 1 && i < sk_X509_num(certs); i++)
		ok = (int)SSL_CTX_add1_chain_cert(ctx, sk_X509_value(certs, i));
	pem_certificates_free(certs);
	if (ok == 1)
		return 0;
	return err_set(err,
	    "tls.cert: OpenSSL does not take the certificate (%s); use another "
	    "one",
	    openssl_reason());
}

static int
load_key(SSL_CTX *ctx, const char *text, struct err *err)
{
	char *pem = secret_resolve_pem(text, err);
	EVP_PKEY *key;
	int rc = 0;

	if (pem == NULL)
		return err_prefix(err, "tls.key");
	key = pem_key("tls.key", pem, err);
	secret_free(pem);
	if (key == NULL)
		return -1;
	if (SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		rc = err_set(err,
		    "tls.key: does not belong to tls.cert (%s); they must be a "
		    "pair",
		    openssl_reason());
	EVP_PKEY_free(key);
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
			    "tls.fingerprint: \"%s\" is not a SHA-256 "
			    "fingerprint",
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
		    openssl_reason());
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
		return err_set(err,
		    "tls: OpenSSL rejects the cipher suites (%s)",
		    openssl_reason());
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
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
		(void)err_set(err, "tls: OpenSSL cannot be initialised (%s)",
		    openssl_reason());
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
	struct tls_session *s = ctx;

	(void)version;
	(void)ssl;
	if (writing != 0 || type != SSL3_RT_HANDSHAKE || len != 5 ||
	    message[0] != SSL3_MT_KEY_UPDATE)
		return;
	if (message[4] == SSL_KEY_UPDATE_NOT_REQUESTED)
		s->answers++;
	else
		s->asked = true;
}

int
tls_begin(const struct tls *t, struct tls_session *s, int fd, struct err *err)
{
	unsigned char address[16];
	char host[256]; /* OpenSSL's macro takes no const */
	bool numeric = inet_pton(AF_INET, t->name, address) == 1 ||
	    inet_pton(AF_INET6, t->name, address) == 1;

	(void)snprintf(host, sizeof(host), "%s", t->name);
	s->tls = t;
	s->answers = 0;
	s->asked = false;
	s->ssl = SSL_new(t->ctx);
	if (s->ssl == NULL || SSL_set_fd(s->ssl, fd) != 1 ||
	    (!numeric && SSL_set_tlsext_host_name(s->ssl, host) != 1) ||
	    SSL_set_app_data(s->ssl, s) != 1)
		return err_set(err, "tls: OpenSSL cannot create a session (%s)",
		    openssl_reason());
	SSL_set_msg_callback(s->ssl, see_message);
	SSL_set_msg_callback_arg(s->ssl, s);
	SSL_set_connect_state(s->ssl);
	return 0;
}
