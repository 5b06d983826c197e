/*
 * cheap.c - a receiver that accepts everything, for benchmarks.
 *
 *	cheap --dir DIR --cert FILE --key FILE --mark TEXT
 *
 * POST or PUT to https://localhost:PORT/KIND/…: the answer is the one by which
 * an intake of that kind accepts.  The last line of DIR/count has how often
 * TEXT stood in the bodies so far, unpacked, and their bytes as they came: each
 * event has it once, in whatever envelope.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "tests/recv/recv.h"

#define ROOM ((size_t)256 << 10)

struct kind {
	const char *name;
	unsigned status;
	const char *text; /* NULL: items, one for each two lines */
};

/* The first whose name the path begins with. */
static const struct kind kinds[] = {
	{ "/splunk-hec-acks/services/collector/ack", 200, "" },
	{ "/splunk-hec-acks", 200, "" },
	{ "/splunk-hec", 200, "{\"text\":\"Success\",\"code\":0}" },
	{ "/elasticsearch", 200, NULL },
	{ "/loki", 204, "" },
	{ "/datadog", 202, "{}" },
	{ "/graylog", 202, "" },
	{ "/otlp-protobuf", 200, "" },
	{ "/", 200, "{}" },
};

static recv_fn answer;
static struct recv_options opt = { .dir = ".",
	.max_body = RECV_BODY_MAX,
	.answer = answer };
static const char *mark;
static int count_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long events, bytes, promised;

/* All members of a gzip body. */
static void
unpack(const struct buf *in, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)in->data,
		.avail_in = (uInt)in->len };
	int rc = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		recv_die("inflateInit2 failed");
	while (rc == Z_OK || (rc == Z_STREAM_END && z.avail_in > 0)) {
		if (rc == Z_STREAM_END && inflateReset(&z) != Z_OK)
			break;
		z.next_out = (unsigned char *)buf_room(out, ROOM);
		z.avail_out = (uInt)ROOM;
		rc = inflate(&z, Z_NO_FLUSH);
		out->len += ROOM - z.avail_out;
	}
	if (rc != Z_STREAM_END)
		recv_die("a body is no gzip");
	(void)inflateEnd(&z);
}

static size_t
count(const struct buf *b, const char *text)
{
	const size_t len = strlen(text);
	const char *at = b->data, *end = at + b->len;
	size_t n = 0;

	while (at != NULL && at < end &&
	    (at = memmem(at, (size_t)(end - at), text, len)) != NULL) {
		at += len;
		n++;
	}
	return n;
}

/* The answer to _bulk. */
static char *
items(size_t lines)
{
	static const char head[] = "{\"took\":1,\"errors\":false,\"items\":[",
			  item[] = "{\"create\":{\"status\":201}},";
	size_t n = lines / 2;
	char *text = xmalloc(sizeof(head) + n * (sizeof(item) - 1) + 3);
	char *at = stpcpy(text, head);

	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, item);
	if (n > 0)
		at--;
	(void)stpcpy(at, "]}");
	return text;
}

/* {"acks":[1,2]}: they are all true. */
static char *
acks(const struct buf *asked)
{
	char *at = asked->data == NULL ? NULL : strchr(asked->data, '[');
	char *text = xstrdup("{\"acks\":{"), *more;

	while (at != NULL && (*at == '[' || *at == ',')) {
		unsigned long long n = strtoull(at + 1, &at, 10);

		more = text;
		text = xasprintf("%s%s\"%llu\":true", more,
		    more[strlen(more) - 1] == '{' ? "" : ",", n);
		free(more);
	}
	more = text;
	text = xasprintf("%s}}", more);
	free(more);
	return text;
}

static char *
text_of(const struct kind *k, const struct buf *body, size_t lines)
{
	if (k == &kinds[0])
		return acks(body);
	if (k == &kinds[1])
		return xasprintf("{\"text\":\"Success\",\"code\":0,\"ackId\":%"
				 "llu}",
		    ++promised);
	return k->text == NULL ? items(lines) : xstrdup(k->text);
}

static void
note(size_t more, size_t len)
{
	char text[64];
	int n;

	events += more;
	bytes += len;
	n = snprintf(text, sizeof(text), "%llu %llu\n", events, bytes);
	recv_write(count_fd, text, (size_t)n);
}

static void
answer(const struct recv_request *rq, struct recv_reply *reply)
{
	const struct kind *k = kinds;
	struct buf plain = BUF_INIT(RECV_BODY_MAX);
	const struct buf *body = &rq->body;
	size_t more, lines;

	while (strncmp(rq->path, k->name, strlen(k->name)) != 0)
		k++;
	if (strcmp(recv_header(rq, "Content-Encoding"), "gzip") == 0 ||
	    (body->len > 1 && memcmp(body->data, "\x1f\x8b", 2) == 0)) {
		unpack(body, &plain);
		body = &plain;
	}
	more = count(body, mark);
	lines = k->text == NULL ? count(body, "\n") : 0;
	(void)pthread_mutex_lock(&lock);
	reply->text = text_of(k, body, lines);
	note(more, rq->body.len);
	(void)pthread_mutex_unlock(&lock);
	reply->status = k->status;
	if (strcmp(k->name, "/otlp-protobuf") == 0)
		reply->type = "application/x-protobuf";
	reply->headers[0].name = "ETag";
	(void)stpcpy(reply->headers[0].value, "\"1\"");
	buf_release(&plain);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "mark", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (ch == 'd')
			opt.dir = optarg;
		else if (ch == 'c')
			opt.cert = optarg;
		else if (ch == 'k')
			opt.key = optarg;
		else if (ch == 'm')
			mark = optarg;
		else
			exit(64);
	}
	if (mark == NULL)
		recv_die("--mark is missing");
	count_fd = recv_open(opt.dir, "count");
	recv_serve(&opt);
}
