/*
 * http.c - NDJSON lines posted over HTTPS, several requests in in-flight chunk.
 *
 * A chunk is one request, and delivered when the answer says so.  Where the
 * wire wants what the store holds, gzip of lines, the store's bytes are sent
 * as they are.  When no answer comes it is not known what became of a
 * request, and it is sent again.
 */
#include "outputs/http/conf.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "outputs/http/headers.h"
#include "outputs/http/status.h"
#include "outputs/output.h"

/* More than a chunk, or a single event, has. */
#define BODY_MAX ((size_t)1 << 30)

/* What is kept of an answer, for the reason. */
#define ANSWER_MAX 200

/* One request that can be in in-flight chunk. */
struct post {
	struct uplink *uplink;
	CURL *easy;
	struct chunk *chunk; /* NULL: free */
	struct buf body;
	struct buf answer;
	char retry_after[64];
	char date[64];
	char location[256];
	char trouble[CURL_ERROR_SIZE];
};

struct uplink {
	struct output *out;
	const struct http_output_conf *conf;
	struct http_access *access;
	struct curl_slist *headers;
	CURLM *multi;
	struct gzip *gzip;
	struct buf text;
	struct post *post;
	size_t n; /* of them */
	size_t flying;
	bool decided;
};

static void
uplink_free(struct uplink *u)
{
	for (size_t i = 0; i < u->n; i++) {
		curl_easy_cleanup(u->post[i].easy);
		buf_release(&u->post[i].body);
		buf_release(&u->post[i].answer);
	}
	if (u->multi != NULL)
		(void)curl_multi_cleanup(u->multi);
	http_head_free(u->headers);
	http_access_free(u->access);
	gzip_free(u->gzip);
	buf_release(&u->text);
	free(u->post);
	free(u);
}

static int
uplink_load(struct uplink *u, struct err *err)
{
	u->access = http_access_open(&u->conf->common, err);
	if (u->access == NULL || http_head(u->conf, &u->headers, err) != 0)
		return -1;
	u->gzip = gzip_new();
	u->multi = curl_multi_init();
	if (u->multi == NULL)
		return err_set(err, "libcurl: does not start");
	u->post = xcalloc((size_t)u->conf->parallel, sizeof(*u->post));
	for (; u->n < (size_t)u->conf->parallel; u->n++) {
		struct post *p = &u->post[u->n];

		p->uplink = u;
		buf_init(&p->body, BODY_MAX);
		buf_init(&p->answer, ANSWER_MAX);
		p->easy = curl_easy_init();
		if (p->easy == NULL)
			return err_set(err, "libcurl: does not start");
	}
	return 0;
}

static int
http_open(struct output *out, struct err *err)
{
	struct uplink *u = xcalloc(1, sizeof(*u));

	u->out = out;
	u->conf = out->conf;
	buf_init(&u->text, BODY_MAX);
	if (uplink_load(u, err) != 0) {
		uplink_free(u);
		return -1;
	}
	out->state = u;
	out->chunk_max = (size_t)u->conf->max_body;
	out->mode = "acknowledged";
	return 0;
}

static size_t
http_window(const struct output *out)
{
	const struct http_output_conf *conf = out->conf;

	return (size_t)conf->parallel;
}

/* The raw events of p, one a line. */
static int
bare_lines(struct chunk *p, struct buf *out, struct err *err)
{
	struct chunk_line line;

	for (size_t i = 0; i < chunk_lines(p); i++) {
		if (chunk_line(p, i, &line, err) != 0)
			return -1;
		if (!line.checkpoint &&
		    (buf_add(out, line.value, line.len) != 0 ||
			buf_add(out, "\n", 1) != 0))
			return err_set(err, "request: too large");
	}
	return 0;
}

/* Make the body of the request for p's chunk. */
static int
render(struct post *p, struct err *err)
{
	struct uplink *u = p->uplink;
	bool bare = u->conf->envelope == HTTP_ENVELOPE_NONE;

	buf_clear(&p->body);
	if (!bare && u->conf->compress)
		return chunk_gzip(p->chunk, &p->body, err);
	if (!bare)
		return chunk_text(p->chunk, &p->body, err);
	if (!u->conf->compress)
		return bare_lines(p->chunk, &p->body, err);
	buf_clear(&u->text);
	if (bare_lines(p->chunk, &u->text, err) != 0)
		return -1;
	if (u->text.len == 0)
		return 0; /* a checkpoint alone: there is nothing to send */
	return gzip_pack(u->gzip, u->text.data, u->text.len, &p->body, err);
}

/* For CURLOPT_WRITEFUNCTION: the begin of the answer. */
static size_t
take_answer(char *data, size_t one, size_t len, void *ctx)
{
	struct post *p = ctx;
	size_t room = ANSWER_MAX - p->answer.len;

	(void)one;
	if (buf_add(&p->answer, data, len < room ? len : room) != 0)
		return 0;
	return len;
}

/* For CURLOPT_HEADERFUNCTION. */
static size_t
take_header(char *data, size_t one, size_t len, void *ctx)
{
	struct post *p = ctx;

	(void)one;
	http_head_value(data, len, "retry-after", p->retry_after,
	    sizeof(p->retry_after));
	http_head_value(data, len, "date", p->date, sizeof(p->date));
	http_head_value(data, len, "location", p->location,
	    sizeof(p->location));
	return len;
}

static int
aim(struct post *p, struct err *err)
{
	struct uplink *u = p->uplink;

	curl_easy_reset(p->easy);
	if (http_access_apply(u->access, p->easy, u->conf->url, err) != 0)
		return -1;
	buf_clear(&p->answer);
	p->retry_after[0] = '\0';
	p->date[0] = '\0';
	p->location[0] = '\0';
	p->trouble[0] = '\0';
	if (curl_easy_setopt(p->easy, CURLOPT_POST, 1L) != CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t)p->body.len) != CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS,
		p->body.data == NULL ? "" : p->body.data) != CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, u->headers) !=
		CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, take_answer) !=
		CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p) != CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_HEADERFUNCTION, take_header) !=
		CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_HEADERDATA, p) != CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->trouble) !=
		CURLE_OK ||
	    curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p) != CURLE_OK)
		return err_set(err, "libcurl: refuses an option");
	return 0;
}

static void
http_send(struct output *out, struct chunk *chunk)
{
	struct uplink *u = out->state;
	struct err err = ERR_INIT;
	struct post *p = u->post;

	while (p->chunk != NULL)
		p++;
	p->chunk = chunk;
	if (render(p, &err) != 0) {
		p->chunk = NULL;
		output_done(out, chunk, VERDICT_REFUSED, 0, "%s", err.text);
		return;
	}
	chunk_unload(chunk);
	if (p->body.len == 0) {
		p->chunk = NULL;
		output_done(out, chunk, VERDICT_DELIVERED, 0, "%s", "");
		return;
	}
	if (aim(p, &err) != 0 ||
	    curl_multi_add_handle(u->multi, p->easy) != CURLM_OK) {
		p->chunk = NULL;
		output_done(out, chunk, VERDICT_BLOCKED, 0, "%s",
		    err.text[0] == '\0' ? "libcurl: takes no request"
					: err.text);
		return;
	}
	u->flying++;
}

/* Is a failure of the transfer one of settings and not of the network? */
static bool
settings_fault(CURLcode rc)
{
	static const CURLcode codes[] = { CURLE_UNSUPPORTED_PROTOCOL,
		CURLE_URL_MALFORMAT, CURLE_PEER_FAILED_VERIFICATION,
		CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
		CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
		CURLE_LOGIN_DENIED };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (rc == codes[i])
			return true;
	}
	return false;
}

/* No answer came: say why, and what that means. */
static enum verdict
judge_failure(const struct post *p, CURLcode rc, char *why, size_t size)
{
	const char *hint = http_tunnel_hint(p->easy);

	(void)snprintf(why, size, "%s: %s%s%s", p->uplink->conf->url,
	    p->trouble[0] == '\0' ? curl_easy_strerror(rc) : p->trouble,
	    hint == NULL ? "" : "; ", hint == NULL ? "" : hint);
	return hint != NULL || settings_fault(rc) ? VERDICT_BLOCKED
						  : VERDICT_RETRY;
}

/* What the answer says, on one line. */
static void
one_line(const struct buf *answer, char out[ANSWER_MAX + 1])
{
	size_t len = 0;

	for (size_t i = 0; i < answer->len; i++) {
		char c = answer->data[i];
		bool blank = (unsigned char)c <= ' ' || c == 0x7f;

		if (!blank)
			out[len++] = c;
		else if (len > 0 && out[len - 1] != ' ')
			out[len++] = ' ';
	}
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
}

/* Say in why what status and answer mean; returns the verdict. */
static enum verdict
judge(const struct post *p, CURLcode rc, char *why, size_t size)
{
	const char *url = p->uplink->conf->url;
	const struct http_meaning *m;
	char answer[ANSWER_MAX + 1];
	long status = 0;

	if (rc != CURLE_OK)
		return judge_failure(p, rc, why, size);
	one_line(&p->answer, answer);
	(void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	m = http_meaning((int)status);
	(void)snprintf(why, size, "%s: answers %ld%s%s%s%s%s%s", url, status,
	    p->location[0] == '\0' ? "" : " to ", p->location,
	    answer[0] == '\0' ? "" : ": ", answer, m->hint == NULL ? "" : "; ",
	    m->hint == NULL ? "" : m->hint);
	return m->verdict;
}

/* How long the answer asks to wait: a time in it is by its own clock. */
static int64_t
asked_delay(const struct post *p)
{
	int64_t now, delay;

	if (clock_parse_http(p->date, &now) != 0)
		now = clock_now();
	delay = http_retry_after(p->retry_after, now);
	return delay > 0 ? delay : 0;
}

static void
finish(struct post *p, CURLcode rc)
{
	struct uplink *u = p->uplink;
	struct chunk *chunk = p->chunk;
	curl_off_t sent = 0;
	char why[512];
	enum verdict v = judge(p, rc, why, sizeof(why));
	long connects = 0;

	(void)curl_easy_getinfo(p->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(p->easy, CURLINFO_NUM_CONNECTS, &connects);
	u->out->bytes += (uint64_t)sent;
	u->out->connects += (uint64_t)connects;
	(void)curl_multi_remove_handle(u->multi, p->easy);
	buf_release(&p->body);
	p->chunk = NULL;
	u->flying--;
	u->decided = true;
	output_done(u->out, chunk, v, asked_delay(p), "%s", why);
}

static void
http_drive(struct output *out, int wake_fd, int timeout_ms)
{
	struct uplink *u = out->state;
	struct curl_waitfd wake = { .fd = wake_fd, .events = CURL_WAIT_POLLIN };
	int64_t until = clock_monotonic() + timeout_ms * CLOCK_SECOND / 1000;
	int64_t left;
	CURLMsg *m;
	int n;

	u->decided = false;
	do {
		(void)curl_multi_perform(u->multi, &n);
		while ((m = curl_multi_info_read(u->multi, &n)) != NULL) {
			struct post *p = NULL;

			if (m->msg == CURLMSG_DONE &&
			    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE,
				&p) == CURLE_OK)
				finish(p, m->data.result);
		}
		left = until - clock_monotonic();
		if (u->decided || left <= 0)
			break;
		wake.revents = 0;
		(void)curl_multi_poll(u->multi, &wake, 1,
		    (int)((left + 999) / 1000), &n);
	} while (wake.revents == 0);
}

/* An empty request: whoever takes it, or finds fault with its emptiness, has
 * accepted host, path and credentials.  Splunk HEC answers 400 "No data",
 * Elasticsearch 400 "request body is required", Loki 400, a plain receiver of
 * lines 200.  Emptiness is packed as lines are: no bytes at all are no gzip,
 * which gateways and Go programs may answer with a 500. */
static int
http_probe(struct output *out, struct buf *message, struct err *err)
{
	struct uplink *u = out->state;
	struct post *p = &u->post[0];
	enum verdict v;
	char why[512];

	buf_clear(&p->body);
	if (u->conf->compress && gzip_pack(u->gzip, "", 0, &p->body, err) != 0)
		return -1;
	if (aim(p, err) != 0)
		return -1;
	v = judge(p, curl_easy_perform(p->easy), why, sizeof(why));
	if (v != VERDICT_DELIVERED && v != VERDICT_REFUSED)
		return err_set(err, "%s (to an empty request)", why);
	if (buf_addf(message,
		v == VERDICT_DELIVERED
		    ? "%s (to an empty request); delivery is acknowledged"
		    : "%s (to an empty request, which it may refuse; if the "
		      "reason is another one, correct that); delivery is "
		      "acknowledged",
		why) != 0)
		return err_set(err, "no room for what was found");
	return 0;
}

static void
http_close(struct output *out)
{
	struct uplink *u = out->state;

	for (size_t i = 0; i < u->n; i++) {
		struct post *p = &u->post[i];
		struct chunk *chunk = p->chunk;

		if (chunk == NULL)
			continue;
		(void)curl_multi_remove_handle(u->multi, p->easy);
		p->chunk = NULL;
		output_done(out, chunk, VERDICT_RETRY, 0,
		    "the output was closed");
	}
	uplink_free(u);
	out->state = NULL;
}

const struct output_type output_http = {
	.type.name = "http",
	.type.settings = http_output_settings,
	.type.conf_size = sizeof(struct http_output_conf),
	.type.check = http_output_check,
	.open = http_open,
	.window = http_window,
	.send = http_send,
	.drive = http_drive,
	.probe = http_probe,
	.close = http_close,
};
