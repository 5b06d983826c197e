/*
 * receiver.c - an HTTPS receiver of NDJSON to test against.
 *
 * POST any path: the lines are appended to DIR/events and are on disk before
 * the 200 is sent.  A gzip body must be exactly one member: bytes behind it
 * are an error 400, since many real receivers drop them without a word.
 * Every request leaves a line "STATUS LINES BYTES WHY" in DIR/requests.
 * DIR/faults is read for each request (recv.h).
 *
 *	--reset-after N   each connection ends behind N bytes of bodies
 *	--poison TEXT     and at a body with that text, which is not kept
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/recv/recv.h"

#define HANG_SECONDS 600

static recv_fn finish;
static struct recv_options opt = { .dir = ".",
	.max_body = RECV_BODY_MAX,
	.answer = finish };
static const char *authorization;
static const char *bad; /* a body with this text in it is refused */
static const char *poison;

static int events_fd, requests_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault_state faults;

static const char *
store(const struct buf *lines)
{
	if (lines->len == 0 || lines->data[lines->len - 1] != '\n')
		return "the last line has no line feed";
	recv_write(events_fd, lines->data, lines->len);
	if (fdatasync(events_fd) == -1)
		recv_die("events: %s", strerror(errno));
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

	recv_write(requests_fd, text, (size_t)n);
}

static bool
has(const struct buf *body, const char *text)
{
	return text != NULL && body->data != NULL &&
	    strstr(body->data, text) != NULL;
}

/* The status for a request that no fault strikes; 0: the connection ends. */
static unsigned
take(const struct recv_request *rq, size_t *lines, const char **why)
{
	struct buf plain = BUF_INIT(RECV_BODY_MAX);
	const struct buf *body = &rq->body;
	unsigned status = 200;

	*why = NULL;
	if (opt.client_ca != NULL && !recv_client_known(rq)) {
		*why = "no trusted client certificate";
		return 403;
	}
	if (authorization != NULL &&
	    strcmp(recv_header(rq, "Authorization"), authorization) != 0) {
		*why = "wrong credentials";
		return 401;
	}
	if (rq->too_large) {
		*why = "larger than --max-body";
		return 413;
	}
	if (strstr(recv_header(rq, "Content-Type"), "json") == NULL) {
		*why = "Content-Type is not JSON";
		return 415;
	}
	if (strcmp(recv_header(rq, "Content-Encoding"), "gzip") == 0) {
		*why = recv_unpack(&rq->body, &plain);
		body = &plain;
	}
	if (*why == NULL && has(body, bad))
		*why = "a record that is not wanted here";
	if (*why == NULL && has(body, poison))
		status = 0;
	else if (*why == NULL)
		*why = store(body);
	if (*why != NULL)
		status = 400;
	*lines = count_lines(body);
	buf_release(&plain);
	return status;
}

static char *
text_of(unsigned status, enum fault fault, const char *why)
{
	if (fault == PAGE)
		return xstrdup("<html><head><title>Request Rejected</title>"
			       "</head><body>Your support ID is: 7</body>"
			       "</html>\n");
	return xasprintf("{\"status\":%u,\"text\":\"%s\"}\n", status,
	    why == NULL ? "stored" : why);
}

static void
finish(const struct recv_request *rq, struct recv_reply *reply)
{
	const char *why = NULL;
	unsigned status = 0;
	size_t lines = 0;
	enum fault fault;

	if (strcmp(rq->method, "POST") != 0) {
		reply->status = 405;
		reply->text = text_of(405, NONE, "POST only");
		return;
	}
	(void)pthread_mutex_lock(&lock);
	fault = fault_roll(&faults, opt.dir);
	status = fault_status(fault);
	if (fault == NONE || fault == LOST_REPLY)
		status = take(rq, &lines, &why);
	record(status, lines, rq->body.len,
	    fault != NONE     ? fault_names[fault]
		: why == NULL ? "stored"
			      : why);
	(void)pthread_mutex_unlock(&lock);
	reply->hang = fault == HANG ? HANG_SECONDS : 0;
	reply->status = fault == LOST_REPLY ? 0 : status;
	reply->retry_after = status == 429 || status == 503;
	reply->type = fault == PAGE ? "text/html" : NULL;
	reply->text = text_of(status, fault, why);
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
		{ "poison", required_argument, NULL, 'x' },
		{ "reset-after", required_argument, NULL, 'r' },
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
			authorization = optarg;
			break;
		case 'b':
			bad = optarg;
			break;
		case 'm':
			opt.max_body = strtoul(optarg, NULL, 10);
			break;
		case 'x':
			poison = optarg;
			break;
		case 'r':
			opt.reset_after = strtoul(optarg, NULL, 10);
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
	parse(argc, argv);
	events_fd = recv_open(opt.dir, "events");
	requests_fd = recv_open(opt.dir, "requests");
	recv_serve(&opt);
}
