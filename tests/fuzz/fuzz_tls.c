/*
 * fuzz_tls.c - the sending side of TLS against what a peer may do, over memory
 * in the place of a socket.  An input is orders: the first byte says for whom.
 *
 *   0x00-0x7f  a peer that keeps to the protocol, an order a byte: it reads,
 *              talks, updates its keys, is asked, gets bytes in any pieces, and
 *              has a bit of them changed on the way
 *   0x80-0xff  the rest is what the peer says from the first byte on
 *
 * What is counted as an answer is a KeyUpdate that asks for none; what is
 * called proven, the peer has read, and nothing more is once it sent a
 * KeyUpdate that is no answer; and there is a readable reason for every
 * failure.
 */
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
#include "outputs/syslog/conf.h"
#include "outputs/syslog/confirm.h"
#include "outputs/syslog/tls.h"
#include "tests/fuzz/fuzz.h"

#define HOST "siem.example.com"
#define CHUNK 100
#define STEPS 200

static struct tls *client;
static SSL_CTX *server;

/* A self-signed certificate of the peer, which the client is told to trust. */
static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" HOST);

	FUZZ_CHECK(key != NULL && ext != NULL &&
	    X509_set_version(cert, X509_VERSION_3) == 1 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"peer", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, name) == 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 10 * 86400);
	FUZZ_CHECK(X509_set_pubkey(cert, key) == 1 &&
	    X509_add_ext(cert, ext, -1) == 1 &&
	    X509_sign(cert, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(ext);
	return cert;
}

static void
begin(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key);
	BIO *bio = BIO_new(BIO_s_mem());
	struct syslog_conf conf = { .transport = SYSLOG_TLS };
	struct err err = ERR_INIT;

	FUZZ_CHECK(PEM_write_bio_X509(bio, cert) == 1 &&
	    BIO_write(bio, "", 1) == 1);
	(void)BIO_get_mem_data(bio, &conf.tls.ca);
	client = tls_open(&conf, HOST, &err);
	FUZZ_CHECK(client != NULL);
	server = SSL_CTX_new(TLS_server_method());
	FUZZ_CHECK(server != NULL &&
	    SSL_CTX_use_certificate(server, cert) == 1 &&
	    SSL_CTX_use_PrivateKey(server, key) == 1);
	(void)SSL_CTX_set_num_tickets(server, 0);
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Two ends, and what lies between them. */
struct pair {
	struct tls_session ours;
	struct err cert;
	SSL *theirs;
	struct confirm confirm;
	int64_t now;
	uint64_t written; /* bytes of chunks by us */
	uint64_t read;    /* by the peer's application */
	uint64_t updates; /* of the peer that ask for none */
	bool honest;      /* it sends none of its own accord */
	bool broken;
	bool altered;
};

/* The peer's KeyUpdates as it writes them. */
static void
see(int writing, int version, int type, const void *data, size_t len, SSL *ssl,
    void *ctx)
{
	const uint8_t *message = data;
	struct pair *p = ctx;

	(void)version;
	(void)ssl;
	if (writing == 1 && type == SSL3_RT_HANDSHAKE && len == 5 &&
	    message[0] == SSL3_MT_KEY_UPDATE && message[4] == 0)
		p->updates++;
}

static void
open_pair(struct pair *p)
{
	struct err err = ERR_INIT;

	*p = (struct pair){ .honest = true, .now = CLOCK_DAY };
	p->ours.why = &p->cert;
	FUZZ_CHECK(tls_begin(client, &p->ours, 0, &err) == 0);
	SSL_set_bio(p->ours.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	(void)BIO_set_mem_eof_return(SSL_get_rbio(p->ours.ssl), -1);
	p->theirs = SSL_new(server);
	SSL_set_bio(p->theirs, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(p->theirs);
	SSL_set_msg_callback(p->theirs, see);
	SSL_set_msg_callback_arg(p->theirs, p);
}

static void
close_pair(struct pair *p)
{
	SSL_free(p->ours.ssl);
	SSL_free(p->theirs);
	ERR_clear_error();
}

/* Carry at most so many bytes over; alter: change a bit of the first. */
static void
carry(struct pair *p, SSL *from, SSL *to, size_t most, bool alter)
{
	uint8_t data[4096];
	int n = BIO_read(SSL_get_wbio(from), data,
	    (int)(most < sizeof(data) ? most : sizeof(data)));

	if (n <= 0)
		return;
	if (alter) {
		data[0] ^= 0x10;
		p->altered = true;
	}
	FUZZ_CHECK(BIO_write(SSL_get_rbio(to), data, n) == n);
}

/* The operation of ours that returned rc: waits, or has failed for a reason
 * that can be read. */
static void
look(struct pair *p, int rc)
{
	const int kind = SSL_get_error(p->ours.ssl, rc);
	struct buf clean = BUF_INIT(4096);
	struct err err = ERR_INIT;

	if (rc > 0 || kind == SSL_ERROR_WANT_READ ||
	    kind == SSL_ERROR_WANT_WRITE)
		return;
	(void)tls_explain(&p->ours, rc, &err);
	FUZZ_CHECK(err.text[0] != '\0');
	FUZZ_CHECK(text_printable(&clean, err.text, strlen(err.text)) == 0);
	FUZZ_CHECK(strcmp(clean.data, err.text) == 0);
	buf_release(&clean);
	p->broken = true;
}

static void
our_read(struct pair *p)
{
	const bool proves = p->confirm.mode != CONFIRM_VOID;
	uint64_t before = p->ours.answers, proven = p->confirm.proven;
	char data[4096];
	int rc;

	ERR_clear_error();
	rc = SSL_read(p->ours.ssl, data, sizeof(data));
	look(p, rc);
	if (p->ours.asked)
		confirm_void(&p->confirm);
	for (; before < p->ours.answers; before++)
		confirm_answer(&p->confirm, p->now);
	FUZZ_CHECK(proves || p->confirm.proven == proven);
	FUZZ_CHECK(p->ours.answers <= p->updates);
	/* What the peer has proven, its application has read. */
	if (p->honest)
		FUZZ_CHECK(p->confirm.proven * CHUNK <= p->read);
	FUZZ_CHECK(p->confirm.proven <= p->confirm.written);
}

static void
our_write(struct pair *p)
{
	static const char chunk[CHUNK];
	int rc;

	ERR_clear_error();
	rc = SSL_write(p->ours.ssl, chunk, CHUNK);
	look(p, rc);
	if (rc <= 0)
		return;
	FUZZ_CHECK(rc == CHUNK);
	p->written += CHUNK;
	confirm_wrote(&p->confirm, 1);
}

static void
our_ask(struct pair *p)
{
	int64_t wait = INT64_MAX;
	int rc;

	if (!confirm_wants(&p->confirm, true, p->now, &wait))
		return;
	ERR_clear_error();
	if (SSL_key_update(p->ours.ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
		return;
	rc = SSL_do_handshake(p->ours.ssl);
	look(p, rc);
	if (rc == 1)
		confirm_asked(&p->confirm, p->now);
}

static void
their_read(struct pair *p, int most)
{
	char data[1024];
	int rc = SSL_read(p->theirs, data, most);

	if (rc > 0)
		p->read += (uint64_t)rc;
	ERR_clear_error();
}

/* One order, with a number of its own. */
static void
order(struct pair *p, uint8_t what, uint8_t n)
{
	switch (what % 12) {
	case 0:
	case 1:
		our_write(p);
		break;
	case 2:
		our_ask(p);
		break;
	case 3:
		our_read(p);
		break;
	case 4:
	case 5:
		carry(p, p->ours.ssl, p->theirs, 1 + (size_t)n * n, false);
		break;
	case 6:
		carry(p, p->theirs, p->ours.ssl, 1 + (size_t)n * n, false);
		break;
	case 7:
		their_read(p, 1 + n);
		break;
	case 8:
		(void)SSL_write(p->theirs, "hello", 5);
		break;
	case 9:
		p->now += (int64_t)n * CLOCK_SECOND / 10;
		break;
	case 10:
		if (n < 8) {
			p->honest = p->honest && n % 2 == 1;
			(void)SSL_key_update(p->theirs,
			    n % 2 == 0 ? SSL_KEY_UPDATE_NOT_REQUESTED
				       : SSL_KEY_UPDATE_REQUESTED);
			(void)SSL_do_handshake(p->theirs);
		} else {
			carry(p, p->theirs, p->ours.ssl, n, n < 12);
		}
		break;
	default:
		if (n == 0)
			(void)SSL_shutdown(p->theirs);
		else
			their_read(p, CHUNK);
		break;
	}
	ERR_clear_error();
}

/* Shake hands; every byte arrives. */
static bool
shake(struct pair *p)
{
	int ours = 0, theirs = 0;

	for (int i = 0; i < 10 && (ours != 1 || theirs != 1); i++) {
		ours = SSL_connect(p->ours.ssl);
		look(p, ours);
		carry(p, p->ours.ssl, p->theirs, SIZE_MAX, false);
		theirs = SSL_accept(p->theirs);
		carry(p, p->theirs, p->ours.ssl, SIZE_MAX, false);
		ERR_clear_error();
	}
	return ours == 1 && theirs == 1;
}

static void
play(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(1000);
	struct pair p;

	open_pair(&p);
	FUZZ_CHECK(shake(&p));
	FUZZ_CHECK(tls_describe(&p.ours, &text) == 0);
	FUZZ_CHECK(strstr(text.data, "TLSv1.3 with TLS_") == text.data);
	FUZZ_CHECK(strstr(text.data, "certificate of CN = peer") != NULL);
	FUZZ_CHECK(p.ours.answers == 0);
	confirm_begin(&p.confirm, true, true);
	for (size_t i = 0; i + 1 < size && i < STEPS && !p.broken; i += 2)
		order(&p, data[i], data[i + 1]);
	/* What is altered on the way is never taken for anything. */
	if (p.altered && !p.broken) {
		for (int i = 0; i < 64 && !p.broken; i++) {
			carry(&p, p.theirs, p.ours.ssl, SIZE_MAX, false);
			our_read(&p);
		}
	}
	buf_release(&text);
	close_pair(&p);
}

/* Whatever the peer says, from the first byte on. */
static void
listen_to(const uint8_t *data, size_t size)
{
	struct pair p;

	open_pair(&p);
	look(&p, SSL_connect(p.ours.ssl));
	FUZZ_CHECK(!p.broken);
	FUZZ_CHECK(size == 0 ||
	    BIO_write(SSL_get_rbio(p.ours.ssl), data, (int)size) == (int)size);
	for (int i = 0; i < 8 && !p.broken; i++) {
		ERR_clear_error();
		look(&p, SSL_connect(p.ours.ssl));
		/* Without the key of the certificate nobody gets so far. */
		FUZZ_CHECK(!SSL_is_init_finished(p.ours.ssl));
	}
	FUZZ_CHECK(p.ours.answers == 0);
	close_pair(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (client == NULL)
		begin();
	if (size > 0 && data[0] < 0x80)
		play(data + 1, size - 1);
	else if (size > 0)
		listen_to(data + 1, size - 1);
	return 0;
}
