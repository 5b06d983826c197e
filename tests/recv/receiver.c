/*
 * receiver.c - an HTTPS receiver of NDJSON to test against.
 *
 * POST any path: the lines are appended to DIR/events and are on disk before
 * the 200 is sent.  A gzip body must be exactly one member: bytes behind it
 * are an error 400, since many real receivers drop them without a word.
 * Every request leaves a line "STATUS LINES BYTES WHY" in DIR/requests.
 * DIR/faults is read for each request: a script "503=5%,401=#3,close=5%,…" of
 * the table below; "#3" strikes the first three requests.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define BODY_MAX ((size_t)256 << 20)
#define PEM_MAX 65536
#define HANG_SECONDS 600

static struct {
	const char *dir;
	const char *cert;
	const char *key;
	const char *client_ca; /* NULL: no client certificate wanted */
	const char *authorization;
	const char *bad; /* a body with this text in it is refused */
	size_t max_body; /* of what travels; above: 413 */
	unsigned short port;
} opt = { .dir = ".", .max_body = BODY_MAX };

static int events_fd, requests_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

enum fault {
	NONE,
	F401,
	F403,
	F404,
	F429,
	F503,
	F500,
	PAGE,
	CLOSE,
	HANG,
	LOST_REPLY,
	FAULTS
};

static const char *const fault_names[FAULTS] = {
	[NONE] = "",
	[F401] = "401",
	[F403] = "403",
	[F404] = "404",
	[F429] = "429",
	[F503] = "503",
	[F500] = "500",
	[PAGE] = "page",             /* 200, nothing stored: a firewall */
	[CLOSE] = "close",           /* nothing stored, nothing said */
	[HANG] = "hang",             /* accepted and never answered */
	[LOST_REPLY] = "lost-reply", /* stored, then the connection dies */
};

struct request {
	struct buf body;
	bool begun;
	bool too_large;
};

static void die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("receiver: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

static char *
path_in_dir(const char *name)
{
	return xasprintf("%s/%s", opt.dir, name);
}

/* Does fault f strike now, of which the script says value? */
static bool
strikes(int f, const char *value)
{
	static unsigned long struck[FAULTS];

	if (value[0] != '#')
		return drand48() * 100 < strtod(value, NULL);
	return struck[f] < strtoul(value + 1, NULL, 10) && ++struck[f] > 0;
}

static enum fault
roll(void)
{
	char *path = path_in_dir("faults");
	FILE *in = fopen(path, "r");
	char script[512] = "";
	enum fault hit = NONE;

	free(path);
	if (in == NULL)
		return NONE;
	if (fgets(script, sizeof(script), in) == NULL)
		script[0] = '\0';
	(void)fclose(in);
	for (char *s = strtok(script, ",\n"); s != NULL;
	     s = strtok(NULL, ",\n")) {
		char *value = strchr(s, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		for (int f = NONE + 1; f < FAULTS; f++) {
			if (hit == NONE && strcmp(fault_names[f], s) == 0 &&
			    strikes(f, value))
				hit = (enum fault)f;
		}
	}
	return hit;
}

/* Unpack exactly one gzip member; a sentence about what is wrong, or NULL. */
static const char *
unpack(const struct buf *in, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)in->data,
		.avail_in = (uInt)in->len };
	const char *why = NULL;
	int rc = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		die("inflateInit2 failed");
	while (rc == Z_OK && why == NULL) {
		char *to = buf_room(out, 65536);

		if (to == NULL) {
			why = "body too large";
			break;
		}
		z.next_out = (unsigned char *)to;
		z.avail_out = 65536;
		rc = inflate(&z, Z_NO_FLUSH);
		out->len += 65536 - z.avail_out;
		out->data[out->len] = '\0';
	}
	if (why == NULL && rc != Z_STREAM_END)
		why = "broken gzip";
	else if (why == NULL && z.avail_in > 0)
		why = "data behind the first gzip member";
	(void)inflateEnd(&z);
	return why;
}

static const char *
store(const struct buf *lines)
{
	size_t at = 0;

	if (lines->len == 0 || lines->data[lines->len - 1] != '\n')
		return "the last line has no line feed";
	while (at < lines->len) {
		ssize_t n = write(events_fd, lines->data + at, lines->len - at);

		if (n <= 0)
			die("events: %s", strerror(errno));
		at += (size_t)n;
	}
	if (fdatasync(events_fd) == -1)
		die("events: %s", strerror(errno));
	return NULL;
}

static size_t
count_lines(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

static void
record(unsigned status, size_t lines, size_t bytes, const char *why)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%u %zu %zu %s\n", status, lines,
	    bytes, why);

	if (write(requests_fd, text, (size_t)n) != n)
		die("requests: %s", strerror(errno));
}

static bool
client_known(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned status = 1;

	return info != NULL &&
	    gnutls_certificate_verify_peers2(info->tls_session, &status) == 0 &&
	    status == 0;
}

static const char *
header(struct MHD_Connection *conn, const char *name)
{
	const char *s =
	    MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name);

	return s == NULL ? "" : s;
}

/* The status for a request that no fault strikes. */
static unsigned
take(struct MHD_Connection *conn, struct request *rq, size_t *lines,
    const char **why)
{
	struct buf plain = BUF_INIT(BODY_MAX);
	const struct buf *body = &rq->body;
	unsigned status = 200;

	*why = NULL;
	if (opt.client_ca != NULL && !client_known(conn)) {
		*why = "no trusted client certificate";
		return 403;
	}
	if (opt.authorization != NULL &&
	    strcmp(header(conn, "Authorization"), opt.authorization) != 0) {
		*why = "wrong credentials";
		return 401;
	}
	if (rq->too_large) {
		*why = "larger than --max-body";
		return 413;
	}
	if (strstr(header(conn, "Content-Type"), "json") == NULL) {
		*why = "Content-Type is not JSON";
		return 415;
	}
	if (strcmp(header(conn, "Content-Encoding"), "gzip") == 0) {
		*why = unpack(&rq->body, &plain);
		body = &plain;
	}
	if (*why == NULL && opt.bad != NULL && body->data != NULL &&
	    strstr(body->data, opt.bad) != NULL)
		*why = "a record that is not wanted here";
	if (*why == NULL)
		*why = store(body);
	if (*why != NULL)
		status = 400;
	*lines = count_lines(body);
	buf_release(&plain);
	return status;
}

static enum MHD_Result
reply(struct MHD_Connection *conn, unsigned status, const char *why)
{
	bool page = why == fault_names[PAGE];
	char text[256];
	int n = page
	    ? snprintf(text, sizeof(text),
		  "<html><head><title>Request Rejected</title></head><body>"
		  "Your support ID is: 7</body></html>\n")
	    : snprintf(text, sizeof(text), "{\"status\":%u,\"text\":\"%s\"}\n",
		  status, why == NULL ? "stored" : why);
	struct MHD_Response *resp = MHD_create_response_from_buffer((size_t)n,
	    text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	(void)MHD_add_response_header(resp, "Content-Type",
	    page ? "text/html" : "application/json");
	if (status == 429 || status == 503)
		(void)MHD_add_response_header(resp, "Retry-After", "1");
	rc = MHD_queue_response(conn, status, resp);
	MHD_destroy_response(resp);
	return rc;
}

static enum MHD_Result
finish(struct MHD_Connection *conn, struct request *rq)
{
	const struct timespec hang = { .tv_sec = HANG_SECONDS, .tv_nsec = 0 };
	const char *why = NULL;
	unsigned status = 0;
	size_t lines = 0;
	enum fault fault;

	(void)pthread_mutex_lock(&lock);
	fault = roll();
	switch (fault) {
	case PAGE:
		status = 200;
		why = fault_names[fault];
		break;
	case F401:
	case F403:
	case F404:
	case F429:
	case F500:
	case F503:
		status = (unsigned)strtoul(fault_names[fault], NULL, 10);
		break;
	case NONE:
	case LOST_REPLY:
		status = take(conn, rq, &lines, &why);
		break;
	default:
		break;
	}
	record(status, lines, rq->body.len,
	    fault != NONE     ? fault_names[fault]
		: why == NULL ? "stored"
			      : why);
	(void)pthread_mutex_unlock(&lock);
	if (fault == HANG)
		(void)nanosleep(&hang, NULL);
	if (fault == HANG || fault == CLOSE || fault == LOST_REPLY)
		return MHD_NO;
	return reply(conn, status, why);
}

static enum MHD_Result
answer(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **con_cls)
{
	struct request *rq = *con_cls;

	(void)cls;
	(void)url;
	(void)version;
	if (rq == NULL) {
		rq = xcalloc(1, sizeof(*rq));
		buf_init(&rq->body, opt.max_body);
		*con_cls = rq;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		if (buf_add(&rq->body, upload, *upload_size) == -1)
			rq->too_large = true;
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "POST") != 0)
		return reply(conn, 405, "POST only");
	return finish(conn, rq);
}

static void
completed(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode why)
{
	struct request *rq = *con_cls;

	(void)cls;
	(void)conn;
	(void)why;
	if (rq == NULL)
		return;
	buf_release(&rq->body);
	free(rq);
	*con_cls = NULL;
}

static char *
read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = xcalloc(1, PEM_MAX);

	if (in == NULL || fread(text, 1, PEM_MAX - 1, in) == 0)
		die("%s can't be read", path);
	(void)fclose(in);
	return text;
}

/* What a kill left of a line was not acknowledged: the line comes again, and
 * must not be the end of this one. */
static void
drop_torn_line(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char c = '\n';

	while (end > 0 && pread(fd, &c, 1, end - 1) == 1 && c != '\n')
		end--;
	if (end < 0 || ftruncate(fd, end) != 0)
		die("a log cannot be cut: %s", strerror(errno));
}

static int
open_log(const char *name)
{
	char *path = path_in_dir(name);
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd == -1)
		die("%s: %s", path, strerror(errno));
	free(path);
	drop_torn_line(fd);
	return fd;
}

static void
write_port(unsigned port)
{
	char *path = path_in_dir("port");
	char *temporary = path_in_dir("port.new");
	FILE *out = fopen(temporary, "w");

	if (out == NULL || fprintf(out, "%u\n", port) < 0 || fclose(out) != 0 ||
	    rename(temporary, path) == -1)
		die("%s can't be written", path);
	free(path);
	free(temporary);
}

static void
serve(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(opt.port) };
	struct MHD_OptionItem tls[4] = { { MHD_OPTION_END, 0, NULL } };
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION |
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
	struct MHD_Daemon *d;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (opt.key != NULL) {
		flags |= MHD_USE_TLS;
		tls[0].option = MHD_OPTION_HTTPS_MEM_CERT;
		tls[0].ptr_value = read_file(opt.cert);
		tls[1].option = MHD_OPTION_HTTPS_MEM_KEY;
		tls[1].ptr_value = read_file(opt.key);
		tls[2].option = MHD_OPTION_END;
		if (opt.client_ca != NULL) {
			tls[2].option = MHD_OPTION_HTTPS_MEM_TRUST;
			tls[2].ptr_value = read_file(opt.client_ca);
			tls[3].option = MHD_OPTION_END;
		}
	}
	d = MHD_start_daemon(flags, 0, NULL, NULL, answer, NULL,
	    MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_NOTIFY_COMPLETED, completed,
	    NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (d == NULL)
		die("the port can't be opened");
	write_port(MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
}

static void
parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "client-ca", required_argument, NULL, 'a' },
		{ "authorization", required_argument, NULL, 'u' },
		{ "bad", required_argument, NULL, 'b' },
		{ "max-body", required_argument, NULL, 'm' },
		{ "port", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	for (;;) {
		c = getopt_long(argc, argv, "", longs, NULL);
		switch (c) {
		case -1:
			return;
		case 'd':
			opt.dir = optarg;
			break;
		case 'c':
			opt.cert = optarg;
			break;
		case 'k':
			opt.key = optarg;
			break;
		case 'a':
			opt.client_ca = optarg;
			break;
		case 'u':
			opt.authorization = optarg;
			break;
		case 'b':
			opt.bad = optarg;
			break;
		case 'm':
			opt.max_body = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			opt.port = (unsigned short)strtoul(optarg, NULL, 10);
			break;
		default:
			exit(64);
		}
	}
}

int
main(int argc, char **argv)
{
	sigset_t set;
	int signal_number;

	parse(argc, argv);
	if (opt.key != NULL && opt.cert == NULL)
		die("--key wants --cert");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	events_fd = open_log("events");
	requests_fd = open_log("requests");
	serve();
	(void)sigwait(&set, &signal_number);
	/* Requests that hang on purpose are not waited for. */
	_exit(0);
}
