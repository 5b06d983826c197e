/*
 * odd.c - a TLS syslog receiver with bad habits to test against.
 *
 * Reads octet-counted frames and appends each to DIR/events, a line each, in
 * one write.  Then, as it is told:
 *
 *	--at ADDRESS      listens there and not at 127.0.0.1
 *	--reset-after N   each connection is reset after N messages
 *	--poison TEXT     and by a message with that text, which is not kept
 *	--updates N       sends a KeyUpdate of its own after each of its first
 *	                  N reads of a connection, which are small and slow
 *	--swallow ADDRESS listens there, too, on the same port, with a full
 *	                  queue of connections: SYNs get no answer
 *	--mute ADDRESS    listens there, too, and never says a word
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FRAME_MAX ((size_t)1 << 20)
#define SLOW_US 20000
#define SLOW_BYTES 2048

static struct {
	const char *dir;
	const char *cert;
	const char *key;
	const char *poison;
	const char *swallow;
	const char *mute;
	const char *at;
	long reset_after;
	long updates;
	unsigned short port;
} opt = { .dir = ".", .at = "127.0.0.1" };

static SSL_CTX *ctx;
static int events_fd;

static void
die(const char *what)
{
	(void)fprintf(stderr, "odd: ");
	perror(what);
	exit(1);
}

struct conn {
	int fd;
	SSL *ssl;
	char *data;
	size_t len;
	long messages;
};

/* Keep one message; false: it ends the connection. */
static bool
keep(struct conn *c, char *text, size_t len)
{
	struct iovec out[2] = { { .iov_base = text, .iov_len = len },
		{ .iov_base = (char[]){ '\n' }, .iov_len = 1 } };

	if (opt.poison != NULL &&
	    memmem(text, len, opt.poison, strlen(opt.poison)) != NULL)
		return false;
	if (writev(events_fd, out, 2) != (ssize_t)(len + 1))
		die("events");
	c->messages++;
	return opt.reset_after == 0 || c->messages < opt.reset_after;
}

/* Take the whole frames that were read; false: that is enough. */
static bool
take(struct conn *c)
{
	char *space;
	size_t head, len;

	while ((space = memchr(c->data, ' ', c->len)) != NULL) {
		len = strtoul(c->data, NULL, 10);
		head = (size_t)(space - c->data) + 1;
		if (len == 0 || head + len > FRAME_MAX)
			return false;
		if (c->len < head + len)
			break;
		if (!keep(c, c->data + head, len))
			return false;
		c->len -= head + len;
		memmove(c->data, c->data + head + len, c->len);
	}
	return c->len < FRAME_MAX;
}

/* What a connection is to end with: nothing orderly. */
static void
reset(int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
receive(struct conn *c)
{
	size_t room;
	long reads = 0;
	int n;

	for (;;) {
		room = FRAME_MAX - c->len;
		if (opt.updates > 0 && room > SLOW_BYTES)
			room = SLOW_BYTES;
		n = SSL_read(c->ssl, c->data + c->len, (int)room);
		if (n <= 0)
			return;
		c->len += (size_t)n;
		if (!take(c)) {
			reset(c->fd);
			return;
		}
		if (opt.updates == 0)
			continue;
		(void)usleep(SLOW_US);
		if (++reads <= opt.updates &&
		    SSL_key_update(c->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
			(void)SSL_do_handshake(c->ssl);
	}
}

static void *
serve(void *arg)
{
	struct conn c = { .fd = *(int *)arg };

	free(arg);
	c.data = malloc(FRAME_MAX);
	c.ssl = SSL_new(ctx);
	if (c.data == NULL || c.ssl == NULL || SSL_set_fd(c.ssl, c.fd) != 1)
		die("memory");
	if (SSL_accept(c.ssl) == 1)
		receive(&c);
	SSL_free(c.ssl);
	(void)close(c.fd);
	free(c.data);
	return NULL;
}

/* Listen at address, on this port, for as many that nobody accepts. */
static struct sockaddr_in
listen_in_vain(const char *address, unsigned short port, int queue)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = port };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || inet_pton(AF_INET, address, &a.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, queue) != 0)
		die(address);
	return a;
}

/* Listen at opt.swallow, on this port, and fill the queue. */
static void
swallow(unsigned short port)
{
	struct sockaddr_in a = listen_in_vain(opt.swallow, port, 0);
	int fd;

	for (int i = 0; i < 2; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
		(void)connect(fd, (struct sockaddr *)&a, sizeof(a));
	}
}

static int
listen_on(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(opt.port) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	FILE *out;

	if (fd == -1 || inet_pton(AF_INET, opt.at, &a.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		die("listen");
	if (opt.swallow != NULL)
		swallow(a.sin_port);
	if (opt.mute != NULL)
		(void)listen_in_vain(opt.mute, a.sin_port, 1000);
	out = fopen("port", "w");
	if (out == NULL || fprintf(out, "%d\n", ntohs(a.sin_port)) < 0 ||
	    fclose(out) != 0)
		die("port");
	return fd;
}

static void
options(int argc, char **argv)
{
	static const struct option known[] = { { "dir", 1, NULL, 'd' },
		{ "cert", 1, NULL, 'c' }, { "key", 1, NULL, 'k' },
		{ "port", 1, NULL, 'p' }, { "poison", 1, NULL, 'x' },
		{ "reset-after", 1, NULL, 'r' }, { "updates", 1, NULL, 'u' },
		{ "swallow", 1, NULL, 's' }, { "at", 1, NULL, 'a' },
		{ "mute", 1, NULL, 'm' }, { NULL, 0, NULL, 0 } };
	int o;

	while ((o = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (o) {
		case 'd':
			opt.dir = optarg;
			break;
		case 'c':
			opt.cert = optarg;
			break;
		case 'k':
			opt.key = optarg;
			break;
		case 'p':
			opt.port = (unsigned short)strtoul(optarg, NULL, 10);
			break;
		case 'x':
			opt.poison = optarg;
			break;
		case 'r':
			opt.reset_after = strtol(optarg, NULL, 10);
			break;
		case 'u':
			opt.updates = strtol(optarg, NULL, 10);
			break;
		case 'a':
			opt.at = optarg;
			break;
		case 'm':
			opt.mute = optarg;
			break;
		case 's':
			opt.swallow = optarg;
			break;
		default:
			exit(64);
		}
	}
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	int fd, *arg;

	options(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL ||
	    SSL_CTX_use_certificate_chain_file(ctx, opt.cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, opt.key, SSL_FILETYPE_PEM) != 1)
		die("certificate");
	if (chdir(opt.dir) != 0)
		die(opt.dir);
	events_fd =
	    open("events", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (events_fd == -1)
		die("events");
	fd = listen_on();
	for (;;) {
		arg = malloc(sizeof(*arg));
		if (arg == NULL)
			die("memory");
		*arg = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (*arg == -1 ||
		    pthread_create(&thread, NULL, serve, arg) != 0)
			die("accept");
		(void)pthread_detach(thread);
	}
}
