/*
 * client.c - one request and its answer, blocking.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/when.h"
#include "config/secret.h"
#include "http/client.h"
#include "http/mute.h"
#include "http/pool.h"

/* Seconds since 1970 that are of these times: 2001 to 2128. */
#define EPOCH_MIN INT64_C(1000000000)
#define EPOCH_MAX INT64_C(5000000000)

struct http {
	struct http_access *access;
	unsigned generation; /* of access, that own was made for */
	http_stop_fn *stop;
	void *ctx;
	struct pooled own;
	struct http_body *body;
	char why[CURL_ERROR_SIZE];
	struct mute mute;
};

/* A request under way: what curl's callbacks see. */
struct transfer {
	struct http *h;
	const struct http_request *req;
	struct http_reply *reply;
	struct err *err;
	bool judged;  /* the reply's shape is known */
	bool refused; /* a callback of ours ended it; err says why */
};

struct http *
http_new(struct http_access *a, http_stop_fn *stop, void *ctx)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->access = a;
	h->stop = stop;
	h->ctx = ctx;
	h->body = http_body_new();
	pool_enter();
	return h;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	http_rest(h);
	pool_leave();
	http_body_free(h->body);
	free(h);
}

void
http_rest(struct http *h)
{
	/* After a reload nobody knows with what its connections were made. */
	if (http_access_generation(h->access) != h->generation) {
		curl_easy_cleanup(h->own.easy);
		h->own.easy = NULL;
	}
	pool_put(&h->own);
}

void
http_reply_init(struct http_reply *r)
{
	*r = (struct http_reply){ .retry_after = -1, .date = INT64_MIN };
	buf_init(&r->body, HTTP_BODY_MAX);
	buf_init(&r->headers, HTTP_HEADERS_MAX);
}

void
http_reply_release(struct http_reply *r)
{
	buf_release(&r->body);
	buf_release(&r->headers);
}

static void
reply_clear(struct http_reply *r)
{
	struct buf body = r->body, headers = r->headers;

	*r = (struct http_reply){ .retry_after = -1,
		.date = INT64_MIN,
		.body = body,
		.headers = headers };
	buf_clear(&r->body);
	buf_clear(&r->headers);
}

/* Length of a line's text, without white space at its end. */
static size_t
trimmed(const char *s, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
		len--;
	return len;
}

/* The value of the next header of that name, from *at on; NULL: there is none,
 * or no more. */
static const char *
next_header(const struct http_reply *r, const char *name, size_t *at,
    size_t *len)
{
	const size_t name_len = strlen(name);

	while (*at < r->headers.len) {
		const char *s = r->headers.data + *at;
		const size_t left = r->headers.len - *at;
		const char *nl = memchr(s, '\n', left);
		const size_t line = nl != NULL ? (size_t)(nl - s) + 1 : left;

		*at += line;
		*len = trimmed(s, line);
		if (*len <= name_len || s[name_len] != ':' ||
		    strncasecmp(s, name, name_len) != 0)
			continue;
		s += name_len + 1;
		*len -= name_len + 1;
		for (; *len > 0 && (*s == ' ' || *s == '\t'); s++)
			--*len;
		return s;
	}
	return NULL;
}

/* Copy a value.  RFC 9110 section 5.5: as a space counts what ends lines or
 * texts.  False: it is too long. */
static bool
copy_value(const char *value, size_t len, char *out, size_t size)
{
	if (len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = strchr("\r\n", value[i]) == NULL ? value[i] : ' ';
	out[len] = '\0';
	return true;
}

bool
http_header(const struct http_reply *r, const char *name, char *out,
    size_t size)
{
	size_t at = 0, len;
	const char *value = next_header(r, name, &at, &len);

	return value != NULL && copy_value(value, len, out, size);
}

/* A number is of seconds from now; but for one that only a time since 1970 is
 * as large as, in seconds or milliseconds.  -1: it is none. */
static int64_t
read_seconds(const char *value, int64_t now)
{
	char *end;
	const uintmax_t n = strtoumax(value, &end, 10);
	int64_t seconds;

	if (*end != '\0' && *end != '.')
		return -1;
	/* Some send "1.5": the whole second behind it. */
	seconds = n > INT64_MAX / CLOCK_SECOND - 1 ? CLOCK_DAY / CLOCK_SECOND
						   : (int64_t)n + (*end == '.');
	if (seconds >= EPOCH_MIN * 1000 && seconds < EPOCH_MAX * 1000)
		seconds = (seconds + 999) / 1000;
	if (seconds >= EPOCH_MIN && seconds < EPOCH_MAX)
		return seconds * CLOCK_SECOND - now;
	return seconds * CLOCK_SECOND;
}

int64_t
http_retry_after(const char *value, int64_t now)
{
	int64_t when, wait;

	if (when_read(WHEN_HTTP, (struct slice){ value, strlen(value) },
		&when) == 0 ||
	    when_read(WHEN_RFC3339, (struct slice){ value, strlen(value) },
		&when) == 0)
		wait = when - now;
	else if (*value >= '0' && *value <= '9' &&
	    (wait = read_seconds(value, now)) != -1)
		;
	else
		return -1;
	if (wait < 0)
		return 0;
	return wait < CLOCK_DAY ? wait : CLOCK_DAY;
}

/* What the Date says; INT64_MIN: there is none that can be read, or there are
 * two that differ, as behind a hop that adds its own. */
static int64_t
read_date(const struct http_reply *r)
{
	int64_t date = INT64_MIN, other;
	size_t at = 0, len;
	const char *value;
	char text[128];

	while ((value = next_header(r, "Date", &at, &len)) != NULL) {
		if (!copy_value(value, len, text, sizeof(text)) ||
		    clock_parse_http(text, &other) != 0)
			continue;
		if (date != INT64_MIN && date != other)
			return INT64_MIN;
		date = other;
	}
	return date;
}

/* The headers are complete: read those that every caller wants. */
static void
read_headers(struct http_reply *r)
{
	char value[128];
	int64_t now;

	r->date = read_date(r);
	r->date_at = clock_monotonic();
	now = r->date != INT64_MIN ? r->date : clock_now();
	if (http_header(r, "Retry-After", value, sizeof(value)))
		r->retry_after = http_retry_after(value, now);
	if (http_header(r, "Content-Type", value, sizeof(value))) {
		size_t i = 0;

		for (; i < sizeof(r->type) - 1; i++) {
			unsigned char c = (unsigned char)value[i];

			if (c == '\0' || c == ';' || c == ' ' || c == '\t')
				break;
			if (c >= 'A' && c <= 'Z')
				c = (unsigned char)(c - 'A' + 'a');
			r->type[i] = (char)c;
		}
		r->type[i] = '\0';
	}
}

static bool
is_json(const char *type)
{
	size_t len = strlen(type);

	return len == 0 || strcmp(type, "application/json") == 0 ||
	    strcmp(type, "text/json") == 0 ||
	    (len > 5 && strcmp(type + len - 5, "+json") == 0);
}

/* Is a body of any form the caller's? */
static bool
takes_any(const struct transfer *t)
{
	char etag[256];

	return t->req->any &&
	    (t->reply->shape != HTTP_PAGE || t->req->xml ||
		(t->req->file &&
		    http_header(t->reply, "ETag", etag, sizeof(etag))));
}

/* Does the body go to the caller's function? */
static bool
streams(const struct transfer *t)
{
	return t->req->take != NULL && t->reply->status == 200 &&
	    (t->reply->shape == HTTP_ARRAY ||
		(t->req->objects && t->reply->shape == HTTP_OBJECT) ||
		takes_any(t));
}

static int
give(struct transfer *t, const char *data, size_t len)
{
	t->reply->partial = true;
	return t->req->take(t->req->ctx, data, len, t->err);
}

/* Keep bytes in reply.body; what is judged by its beginning may be cut. */
static int
keep(struct transfer *t, const char *data, size_t len)
{
	struct http_reply *r = t->reply;
	size_t room = HTTP_BODY_MAX - r->body.len;

	if (room > 0 && buf_add(&r->body, data, len < room ? len : room) != 0)
		return err_set(t->err, "out of memory");
	if (r->bytes <= HTTP_BODY_MAX || t->req->take != NULL)
		return 0;
	return err_set(t->err, "a body of more than %d bytes", HTTP_BODY_MAX);
}

/* What an object that streams begins with may be an error under a 200, which is
 * no longer than this. */
#define ERROR_MAX ((size_t)4096)

/* gunzip_fn: the next bytes of the body itself. */
static int
take_body(void *ctx, const char *data, size_t len, struct err *err)
{
	struct transfer *t = ctx;
	struct http_reply *r = t->reply;

	r->bytes += len;
	if (t->judged && !streams(t))
		return keep(t, data, len);
	if (t->judged) {
		const size_t most = len < ERROR_MAX ? len : ERROR_MAX;

		if (r->shape == HTTP_OBJECT && r->body.len < ERROR_MAX &&
		    buf_add(&r->body, data, most) != 0)
			return err_set(err, "out of memory");
		return give(t, data, len);
	}
	/* White space without end is no body; what is unpacked comes in small
	 * pieces. */
	if (len > HTTP_BODY_MAX - r->body.len)
		return err_set(err, "a body of more than %d bytes of nothing",
		    HTTP_BODY_MAX);
	if (keep(t, data, len) != 0)
		return -1;
	r->shape = http_body_shape(r->body.data, r->body.len);
	if (r->shape == HTTP_EMPTY)
		return 0;
	t->judged = true;
	if (!streams(t))
		return 0;
	if (give(t, r->body.data, r->body.len) != 0)
		return -1;
	if (r->shape != HTTP_OBJECT)
		buf_clear(&r->body);
	return 0;
}

/* CURLOPT_WRITEFUNCTION */
static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	t->refused = http_body_push(t->h->body, data, len, t->err) != 0;
	return t->refused ? 0 : len;
}

/* Bodies are unpacked here: libcurl does not miss the end of one that is cut
 * off, and knows no faster library than zlib. */
static void
open_body(struct transfer *t)
{
	char coding[128];

	t->judged = false;
	if (!http_header(t->reply, "Content-Encoding", coding, sizeof(coding)))
		coding[0] = '\0';
	http_body_begin(t->h->body, coding, take_body, t);
}

/* CURLOPT_HEADERFUNCTION: one line at a time. */
static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct http_reply *r = t->reply;
	size_t len = size * n;
	long status = 0;

	/* A status line begins anew: an interim reply or a challenge came
	 * before. */
	if (len >= 5 && strncmp(data, "HTTP/", 5) == 0) {
		buf_clear(&r->headers);
		r->date = INT64_MIN;
		r->retry_after = -1;
		r->type[0] = '\0';
	}
	if (buf_add(&r->headers, data, len) != 0) {
		t->refused = true;
		(void)err_set(t->err, "headers of more than %d bytes",
		    HTTP_HEADERS_MAX);
		return 0;
	}
	if (trimmed(data, len) == 0) {
		(void)curl_easy_getinfo(t->h->own.easy, CURLINFO_RESPONSE_CODE,
		    &status);
		r->status = (int)status;
		read_headers(r);
		open_body(t);
	}
	return len;
}

/* CURLOPT_XFERINFOFUNCTION: about once a second. */
static int
on_progress(void *arg, curl_off_t dl_all, curl_off_t dl, curl_off_t ul_all,
    curl_off_t ul)
{
	const struct transfer *t = arg;

	(void)dl_all;
	(void)dl;
	(void)ul_all;
	(void)ul;
	return t->h->stop != NULL && t->h->stop(t->h->ctx);
}

/* Overwrite every occurrence of a text. */
static void
overwrite(struct buf *b, const char *text)
{
	const size_t len = strlen(text);
	char *at = b->data;

	while (at != NULL) {
		at = memmem(at, b->len - (size_t)(at - b->data), text, len);
		if (at != NULL) {
			memset(at, '*', len);
			at += len;
		}
	}
}

/* Keep a secret out of a reply, as it is and as a form has it.  One that is too
 * short to be one stays: its letters are everywhere, and a token without them
 * would be worth nothing. */
static void
scrub(struct buf *b, const char *secret)
{
	char *escaped;

	if (b->len == 0 || secret == NULL || strlen(secret) < SECRET_MIN)
		return;
	overwrite(b, secret);
	escaped = curl_easy_escape(NULL, secret, 0);
	if (escaped == NULL)
		return;
	overwrite(b, escaped);
	explicit_bzero(escaped, strlen(escaped));
	curl_free(escaped);
}

/* Append a header; an empty value takes out the one that curl would send. */
static int
add_header(struct curl_slist **list, const char *name, const char *value,
    struct err *err)
{
	struct curl_slist *longer;
	char *line;

	/* Else it would be another header, or the body. */
	if (strpbrk(name, ": \r\n") != NULL || strpbrk(value, "\r\n") != NULL)
		return err_set(err,
		    "header %.*s: there is a line break or another wrong "
		    "character in it",
		    (int)strcspn(name, ": \r\n"), name);
	line = xasprintf("%s:%s%s", name, *value != '\0' ? " " : "", value);
	longer = curl_slist_append(*list, line);
	explicit_bzero(line, strlen(line));
	free(line);
	if (longer == NULL)
		return err_set(err, "libcurl: out of memory");
	*list = longer;
	return 0;
}

static int
add_headers(struct curl_slist **list, const struct http_pair *p,
    struct err *err)
{
	for (; p != NULL && p->name != NULL; p++)
		if (add_header(list, p->name, p->value, err) != 0)
			return -1;
	return 0;
}

static bool
names(const struct http_pair *p, const char *name)
{
	for (; p != NULL && p->name != NULL; p++)
		if (strcasecmp(p->name, name) == 0)
			return true;
	return false;
}

static int
make_headers(const struct http_request *req, struct curl_slist **list,
    struct err *err)
{
	if (!names(req->headers, "Accept") &&
	    add_header(list, "Accept", "application/json", err) != 0)
		return -1;
	/* "100-continue" costs a second at servers that do not know it. */
	if (add_header(list, "Expect", "", err) != 0 ||
	    add_headers(list, req->headers, err) != 0 ||
	    add_headers(list, req->credentials, err) != 0)
		return -1;
	if (req->body == NULL)
		return 0;
	return add_header(list, "Content-Type",
	    req->type != NULL ? req->type : "", err);
}

static const char *
method(const struct http_request *req)
{
	if (req->method != NULL)
		return req->method;
	return req->body != NULL ? "POST" : "GET";
}

static void
free_headers(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

/* A handle whose connections lead to where url does, with the present
 * credentials. */
static int
ready(struct http *h, const char *url, struct err *err)
{
	uint8_t peer[DIGEST_LEN];
	const unsigned generation = http_access_peer(h->access, url, peer);

	if (memcmp(h->own.peer, peer, DIGEST_LEN) != 0)
		http_rest(h);
	if (h->own.easy != NULL) {
		curl_easy_reset(h->own.easy); /* keeps the connections */
		return 0;
	}
	h->generation = generation;
	memcpy(h->own.peer, peer, DIGEST_LEN);
	pool_take(&h->own);
	if (h->own.easy == NULL)
		h->own.easy = curl_easy_init();
	if (h->own.easy == NULL)
		return err_set(err, "libcurl: out of memory");
	return 0;
}

static int
prepare(struct transfer *t, struct curl_slist *headers)
{
	CURL *e = t->h->own.easy;
	const struct http_request *req = t->req;

	if (http_access_apply(t->h->access, e, req->url, t->err) != 0)
		return -1;
	mute_apply(&t->h->mute, e);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->h->why);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	(void)curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
	if (req->digest_user != NULL) {
		(void)curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
		(void)curl_easy_setopt(e, CURLOPT_USERNAME, req->digest_user);
		(void)curl_easy_setopt(e, CURLOPT_PASSWORD, req->secret);
	}
	(void)curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, req->once ? 1L : 0L);
	if (req->timeout > 0)
		(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS,
		    (long)(req->timeout / 1000));
	if (req->method != NULL)
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method);
	if (req->body == NULL)
		return 0;
	(void)curl_easy_setopt(e, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)strlen(req->body));
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, req->body);
	return 0;
}

/* What an administrator can do about a transfer that failed. */
static const struct {
	CURLcode code;
	const char *hint;
} hints[] = {
	{ CURLE_COULDNT_RESOLVE_PROXY, "check proxy and DNS" },
	{ CURLE_COULDNT_RESOLVE_HOST, "check DNS and the URL" },
	{ CURLE_COULDNT_CONNECT, "check the network, the firewall and proxy" },
	{ CURLE_PARTIAL_FILE, "the reply was truncated" },
	{ CURLE_HTTP2, "the HTTP/2 connection broke" },
	{ CURLE_HTTP2_STREAM, "the reply was truncated" },
	{ CURLE_OPERATION_TIMEDOUT,
	    "connect or stall timeout; check the network, or raise timeout" },
	{ CURLE_SSL_CONNECT_ERROR,
	    "the TLS handshake failed; check tls.ca, tls.cert and whether a "
	    "proxy inspects TLS" },
	{ CURLE_PEER_FAILED_VERIFICATION,
	    "the server's certificate is not trusted; check the URL, tls.ca "
	    "and whether a proxy inspects TLS" },
	{ CURLE_SSL_CERTPROBLEM, "check tls.cert and tls.key" },
};

const char *
http_tunnel_hint(void *easy)
{
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	/* tinyproxy says 401 about a wrong password. */
	if (status == 401 || status == 407)
		return "the proxy rejects the user and password, or requires "
		       "them; check proxy";
	if (status == 403)
		return "the proxy denies access; allow the host there";
	return NULL;
}

static int
explain(struct transfer *t, CURLcode code)
{
	const char *hint = http_tunnel_hint(t->h->own.easy);
	const char *why = t->h->why;

	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(t->err, "the agent is stopping");
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hint == NULL && hints[i].code == code)
			hint = hints[i].hint;
	if (*why == '\0')
		why = curl_easy_strerror(code);
	return err_set(t->err, "%s%s%s", why, hint != NULL ? "; " : "",
	    hint != NULL ? hint : "");
}

/* Byte order marks, of which each hand may put one in front, are not part of
 * what a body says. */
static void
drop_bom(struct buf *b)
{
	size_t n = 0;

	while (b->len - n >= 3 && memcmp(b->data + n, "\xef\xbb\xbf", 3) == 0)
		n += 3;
	if (n > 0)
		buf_drop(b, n);
}

/* A reply came whole: is it one? */
static int
accept_reply(struct transfer *t)
{
	struct http_reply *r = t->reply;
	char quoted[200];

	if (r->status == 204 && t->req->no_content)
		return 0;
	if (r->status == 206 ||
	    (t->req->take != NULL && r->status / 100 == 2 &&
		r->status != 200)) {
		r->odd = "partial";
		return err_set(t->err,
		    "status %d where only 200 is a whole reply; a proxy in "
		    "between may have changed it",
		    r->status);
	}
	if (t->req->take == NULL || r->status != 200 ||
	    r->shape == HTTP_ARRAY || r->shape == HTTP_OBJECT)
		return 0;
	if ((r->shape == HTTP_EMPTY && is_json(r->type)) || takes_any(t))
		return 0;
	http_body_quote(r->body.data, r->body.len, quoted, sizeof(quoted));
	r->odd = r->shape == HTTP_PAGE ? "page" : "not-json";
	if (r->shape == HTTP_EMPTY)
		return err_set(t->err,
		    "status 200 with an empty body of type %s where JSON was "
		    "expected",
		    r->type);
	if (r->shape == HTTP_PAGE)
		return err_set(t->err,
		    "status 200 with a page where JSON was expected: \"%s\"; "
		    "it is of a login, proxy or firewall in between",
		    quoted);
	return err_set(t->err,
	    "status 200 with a body of type %s where JSON was expected, which "
	    "begins: %s",
	    r->type, quoted);
}

static int
run(struct transfer *t)
{
	struct http_reply *r = t->reply;
	CURLcode code;
	long status = 0, sent = 0;

	t->h->why[0] = '\0';
	do
		code = curl_easy_perform(t->h->own.easy);
	while (!t->refused &&
	    mute_again(&t->h->mute, t->h->own.easy, &code, t->h->why));
	(void)curl_easy_getinfo(t->h->own.easy, CURLINFO_RESPONSE_CODE,
	    &status);
	(void)curl_easy_getinfo(t->h->own.easy, CURLINFO_REQUEST_SIZE, &sent);
	r->status = (int)status;
	r->sent = sent > 0;
	if (code == CURLE_OK) {
		if (http_body_end(t->h->body, t->err) != 0)
			return -1;
		drop_bom(&r->body);
		return accept_reply(t);
	}
	if (!t->refused)
		(void)explain(t, code);
	/* Perhaps what we present or trust was rotated. */
	if (!t->refused && code != CURLE_ABORTED_BY_CALLBACK) {
		struct err ignored = ERR_INIT;

		if (http_access_reload(t->h->access, &ignored) != 0)
			(void)err_prefix(t->err, "%.200s", ignored.text);
	}
	return -1;
}

int
http_do(struct http *h, const struct http_request *req,
    struct http_reply *reply, struct err *err)
{
	struct transfer t = { .h = h, .req = req, .reply = reply, .err = err };
	struct curl_slist *headers = NULL;
	int rc = -1;

	reply_clear(reply);
	if (ready(h, req->url, err) != 0)
		return -1;
	if (make_headers(req, &headers, err) == 0 && prepare(&t, headers) == 0)
		rc = run(&t);
	scrub(&reply->body, req->secret);
	if (rc != 0)
		(void)err_prefix(err, "%s %.*s", method(req),
		    (int)strcspn(req->url, "?"), req->url);
	(void)curl_easy_setopt(h->own.easy, CURLOPT_HTTPHEADER, NULL);
	free_headers(headers);
	return rc;
}
