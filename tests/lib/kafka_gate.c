/*
 * kafka_gate.c - TLS and SASL in front of a mock broker of Kafka.
 */
#include "tests/lib/kafka_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define FRAME_MAX (4 << 20)
#define SALT "gate-salt"
#define ROUNDS 4096

enum {
	PRODUCE = 0,
	API_VERSIONS = 18,
	SASL_HANDSHAKE = 17,
	SASL_AUTHENTICATE = 36
};
enum {
	NONE = 0,
	BAD_MECHANISM = 33,
	BAD_STATE = 34,
	BAD_VERSION = 35,
	BAD_LOGIN = 58
};

struct kafka_gate {
	struct kafka_gate_spec spec;
	SSL_CTX *tls;
	int fd;
	int stop[2]; /* closing [1] ends all threads */
	unsigned short port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned busy; /* connections */
};

/* One client. */
struct client {
	struct kafka_gate *gate;
	int fd, behind;
	SSL *ssl;
	size_t asked; /* requests passed on whose answer is to come */
	/* Of SCRAM: both first messages as the proof is about them. */
	char first[512], challenge[512];
	bool chosen, known; /* the mechanism; the user */
};

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "kafka_gate: %s\n", what);
	abort();
}

/*
 * Bytes.
 */

/* Is there something to read?  false: the end. */
static bool
readable(const struct client *c, int a, int b)
{
	struct pollfd fds[3] = { { .fd = c->gate->stop[0], .events = POLLIN },
		{ .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };

	if (c->ssl != NULL && SSL_pending(c->ssl) > 0)
		return true;
	return poll(fds, 3, -1) > 0 && fds[0].revents == 0;
}

static ssize_t
client_read(struct client *c, void *to, size_t len)
{
	return c->ssl != NULL ? SSL_read(c->ssl, to, (int)len)
			      : read(c->fd, to, len);
}

static bool
client_write(struct client *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, data, (int)len)
					   : write(c->fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
behind_write(const struct client *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(c->behind, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static uint32_t
number(const char *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

static void
put(struct buf *b, uint32_t v, size_t n)
{
	char bytes[4];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(v >> 8 * (n - 1 - i));
	must(buf_add(b, bytes, n) == 0, "answer too long");
}

/* Exactly one frame without its length, from the client or from behind. */
static bool
read_frame(struct client *c, bool behind, struct buf *frame)
{
	char head[4];
	size_t have = 0, want = 4;

	buf_clear(frame);
	while (have < want) {
		char *to =
		    have < 4 ? head + have : buf_room(frame, want - have);
		size_t len = (have < 4 ? 4 : want) - have;
		ssize_t n;

		if (to == NULL ||
		    !readable(c, behind ? -1 : c->fd, behind ? c->behind : -1))
			return false;
		n = behind ? read(c->behind, to, len) : client_read(c, to, len);
		if (n <= 0)
			return false;
		if (have >= 4)
			frame->len += (size_t)n;
		have += (size_t)n;
		if (have == 4)
			want = 4 + number(head, 4);
		if (want > FRAME_MAX)
			return false;
	}
	return true;
}

static bool
send_frame(struct client *c, bool behind, const struct buf *frame)
{
	struct buf all = BUF_INIT(FRAME_MAX + 4);
	bool ok;

	put(&all, (uint32_t)frame->len, 4);
	must(buf_add(&all, frame->data, frame->len) == 0, "frame too long");
	ok = behind ? behind_write(c, all.data, all.len)
		    : client_write(c, all.data, all.len);
	buf_release(&all);
	return ok;
}

/*
 * SASL.
 */

static const EVP_MD *
digest_of(const struct client *c)
{
	return strcmp(c->gate->spec.mechanism, "SCRAM-SHA-256") == 0
	    ? EVP_sha256()
	    : EVP_sha512();
}

static void
mac(const EVP_MD *md, const unsigned char *key, const char *text, size_t len,
    unsigned char *out)
{
	must(HMAC(md, key, EVP_MD_get_size(md), (const unsigned char *)text,
		 len, out, NULL) != NULL,
	    "HMAC");
}

/* The value of an attribute of a SCRAM message, "r=…"; NULL: absent. */
static const char *
attribute(const char *message, char name, size_t *len)
{
	for (const char *s = message; s != NULL && *s != '\0';
	     s = strchr(s, ',') == NULL ? NULL : strchr(s, ',') + 1) {
		if (s[0] != name || s[1] != '=')
			continue;
		*len = strcspn(s + 2, ",");
		return s + 2;
	}
	return NULL;
}

/* A name without "," and "=" (RFC 5802 section 5.1); the caller frees it. */
static char *
saslname(const char *name)
{
	struct buf b = BUF_INIT(512);

	must(buf_adds(&b, "") == 0, "name");
	for (; *name != '\0'; name++)
		must((*name == ','          ? buf_adds(&b, "=2C")
			     : *name == '=' ? buf_adds(&b, "=3D")
					    : buf_add(&b, name, 1)) == 0,
		    "name");
	return buf_take(&b, NULL);
}

/* The client's first message: answer with nonce, salt and rounds. */
static bool
challenge(struct client *c, const char *message, struct buf *out)
{
	struct buf salt = BUF_INIT(64);
	unsigned char more[9];
	char hex[2 * sizeof(more) + 1];
	const char *bare, *user, *nonce;
	size_t user_len, nonce_len;
	char *want;

	if (strncmp(message, "n,,", 3) != 0)
		return false;
	bare = message + 3;
	user = attribute(bare, 'n', &user_len);
	nonce = attribute(bare, 'r', &nonce_len);
	if (user == NULL || nonce == NULL || strlen(bare) >= sizeof(c->first))
		return false;
	want = saslname(c->gate->spec.user);
	c->known =
	    strlen(want) == user_len && memcmp(user, want, user_len) == 0;
	free(want);
	(void)strcpy(c->first, bare);
	must(RAND_bytes(more, sizeof(more)) == 1, "random");
	text_hex(hex, more, sizeof(more));
	must(text_base64(&salt, SALT, strlen(SALT)) == 0, "salt");
	(void)snprintf(c->challenge, sizeof(c->challenge), "r=%.*s%s,s=%s,i=%d",
	    (int)nonce_len, nonce, hex, salt.data, ROUNDS);
	buf_release(&salt);
	must(buf_adds(out, c->challenge) == 0, "challenge");
	return true;
}

/* RFC 5802 section 3. */
static bool
prove(struct client *c, const char *message, struct buf *out)
{
	const char *password = c->gate->spec.password;
	const EVP_MD *md = digest_of(c);
	const int size = EVP_MD_get_size(md);
	unsigned char salted[64], key[64], stored[64], sign[64], back[64];
	struct buf text = BUF_INIT(4096), proof = BUF_INIT(256);
	size_t len, nonce_len, ours_len;
	const char *p = attribute(message, 'p', &len);
	const char *nonce = attribute(message, 'r', &nonce_len);
	const char *ours = attribute(c->challenge, 'r', &ours_len);
	bool good;

	/* As Apache Kafka has it: librdkafka before 2.8 repeats its own. */
	if (p == NULL || nonce == NULL || nonce_len < ours_len ||
	    memcmp(nonce + nonce_len - ours_len, ours, ours_len) != 0)
		return false;
	must(PKCS5_PBKDF2_HMAC(password, (int)strlen(password),
		 (const unsigned char *)SALT, strlen(SALT), ROUNDS, md, size,
		 salted) == 1,
	    "PBKDF2");
	mac(md, salted, "Client Key", 10, key);
	must(EVP_Digest(key, (size_t)size, stored, NULL, md, NULL) == 1,
	    "hash");
	must(buf_addf(&text, "%s,%s,%.*s", c->first, c->challenge,
		 (int)(p - 3 - message), message) == 0,
	    "text");
	mac(md, stored, text.data, text.len, sign);
	for (int i = 0; i < size; i++)
		key[i] ^= sign[i];
	good = c->known && text_unbase64(&proof, p, len) == 0 &&
	    proof.len == (size_t)size &&
	    memcmp(proof.data, key, (size_t)size) == 0;
	mac(md, salted, "Server Key", 10, back);
	memcpy(key, back, (size_t)size);
	mac(md, key, text.data, text.len, back);
	must(buf_adds(out, "v=") == 0 &&
		text_base64(out, back, (size_t)size) == 0,
	    "signature");
	buf_release(&text);
	buf_release(&proof);
	return good;
}

/* One message of the login; done: it was the last. */
static bool
log_in(struct client *c, const char *message, size_t len, struct buf *out,
    bool *done)
{
	const struct kafka_gate_spec *spec = &c->gate->spec;
	char *want, *text = xstrndup(message, len);
	bool good;

	if (strcmp(spec->mechanism, "PLAIN") == 0) {
		want = xasprintf("%c%s%c%s", 1, spec->user, 1, spec->password);
		for (size_t i = 0; want[i] != '\0'; i++)
			want[i] = (char)(want[i] == 1 ? 0 : want[i]);
		good = len == 2 + strlen(spec->user) + strlen(spec->password) &&
		    memcmp(message, want, len) == 0;
		free(want);
		*done = true;
	} else if (c->first[0] == '\0') {
		good = challenge(c, text, out);
	} else {
		good = prove(c, text, out);
		*done = true;
	}
	free(text);
	return good;
}

/*
 * Requests in front of the broker: API key, version, correlation id, client's
 * name; then what the request has.
 */

/* The broker's own list, and the two of SASL. */
static bool
answer_versions(struct client *c, uint32_t version, const char *id)
{
	struct buf b = BUF_INIT(FRAME_MAX), ask = BUF_INIT(64);
	bool ok = true;

	put(&b, number(id, 4), 4);
	if (version > 0) {
		put(&b, BAD_VERSION, 2);
		put(&b, 1, 4);
		put(&b, API_VERSIONS, 2);
		put(&b, 0, 4);
	} else {
		put(&ask, API_VERSIONS, 2);
		put(&ask, 0, 2);
		put(&ask, number(id, 4), 4);
		put(&ask, 0xffff, 2);
		ok = send_frame(c, true, &ask) && read_frame(c, true, &b) &&
		    b.len >= 10;
	}
	if (ok && version == 0) {
		uint32_t n = number(b.data + 6, 4) + 2;

		for (int i = 0; i < 4; i++)
			b.data[6 + i] = (char)(n >> 8 * (3 - i));
		put(&b, SASL_HANDSHAKE, 2);
		put(&b, 1, 4);
		put(&b, SASL_AUTHENTICATE, 2);
		put(&b, 0, 4);
	}
	ok = ok && send_frame(c, false, &b);
	buf_release(&b);
	buf_release(&ask);
	return ok;
}

static bool
answer_handshake(struct client *c, const char *id, const char *s, size_t len)
{
	const char *mechanism = c->gate->spec.mechanism;
	size_t n = strlen(mechanism);
	struct buf b = BUF_INIT(256);
	bool ok;

	c->chosen = len >= 2 + n && number(s, 2) == n &&
	    memcmp(s + 2, mechanism, n) == 0;
	put(&b, number(id, 4), 4);
	put(&b, c->chosen ? NONE : BAD_MECHANISM, 2);
	put(&b, 1, 4);
	put(&b, (uint32_t)n, 2);
	must(buf_adds(&b, mechanism) == 0, "answer");
	ok = send_frame(c, false, &b) && c->chosen;
	buf_release(&b);
	return ok;
}

/* done: whoever it is may go on. */
static bool
answer_login(struct client *c, const char *id, const char *s, size_t len,
    bool *done)
{
	static const char wrong[] =
	    "Authentication failed: invalid credentials";
	struct buf b = BUF_INIT(1024), out = BUF_INIT(512);
	bool good = c->chosen && len >= 4 && number(s, 4) <= len - 4 &&
	    log_in(c, s + 4, number(s, 4), &out, done);
	bool ok;

	put(&b, number(id, 4), 4);
	put(&b, good ? NONE : c->chosen ? BAD_LOGIN : BAD_STATE, 2);
	put(&b, good ? 0xffff : (uint32_t)strlen(wrong), 2);
	must(good || buf_adds(&b, wrong) == 0, "answer");
	put(&b, (uint32_t)out.len, 4);
	must(out.len == 0 || buf_add(&b, out.data, out.len) == 0, "answer");
	ok = send_frame(c, false, &b) && good;
	buf_release(&b);
	buf_release(&out);
	return ok;
}

/* false: this client is done with. */
static bool
let_in(struct client *c)
{
	struct buf f = BUF_INIT(FRAME_MAX);
	bool ok = true, done = c->gate->spec.mechanism == NULL;

	while (ok && !done) {
		size_t name;
		uint32_t api;

		ok = read_frame(c, false, &f) && f.len >= 10;
		if (!ok)
			break;
		api = number(f.data, 2);
		name =
		    number(f.data + 8, 2) == 0xffff ? 0 : number(f.data + 8, 2);
		ok = f.len >= 10 + name;
		if (ok && api == API_VERSIONS)
			ok = answer_versions(c, number(f.data + 2, 2),
			    f.data + 4);
		else if (ok && api == SASL_HANDSHAKE)
			ok = answer_handshake(c, f.data + 4, f.data + 10 + name,
			    f.len - 10 - name);
		else if (ok && api == SASL_AUTHENTICATE)
			ok = answer_login(c, f.data + 4, f.data + 10 + name,
			    f.len - 10 - name, &done);
		else
			ok = false; /* brokers close where nobody logged in */
	}
	buf_release(&f);
	return ok;
}

/*
 * Behind it.
 */

/* The broker's address in an answer becomes the gate's. */
static void
rewrite(const struct client *c, struct buf *b)
{
	static const char host[] = "127.0.0.1";
	const struct kafka_gate *g = c->gate;
	char *at = b->data, *end = at + b->len;

	while ((at = memmem(at, (size_t)(end - at), host, strlen(host))) !=
	    NULL) {
		at += strlen(host);
		if (end - at < 4 || number(at, 4) != g->spec.behind)
			continue;
		at[2] = (char)(g->port >> 8);
		at[3] = (char)g->port;
	}
}

/* Pass an answer on. */
static bool
pass_back(struct client *c, struct buf *f)
{
	bool ok = read_frame(c, true, f);

	if (ok)
		rewrite(c, f);
	c->asked -= c->asked > 0;
	return ok && send_frame(c, false, f);
}

/* Pass a request on; a marked one goes alone. */
static bool
pass_on(struct client *c, struct buf *f)
{
	const struct kafka_gate_spec *spec = &c->gate->spec;
	struct buf answer = BUF_INIT(FRAME_MAX);
	bool ok = read_frame(c, false, f), alone;

	alone = ok && spec->mark != NULL && f->len > 2 &&
	    number(f->data, 2) == PRODUCE &&
	    memmem(f->data, f->len, spec->mark, strlen(spec->mark)) != NULL;
	while (alone && ok && c->asked > 0)
		ok = pass_back(c, &answer);
	if (alone && ok)
		spec->marked(spec->ctx);
	ok = ok && send_frame(c, true, f);
	c->asked++;
	while (alone && ok && c->asked > 0)
		ok = pass_back(c, &answer);
	buf_release(&answer);
	return ok;
}

static void
relay(struct client *c)
{
	struct pollfd fds[2] = { { .fd = c->fd, .events = POLLIN },
		{ .fd = c->behind, .events = POLLIN } };
	struct buf f = BUF_INIT(FRAME_MAX);
	bool ok = true;

	while (ok && readable(c, c->fd, c->behind)) {
		bool front = c->ssl != NULL && SSL_pending(c->ssl) > 0;

		(void)poll(fds, 2, 0);
		if (front || fds[0].revents != 0)
			ok = pass_on(c, &f);
		else if (fds[1].revents != 0)
			ok = pass_back(c, &f);
	}
	buf_release(&f);
}

static int
dial(unsigned short port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0, "socket");
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void *
serve(void *ctx)
{
	struct client *c = ctx;
	struct kafka_gate *g = c->gate;
	bool ok = true;

	if (g->tls != NULL) {
		c->ssl = SSL_new(g->tls);
		must(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1, "SSL");
		ok = SSL_accept(c->ssl) == 1;
	}
	c->behind = ok ? dial(g->spec.behind) : -1;
	if (c->behind >= 0 && let_in(c))
		relay(c);
	SSL_free(c->ssl);
	(void)close(c->fd);
	if (c->behind >= 0)
		(void)close(c->behind);
	free(c);
	(void)pthread_mutex_lock(&g->lock);
	g->busy--;
	(void)pthread_cond_signal(&g->idle);
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void *
listen_on(void *ctx)
{
	struct kafka_gate *g = ctx;
	struct pollfd fds[2] = { { .fd = g->stop[0], .events = POLLIN },
		{ .fd = g->fd, .events = POLLIN } };

	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0) {
		struct client *c = xcalloc(1, sizeof(*c));
		pthread_t thread;

		c->gate = g;
		c->fd = accept(g->fd, NULL, NULL);
		must(c->fd >= 0, "accept");
		(void)pthread_mutex_lock(&g->lock);
		g->busy++;
		(void)pthread_mutex_unlock(&g->lock);
		must(pthread_create(&thread, NULL, serve, c) == 0, "thread");
		(void)pthread_detach(thread);
	}
	return NULL;
}

static SSL_CTX *
make_tls(const struct kafka_gate_spec *spec)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	must(SSL_CTX_use_certificate_chain_file(tls, spec->cert) == 1 &&
		SSL_CTX_use_PrivateKey_file(tls, spec->key, SSL_FILETYPE_PEM) ==
		    1,
	    "certificate");
	if (spec->client_ca != NULL) {
		must(SSL_CTX_load_verify_locations(tls, spec->client_ca,
			 NULL) == 1,
		    "client_ca");
		SSL_CTX_set_verify(tls,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	return tls;
}

struct kafka_gate *
kafka_gate_start(const struct kafka_gate_spec *spec)
{
	struct kafka_gate *g = xcalloc(1, sizeof(*g));
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	(void)signal(SIGPIPE, SIG_IGN);
	g->spec = *spec;
	if (spec->cert != NULL)
		g->tls = make_tls(spec);
	g->fd = socket(AF_INET, SOCK_STREAM, 0);
	must(g->fd >= 0 && bind(g->fd, (struct sockaddr *)&a, len) == 0 &&
		listen(g->fd, 16) == 0 &&
		getsockname(g->fd, (struct sockaddr *)&a, &len) == 0 &&
		pipe(g->stop) == 0,
	    "listen");
	g->port = ntohs(a.sin_port);
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_cond_init(&g->idle, NULL);
	must(pthread_create(&g->thread, NULL, listen_on, g) == 0, "thread");
	return g;
}

void
kafka_gate_stop(struct kafka_gate *g)
{
	(void)close(g->stop[1]);
	must(pthread_join(g->thread, NULL) == 0, "join");
	(void)pthread_mutex_lock(&g->lock);
	while (g->busy > 0)
		(void)pthread_cond_wait(&g->idle, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
	(void)close(g->stop[0]);
	(void)close(g->fd);
	SSL_CTX_free(g->tls);
	(void)pthread_mutex_destroy(&g->lock);
	(void)pthread_cond_destroy(&g->idle);
	free(g);
}

unsigned short
kafka_gate_port(const struct kafka_gate *g)
{
	return g->port;
}
