/*
 * reply.c - answers, straight and crooked.
 */
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "tests/sim/content.h"
#include "tests/sim/request.h"

#define SLOW_PIECE 4096
#define SLOW_PAUSE 20 /* ms */
#define HANG_MAX 600  /* seconds */
#define SLOW_TOKEN 30 /* seconds */

/* A body on its way out. */
struct stream {
	struct sim *sim;
	struct buf body;
	size_t at;
	size_t cut; /* where a reset strikes */
	enum fault fault;
	int fd;
	struct blob *blob;
	enum content content;
	uint64_t made; /* synthetic records put into body so far */
};

const char *
request_argument(const struct request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->conn, MHD_GET_ARGUMENT_KIND,
	    name);
}

void
reply_header(struct reply *r, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (r->n_headers == HEADERS_MAX)
		sim_die("too many headers in a reply");
	(void)snprintf(r->header[r->n_headers].name, sizeof(r->header[0].name),
	    "%s", name);
	va_start(ap, fmt);
	(void)vsnprintf(r->header[r->n_headers].value,
	    sizeof(r->header[0].value), fmt, ap);
	va_end(ap);
	r->n_headers++;
}

void
reply_printf(struct reply *r, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (buf_adds(&r->body, text) == -1)
		sim_die("out of memory");
}

void
reply_error(struct reply *r, int status, const char *code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_clear(&r->body);
	r->status = status;
	r->type = "application/json; charset=utf-8";
	reply_printf(r, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
	    code, text);
}

/* What only some vendor says, or who sits in front of it. */
static bool
vendor_fault(const struct request *rq, struct reply *r)
{
	switch (rq->fault) {
	case FAULT_AF20050:
		reply_error(r, 404, "AF20050",
		    "The specified content does not exist.");
		return true;
	case FAULT_AF20052:
		reply_error(r, 400, "AF20052",
		    "Content ID in the URL is invalid.");
		return true;
	case FAULT_AUDIT_OFF:
		reply_error(r, 403, "AF10001",
		    "Microsoft.Office.Compliance.Audit.DataServiceException: "
		    "Tenant %s does not exist. Id %lld",
		    rq->sim->opt.tenant, (long long)sim_ticks());
		return true;
	case FAULT_DENIED:
		r->status = 401;
		reply_printf(r,
		    "{\"Message\":\"Authorization has been denied for this "
		    "request.\"}");
		return true;
	case FAULT_START_LOST:
		reply_error(r, 500, "AF50000", "An internal error occurred.");
		return true;
	case FAULT_PAGE_404:
		r->status = 404;
		r->type = "text/html";
		reply_printf(r,
		    "<html><head><title>404 by proxy</title></head></html>");
		return true;
	default:
		return false;
	}
}

bool
reply_fault(const struct request *rq, struct reply *r)
{
	switch (rq->fault) {
	case FAULT_AF429:
		reply_error(r, 403, "AF429",
		    "Too many requests. Method=GetBlob, "
		    "PublisherId=0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11");
		return true;
	case FAULT_THROTTLE:
		r->status = 429;
		reply_header(r, "Retry-After", "1");
		return true;
	case FAULT_HTTP500:
		reply_error(r, 500, "AF50000",
		    "An internal error occurred. "
		    "Retry the request.");
		return true;
	case FAULT_HTTP503:
		r->status = 503;
		r->type = "text/html";
		reply_header(r, "Retry-After", "1");
		reply_printf(r,
		    "<h2>Our services aren't available right now"
		    "</h2>");
		return true;
	case FAULT_HTML200:
		r->status = 200;
		r->type = "text/html; charset=utf-8";
		reply_printf(r,
		    "<!DOCTYPE html><html><head><title>Sign in to "
		    "your account</title></head></html>");
		return true;
	case FAULT_LONG_WAIT:
		r->status = 429;
		reply_header(r, "Retry-After", "3600");
		return true;
	case FAULT_DATE_9D:
		r->status = 503;
		reply_printf(r, "upstream error");
		return true;
	default:
		return vendor_fault(rq, r);
	}
}

/* Put the next synthetic records where the last ones were. */
static void
synthesise(struct stream *st)
{
	const struct blob *b = st->blob;

	buf_clear(&st->body);
	st->at = 0;
	while (st->made < b->synthetic && st->body.len < 65536) {
		if (buf_adds(&st->body, st->made == 0 ? "[" : ",") == -1)
			sim_die("out of memory");
		generate_record(st->sim->opt.seed + st->content, st->content,
		    b->number + st->made, b->created / MS, &st->body);
		st->made++;
		if (st->made == b->synthetic && buf_adds(&st->body, "]") == -1)
			sim_die("out of memory");
	}
}

static void
reset(int fd)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static void
mark_served(struct stream *st)
{
	if (st->blob == NULL || st->fault == FAULT_TRUNCATE ||
	    st->fault == FAULT_EMPTY_200 || st->fault == FAULT_GZIP_TRUNCATE)
		return;
	(void)pthread_mutex_lock(&st->sim->lock);
	st->blob->served = true;
	(void)pthread_mutex_unlock(&st->sim->lock);
}

static ssize_t
stream_read(void *cls, uint64_t pos, char *to, size_t max)
{
	struct stream *st = cls;
	size_t n;

	(void)pos;
	if (st->at == st->body.len && st->blob != NULL &&
	    st->made < st->blob->synthetic)
		synthesise(st);
	n = st->body.len - st->at;
	if (n == 0) {
		mark_served(st);
		return MHD_CONTENT_READER_END_OF_STREAM;
	}
	if (n > max)
		n = max;
	if (st->fault == FAULT_RESET && st->at + n > st->cut) {
		reset(st->fd);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (st->fault == FAULT_DRIP) {
		sim_sleep(st->sim->opt.drip);
		n = 1;
	} else if (st->fault == FAULT_SLOW) {
		sim_sleep(SLOW_PAUSE);
		n = n > SLOW_PIECE ? SLOW_PIECE : n;
	}
	memcpy(to, st->body.data + st->at, n);
	st->at += n;
	if (st->at == st->body.len &&
	    (st->blob == NULL || st->made == st->blob->synthetic))
		mark_served(st);
	return (ssize_t)n;
}

static void
stream_free(void *cls)
{
	struct stream *st = cls;

	buf_release(&st->body);
	free(st);
}

bool
request_wants_gzip(const struct request *rq)
{
	const char *accept = MHD_lookup_connection_value(rq->conn,
	    MHD_HEADER_KIND, "Accept-Encoding");

	return rq->sim->opt.gzip && accept != NULL &&
	    strstr(accept, "gzip") != NULL;
}

/* Bend body as the fault says; true when it is gzip afterwards. */
static bool
distort(const struct request *rq, struct reply *r)
{
	bool synthetic = r->blob != NULL && r->blob->synthetic > 0;
	bool gzip = request_wants_gzip(rq) && r->body.len > 100 && !synthetic;

	if (r->packed)
		return true;
	if (rq->fault == FAULT_EMPTY_200)
		buf_clear(&r->body);
	if (rq->fault == FAULT_TRUNCATE ||
	    (rq->fault == FAULT_GZIP_TRUNCATE && !gzip))
		r->body.len -= r->body.len / 3 + (r->body.len > 0);
	if (gzip)
		content_pack(&r->body);
	if (gzip && rq->fault == FAULT_GZIP_TRUNCATE)
		r->body.len -= r->body.len / 3;
	return gzip;
}

static struct MHD_Response *
make_response(const struct request *rq, struct reply *r)
{
	struct stream *st = xcalloc(1, sizeof(*st));
	bool synthetic = r->blob != NULL && r->blob->synthetic > 0;

	st->sim = rq->sim;
	st->body = r->body;
	st->fault = rq->fault;
	st->blob = r->blob;
	st->content = rq->content;
	st->cut = st->body.len / 2;
	st->fd =
	    MHD_get_connection_info(rq->conn, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
	buf_init(&r->body, SIZE_MAX / 2);
	return MHD_create_response_from_callback(synthetic ||
		    rq->fault == FAULT_CHUNKED
		? MHD_SIZE_UNKNOWN
		: st->body.len,
	    32768, stream_read, st, stream_free);
}

static void
add_date(const struct request *rq, struct MHD_Response *resp)
{
	int64_t ahead = rq->fault == FAULT_DATE_9D ? 9 * MS_DAY
	    : rq->fault == FAULT_DATE_3D           ? 3 * MS_DAY
						   : 0;
	time_t t = (time_t)((sim_clock(rq->sim) + ahead) / MS);
	char text[64];
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	(void)MHD_add_response_header(resp, "Date", text);
}

int
reply_send(struct request *rq, struct reply *r)
{
	struct MHD_Response *resp;
	bool gzip;
	int rc;

	if (rq->fault == FAULT_HANG) {
		for (int i = 0; i < HANG_MAX; i++)
			sim_sleep(MS);
	}
	if (rq->fault == FAULT_SLOW_TOKEN) {
		for (int i = 0; i < SLOW_TOKEN; i++)
			sim_sleep(MS);
	}
	if (rq->fault == FAULT_CLOSE || rq->fault == FAULT_HANG) {
		buf_release(&r->body);
		return MHD_NO;
	}
	gzip = distort(rq, r);
	resp = make_response(rq, r);
	if (resp == NULL)
		sim_die("no response could be made");
	if (gzip)
		(void)MHD_add_response_header(resp, "Content-Encoding", "gzip");
	if (rq->fault == FAULT_CTYPE)
		r->type = "text/plain";
	if (r->type != NULL)
		(void)MHD_add_response_header(resp, "Content-Type", r->type);
	for (size_t i = 0; i < r->n_headers; i++)
		(void)MHD_add_response_header(resp, r->header[i].name,
		    r->header[i].value);
	add_date(rq, resp);
	rc = (int)MHD_queue_response(rq->conn, (unsigned)r->status, resp);
	MHD_destroy_response(resp);
	return rc;
}
