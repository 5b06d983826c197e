/*
 * tls_peer.c - a syslog receiver over TLS.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/tls_peer.h"

#define READ_MAX (1 << 20)

struct tls_peer {
	struct tls_peer_spec spec;
	int fd;
	int stop[2]; /* closing [1] ends the thread */
	SSL_CTX *ctx;
	char address[32];
	char *pem;
	char *key;
	char fingerprint[104];
	pthread_t thread;
	pthread_mutex_t lock;
	char *text; /* what was read */
	size_t len;
};

static void
must(int ok, const char *what)
{
	if (ok == 1)
		return;
	(void)fprintf(stderr, "tls_peer: %s\n", what);
	abort();
}

static char *
bio_text(BIO *bio)
{
	char *data, *copy;
	long len = BIO_get_mem_data(bio, &data);

	copy = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return copy;
}

static void
extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, "extension");
	X509_EXTENSION_free(ext);
}

static X509 *
make_certificate(EVP_PKEY *key, const struct tls_peer_spec *spec)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	must(X509_set_version(cert, X509_VERSION_3), "version");
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), "serial");
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		 (const unsigned char *)"unit peer", -1, -1, 0),
	    "name");
	must(X509_set_issuer_name(cert, name), "issuer");
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert),
	    spec->expired ? -3600 : 86400);
	must(X509_set_pubkey(cert, key), "key");
	extend(cert, NID_subject_alt_name,
	    spec->names != NULL ? spec->names : "DNS:localhost,IP:127.0.0.1");
	must(X509_sign(cert, key, EVP_sha256()) > 0, "signature");
	return cert;
}

static void
tell_certificate(struct tls_peer *p, X509 *cert, EVP_PKEY *key)
{
	unsigned char digest[32];
	BIO *bio = BIO_new(BIO_s_mem());
	int n = snprintf(p->fingerprint, sizeof(p->fingerprint), "sha-256");

	must(X509_digest(cert, EVP_sha256(), digest, NULL), "digest");
	for (size_t i = 0; i < sizeof(digest); i++)
		n += snprintf(p->fingerprint + n,
		    sizeof(p->fingerprint) - (size_t)n, ":%02X", digest[i]);
	must(PEM_write_bio_X509(bio, cert), "PEM");
	p->pem = bio_text(bio);
	bio = BIO_new(BIO_s_mem());
	must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
	    "PEM");
	p->key = bio_text(bio);
}

static int
accept_any(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

static void
make_context(struct tls_peer *p)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key, &p->spec);

	p->ctx = SSL_CTX_new(TLS_server_method());
	must(SSL_CTX_use_certificate(p->ctx, cert), "certificate");
	must(SSL_CTX_use_PrivateKey(p->ctx, key), "key");
	must(SSL_CTX_set_min_proto_version(p->ctx, p->spec.version) == 1,
	    "min");
	must(SSL_CTX_set_max_proto_version(p->ctx, p->spec.version) == 1,
	    "max");
	if (p->spec.client)
		SSL_CTX_set_verify(p->ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
		    accept_any);
	tell_certificate(p, cert, key);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Wait until fd is readable; false: the peer is to stop. */
static bool
readable(struct tls_peer *p, int fd)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = p->stop[0], .events = POLLIN } };

	return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

static void
take(struct tls_peer *p, const char *data, size_t len)
{
	must(pthread_mutex_lock(&p->lock) == 0, "lock");
	if (len > READ_MAX - p->len)
		len = READ_MAX - p->len;
	memcpy(p->text + p->len, data, len);
	p->len += len;
	must(pthread_mutex_unlock(&p->lock) == 0, "unlock");
}

static void
serve_tls(struct tls_peer *p, int fd)
{
	SSL *ssl = SSL_new(p->ctx);
	char data[16384];
	int n = 1;

	must(SSL_set_fd(ssl, fd), "descriptor");
	if (SSL_accept(ssl) == 1 && p->spec.deaf-- > 0) {
		/* Unread bytes make this a reset. */
		(void)readable(p, fd);
		n = 0;
	}
	while (n > 0 && SSL_is_init_finished(ssl)) {
		if (SSL_pending(ssl) == 0 && !readable(p, fd))
			break;
		n = SSL_read(ssl, data, sizeof(data));
		if (n > 0)
			take(p, data, (size_t)n);
	}
	if (n == 0 && SSL_get_shutdown(ssl) != 0)
		(void)SSL_shutdown(ssl);
	SSL_free(ssl);
}

static void
serve_plain(struct tls_peer *p, int fd)
{
	char data[16384];
	ssize_t n;

	while (readable(p, fd) && (n = read(fd, data, sizeof(data))) > 0)
		take(p, data, (size_t)n);
}

static void *
serve(void *ctx)
{
	struct tls_peer *p = ctx;
	int fd;

	while (readable(p, p->fd)) {
		fd = accept(p->fd, NULL, NULL);
		if (fd < 0)
			continue;
		if (p->spec.plain)
			serve_plain(p, fd);
		else
			serve_tls(p, fd);
		(void)close(fd);
	}
	return NULL;
}

struct tls_peer *
tls_peer_start(const struct tls_peer_spec *spec)
{
	struct tls_peer *p = xcalloc(1, sizeof(*p));
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	(void)signal(SIGPIPE, SIG_IGN);
	p->spec = *spec;
	make_context(p);
	p->text = xcalloc(1, READ_MAX + 1);
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	must(p->fd >= 0 && bind(p->fd, (struct sockaddr *)&a, len) == 0 &&
		listen(p->fd, 8) == 0 &&
		getsockname(p->fd, (struct sockaddr *)&a, &len) == 0 &&
		pipe(p->stop) == 0 && pthread_mutex_init(&p->lock, NULL) == 0,
	    "listen");
	(void)snprintf(p->address, sizeof(p->address), "127.0.0.1:%d",
	    ntohs(a.sin_port));
	must(pthread_create(&p->thread, NULL, serve, p) == 0, "thread");
	return p;
}

void
tls_peer_stop(struct tls_peer *p)
{
	(void)close(p->stop[1]);
	must(pthread_join(p->thread, NULL) == 0, "join");
	(void)close(p->stop[0]);
	(void)close(p->fd);
	(void)pthread_mutex_destroy(&p->lock);
	SSL_CTX_free(p->ctx);
	free(p->pem);
	free(p->key);
	free(p->text);
	free(p);
}

const char *
tls_peer_address(const struct tls_peer *p)
{
	return p->address;
}

const char *
tls_peer_pem(const struct tls_peer *p)
{
	return p->pem;
}

const char *
tls_peer_key(const struct tls_peer *p)
{
	return p->key;
}

const char *
tls_peer_fingerprint(const struct tls_peer *p)
{
	return p->fingerprint;
}

bool
tls_peer_has(struct tls_peer *p, const char *text)
{
	bool found;

	must(pthread_mutex_lock(&p->lock) == 0, "lock");
	p->text[p->len] = '\0';
	found = strstr(p->text, text) != NULL;
	must(pthread_mutex_unlock(&p->lock) == 0, "unlock");
	return found;
}
