/*
 * recv.c - what our HTTP receivers share: a server, scripted faults, gzip.
 */
#include "tests/recv/recv.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

#define PEM_MAX 65536

static const struct recv_options *opt;

const char *const fault_names[FAULTS] = {
	[NONE] = "",
	[F401] = "401",
	[F403] = "403",
	[F404] = "404",
	[F413] = "413",
	[F429] = "429", /* with Retry-After */
	[F429_BARE] = "429-bare",
	[F503] = "503",
	[F500] = "500",
	[PAGE] = "page",             /* 200, nothing stored: a firewall */
	[CLOSE] = "close",           /* nothing stored, nothing said */
	[HANG] = "hang",             /* accepted and never answered */
	[LOST_REPLY] = "lost-reply", /* stored, then the connection dies */
	[SLOW] = "slow",             /* stored, answered after two seconds */
	[PARTIAL] = "partial",       /* some of it is stored */
	[FORGET] = "forget",         /* a restart: promises are forgotten */
	[LOST_ACK] = "lost-ack",     /* stored, and never confirmed */
};

void
recv_die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("receiver: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

/*
 * Faults.
 */

/* Does fault f strike now, of which the script says value? */
static bool
strikes(struct fault_state *s, int f, const char *value)
{
	if (value[0] != '#')
		return drand48() * 100 < strtod(value, NULL);
	return s->struck[f] < strtoul(value + 1, NULL, 10) &&
	    ++s->struck[f] > 0;
}

static void
read_script(const char *dir, char *script, int size)
{
	char *path = xasprintf("%s/faults", dir);
	FILE *in = fopen(path, "r");

	free(path);
	script[0] = '\0';
	if (in == NULL)
		return;
	if (fgets(script, size, in) == NULL)
		script[0] = '\0';
	(void)fclose(in);
}

enum fault
fault_roll(struct fault_state *state, const char *dir)
{
	char script[512], *rest = NULL;
	enum fault hit = NONE;

	read_script(dir, script, (int)sizeof(script));
	for (char *s = strtok_r(script, ",\n", &rest); s != NULL;
	     s = strtok_r(NULL, ",\n", &rest)) {
		char *value = strchr(s, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		for (int f = NONE + 1; f < FAULTS; f++) {
			if (hit == NONE && strcmp(fault_names[f], s) == 0 &&
			    strikes(state, f, value))
				hit = (enum fault)f;
		}
	}
	return hit;
}

unsigned
fault_status(enum fault f)
{
	return f == PAGE ? 200 : (unsigned)strtoul(fault_names[f], NULL, 10);
}

/*
 * Small things.
 */

/* With the window bits that zlib has for the format. */
static const char *
unpack(const struct buf *in, int bits, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)in->data,
		.avail_in = (uInt)in->len };
	const char *why = NULL;
	int rc = Z_OK;

	if (inflateInit2(&z, bits) != Z_OK)
		recv_die("inflateInit2 failed");
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
		why = "broken compression";
	else if (why == NULL && z.avail_in > 0)
		why = "data behind the first member";
	(void)inflateEnd(&z);
	return why;
}

const char *
recv_unpack(const struct buf *in, struct buf *out)
{
	return unpack(in, 15 + 16, out);
}

const char *
recv_inflate(const struct buf *in, struct buf *out)
{
	return unpack(in, 15, out);
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
		recv_die("a log cannot be cut: %s", strerror(errno));
}

int
recv_open(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd == -1)
		recv_die("%s: %s", path, strerror(errno));
	drop_torn_line(fd);
	free(path);
	return fd;
}

void
recv_write(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n <= 0)
			recv_die("write: %s", strerror(errno));
		at += n;
		len -= (size_t)n;
	}
}

bool
recv_client_known(const struct recv_request *rq)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(rq->conn,
	    MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned status = 1;

	return info != NULL &&
	    gnutls_certificate_verify_peers2(info->tls_session, &status) == 0 &&
	    status == 0;
}

const char *
recv_header(const struct recv_request *rq, const char *name)
{
	const char *s =
	    MHD_lookup_connection_value(rq->conn, MHD_HEADER_KIND, name);

	return s == NULL ? "" : s;
}

/*
 * The server.
 */

static enum MHD_Result
send_reply(struct MHD_Connection *conn, const struct recv_reply *r)
{
	const char *text = r->text == NULL ? "" : r->text;
	struct MHD_Response *resp =
	    MHD_create_response_from_buffer(strlen(text),
		(void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	(void)MHD_add_response_header(resp, "Content-Type",
	    r->type == NULL ? "application/json" : r->type);
	for (size_t i = 0; r->headers[i].name != NULL; i++)
		(void)MHD_add_response_header(resp, r->headers[i].name,
		    r->headers[i].value);
	if (r->retry_after)
		(void)MHD_add_response_header(resp, "Retry-After", "1");
	rc = MHD_queue_response(conn, r->status, resp);
	MHD_destroy_response(resp);
	return rc;
}

static enum MHD_Result
finish(struct recv_request *rq)
{
	struct recv_reply r = { .status = 0 };
	struct timespec hang = { .tv_sec = 0, .tv_nsec = 0 };
	enum MHD_Result rc = MHD_NO;

	opt->answer(rq, &r);
	hang.tv_sec = (time_t)r.hang;
	if (r.hang > 0)
		(void)nanosleep(&hang, NULL);
	if (r.status != 0)
		rc = send_reply(rq->conn, &r);
	free(r.text);
	return rc;
}

/* Each connection has a count of the bytes that its bodies had. */
static void
connected(void *cls, struct MHD_Connection *conn, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	(void)cls;
	(void)conn;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = xcalloc(1, sizeof(size_t));
	} else {
		free(*context);
		*context = NULL;
	}
}

/* It is to end, with more to come. */
static bool
is_over(struct MHD_Connection *conn, size_t more)
{
	size_t *bytes =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;

	*bytes += more;
	return opt->reset_after > 0 && *bytes > opt->reset_after;
}

static enum MHD_Result
answer(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **con_cls)
{
	struct recv_request *rq = *con_cls;

	(void)cls;
	(void)version;
	if (rq == NULL) {
		rq = xcalloc(1, sizeof(*rq));
		rq->conn = conn;
		buf_init(&rq->body, opt->max_body);
		*con_cls = rq;
		return MHD_YES;
	}
	rq->method = method;
	rq->path = url;
	if (*upload_size > 0) {
		if (is_over(conn, *upload_size))
			return MHD_NO;
		if (buf_add(&rq->body, upload, *upload_size) == -1)
			rq->too_large = true;
		*upload_size = 0;
		return MHD_YES;
	}
	return finish(rq);
}

static void
completed(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode why)
{
	struct recv_request *rq = *con_cls;

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
		recv_die("%s can't be read", path);
	(void)fclose(in);
	return text;
}

static void
write_port(unsigned port)
{
	char *path = xasprintf("%s/port", opt->dir);
	char *temporary = xasprintf("%s/port.new", opt->dir);
	FILE *out = fopen(temporary, "w");

	if (out == NULL || fprintf(out, "%u\n", port) < 0 || fclose(out) != 0 ||
	    rename(temporary, path) == -1)
		recv_die("%s can't be written", path);
	free(path);
	free(temporary);
}

static void
start(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(opt->port) };
	struct MHD_OptionItem tls[4] = { { MHD_OPTION_END, 0, NULL } };
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION |
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
	struct MHD_Daemon *d;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (opt->key != NULL) {
		flags |= MHD_USE_TLS;
		tls[0].option = MHD_OPTION_HTTPS_MEM_CERT;
		tls[0].ptr_value = read_file(opt->cert);
		tls[1].option = MHD_OPTION_HTTPS_MEM_KEY;
		tls[1].ptr_value = read_file(opt->key);
		tls[2].option = MHD_OPTION_END;
		if (opt->client_ca != NULL) {
			tls[2].option = MHD_OPTION_HTTPS_MEM_TRUST;
			tls[2].ptr_value = read_file(opt->client_ca);
			tls[3].option = MHD_OPTION_END;
		}
	}
	d = MHD_start_daemon(flags, 0, NULL, NULL, answer, NULL,
	    MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_NOTIFY_COMPLETED, completed,
	    NULL, MHD_OPTION_NOTIFY_CONNECTION, connected, NULL,
	    MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (d == NULL)
		recv_die("the port can't be opened");
	write_port(MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
}

void
recv_serve(const struct recv_options *options)
{
	sigset_t set;
	int signal_number;

	opt = options;
	if (opt->key != NULL && opt->cert == NULL)
		recv_die("--key wants --cert");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	start();
	(void)sigwait(&set, &signal_number);
	/* Requests that hang on purpose are not waited for. */
	_exit(0);
}
