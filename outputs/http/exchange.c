/*
 * exchange.c - one request on a curl handle, and its answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "http/access.h"
#include "http/client.h"
#include "http/shown.h"
#include "outputs/http/exchange.h"
#include "outputs/http/headers.h"
#include "outputs/http/page.h"
#include "outputs/http/receipt.h"
#include "outputs/http/status.h"

/* What is shown of an answer in a reason. */
#define SHOWN_MAX 200

int
exchange_init(struct exchange *x, const struct receipt *receipt, CURLSH *share,
    struct err *err)
{
	x->share = share;
	x->receipt = receipt;
	buf_init(&x->request.body, EXCHANGE_BODY_MAX);
	buf_init(&x->answer, INTAKE_ANSWER_MAX);
	buf_init(&x->answer_headers, HTTP_HEADERS_MAX);
	x->easy = curl_easy_init();
	return x->easy == NULL ? err_set(err, "libcurl: cannot be initialised")
			       : 0;
}

/* libcurl 7.88 forgets its list of cookie files, which it should free, when a
 * handle is reset. */
static void
end_session(struct exchange *x)
{
	if (x->easy != NULL)
		(void)curl_easy_setopt(x->easy, CURLOPT_COOKIEFILE, NULL);
}

void
exchange_release(struct exchange *x)
{
	end_session(x);
	curl_easy_cleanup(x->easy);
	http_head_free(x->headers);
	intake_request_release(&x->request);
	buf_release(&x->answer);
	buf_release(&x->answer_headers);
	free(x->carried.line);
}

/* For CURLOPT_WRITEFUNCTION: the begin of the answer. */
static size_t
take_answer(char *data, size_t one, size_t len, void *ctx)
{
	struct exchange *x = ctx;
	size_t room = x->answer.ceiling - x->answer.len;

	(void)one;
	if (len > room)
		x->cut = true;
	if (buf_add(&x->answer, data, len < room ? len : room) != 0)
		return 0;
	return len;
}

/* For CURLOPT_HEADERFUNCTION: of the last answer; what comes before may be a
 * proxy's.  Headers beyond any reason are left out. */
static size_t
take_header(char *data, size_t one, size_t len, void *ctx)
{
	struct exchange *x = ctx;

	(void)one;
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
		buf_clear(&x->answer_headers);
	(void)!buf_add(&x->answer_headers, data, len);
	return len;
}

static CURLcode
set_method(struct exchange *x)
{
	const struct intake_request *r = &x->request;
	CURLcode rc;

	if (strcmp(r->method, "GET") == 0)
		return curl_easy_setopt(x->easy, CURLOPT_HTTPGET, 1L);
	rc = curl_easy_setopt(x->easy, CURLOPT_POST, 1L);
	if (rc == CURLE_OK && strcmp(r->method, "POST") != 0)
		rc =
		    curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, r->method);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body.len);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS,
		    r->body.data == NULL ? "" : r->body.data);
	return rc;
}

/* Cookies are kept in memory, and go only where they came from. */
static CURLcode
set_session(struct exchange *x)
{
	CURLcode rc = curl_easy_setopt(x->easy, CURLOPT_SHARE, x->share);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(x->easy, CURLOPT_COOKIEFILE, "");
	return rc;
}

int
exchange_aim(struct exchange *x, struct http_access *access,
    const struct curl_slist *common, bool fresh, struct err *err)
{
	struct intake_request *r = &x->request;

	if (r->failed)
		return err_set(err,
		    "request: its URL or a header is too long or malformed");
	http_head_free(x->headers);
	/* Expect: 100-continue costs a second at servers that ignore it. */
	x->headers = curl_slist_append(NULL, "Expect:");
	if (http_head_join(&x->headers, common) != 0 ||
	    http_head_join(&x->headers, r->headers) != 0)
		return err_set(err, "request: out of memory");
	end_session(x);
	curl_easy_reset(x->easy);
	if (http_access_apply(access, x->easy, r->url.data, err) != 0)
		return -1;
	mute_apply(&x->mute, x->easy);
	buf_clear(&x->answer);
	buf_clear(&x->answer_headers);
	x->cut = false;
	x->trouble[0] = '\0';
	if (set_method(x) != CURLE_OK || set_session(x) != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) !=
		CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_FRESH_CONNECT, (long)fresh) !=
		CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_SSL_SESSIONID_CACHE,
		(long)!fresh) != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take_answer) !=
		CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x) != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, take_header) !=
		CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x) != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->trouble) !=
		CURLE_OK)
		return err_set(err, "libcurl: rejects an option");
	return 0;
}

void
exchange_unpack(struct exchange *x)
{
	struct buf plain = BUF_INIT(INTAKE_ANSWER_MAX);

	if (page_unpack((struct slice){ x->answer.data, x->answer.len },
		&plain)) {
		x->cut = x->cut || plain.len == plain.ceiling;
		buf_release(&x->answer);
		x->answer = plain;
	}
	http_hide(x->request.url.data, &x->answer);
}

/* Is rc one of the codes, which end with CURLE_OK? */
static bool
is_one_of(CURLcode rc, const CURLcode *codes)
{
	while (*codes != CURLE_OK && *codes != rc)
		codes++;
	return *codes != CURLE_OK;
}

/* Is a failure of the transfer one of settings and not of the network? */
static bool
is_settings_error(CURLcode rc)
{
	static const CURLcode codes[] = { CURLE_UNSUPPORTED_PROTOCOL,
		CURLE_URL_MALFORMAT, CURLE_PEER_FAILED_VERIFICATION,
		CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
		CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
		CURLE_LOGIN_DENIED, CURLE_OK };

	return is_one_of(rc, codes);
}

bool
exchange_broke(const struct exchange *x, CURLcode rc)
{
	static const CURLcode codes[] = { CURLE_SEND_ERROR, CURLE_RECV_ERROR,
		CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_OPERATION_TIMEDOUT,
		CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_OK };
	curl_off_t sent = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	return sent > 0 && is_one_of(rc, codes);
}

/* No answer came: say why, and what that means. */
static enum verdict
judge_failure(const struct exchange *x, const char *url, CURLcode rc, char *why,
    size_t size)
{
	const char *hint = http_tunnel_hint(x->easy);

	(void)snprintf(why, size, "%s: %s%s%s", url,
	    x->trouble[0] == '\0' ? curl_easy_strerror(rc) : x->trouble,
	    hint == NULL ? "" : "; ", hint == NULL ? "" : hint);
	return hint != NULL || is_settings_error(rc) ? VERDICT_BLOCKED
						     : VERDICT_RETRY;
}

/* The begin of what the answer says, on one line. */
static void
one_line(const struct buf *answer, char out[SHOWN_MAX + 1])
{
	size_t len = 0;

	for (size_t i = 0; i < answer->len && i < SHOWN_MAX; i++) {
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

static int
status_of(const struct exchange *x)
{
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

/* What came, for a reason: ": its begin", or which page it is. */
static void
describe(const struct receipt_body *b, char out[SHOWN_MAX + 32])
{
	struct slice text = { b->text->data, b->text->len };
	char line[SHOWN_MAX + 1], title[PAGE_TITLE];

	if (page_is(text, b->type, b->cut)) {
		page_title(text, title);
		(void)snprintf(out, SHOWN_MAX + 32, " with a web page%s%s%s",
		    title[0] == '\0' ? "" : ", \"", title,
		    title[0] == '\0' ? "" : "\"");
		return;
	}
	one_line(b->text, line);
	(void)snprintf(out, SHOWN_MAX + 32, "%s%s", line[0] == '\0' ? "" : ": ",
	    line);
}

/* The headers that only firewalls send, of which the first one goes with 202
 * and nothing else (AWS WAF, "CAPTCHA and Challenge action behavior";
 * Cloudflare, "Detect a Challenge Page response"), and the one that sends a
 * browser elsewhere under 200. */
static const struct {
	const char *name;
	bool sure; /* whatever expect says */
	const char *why;
} foreign_marks[] = {
	{ "x-amzn-waf-action", true,
	    "its header x-amzn-waf-action says that AWS WAF has kept the "
	    "request, so nothing counts as delivered; let the rules of the web "
	    "ACL allow it" },
	{ "cf-mitigated", true,
	    "its header cf-mitigated says that Cloudflare has kept the "
	    "request, "
	    "so nothing counts as delivered; let its rules allow it" },
	{ "refresh", false,
	    "its header refresh sends browsers elsewhere, so nothing counts as "
	    "delivered; check url and what is on the way, or set expect" },
};

/* Why the headers show that somebody answers in the receiver's stead; NULL:
 * they do not. */
static const char *
foreign_mark(const struct exchange *x)
{
	bool expects = x->receipt != NULL && x->receipt->expects;
	char value[16];

	for (size_t i = 0; i < sizeof(foreign_marks) / sizeof(foreign_marks[0]);
	     i++)
		if ((foreign_marks[i].sure || !expects) &&
		    http_head_find(&x->answer_headers, foreign_marks[i].name,
			value, sizeof(value)))
			return foreign_marks[i].why;
	return NULL;
}

/* The verdict on the answer that came; why as above. */
static enum verdict
judge_answer(const struct exchange *x, const struct receipt_body *b,
    const char *url, char *why, size_t size)
{
	const struct http_meaning *m = http_meaning(status_of(x));
	char answer[SHOWN_MAX + 32], location[256], *to;
	enum verdict verdict = m->verdict;
	const char *hint = m->hint;

	if (verdict == VERDICT_DELIVERED) {
		hint = foreign_mark(x);
		if (hint == NULL)
			hint = receipt_fault(x->receipt, b);
		verdict = hint == NULL ? VERDICT_DELIVERED : VERDICT_BLOCKED;
	}
	describe(b, answer);
	(void)http_head_find(&x->answer_headers, "location", location,
	    sizeof(location));
	/* It may hold a token: of ours, or of a login. */
	to = http_shown(location);
	(void)snprintf(why, size, "%s: answers %d%s%s%s%s%s", url, status_of(x),
	    to[0] == '\0' ? "" : " to ", to, answer, hint == NULL ? "" : "; ",
	    hint == NULL ? "" : hint);
	free(to);
	return verdict;
}

/* Any bytes of an answer may be in it: they go on as text without control
 * characters. */
static void
clean(char *why, size_t size)
{
	struct buf text = BUF_INIT(size - 1);

	(void)text_printable(&text, why, strlen(why));
	(void)snprintf(why, size, "%s", text.data == NULL ? "" : text.data);
	buf_release(&text);
}

enum verdict
exchange_judge(const struct exchange *x, const char *url, CURLcode rc,
    char *why, size_t size)
{
	struct buf text = BUF_INIT(INTAKE_ANSWER_MAX);
	struct receipt_body b = { .text = &text, .cut = x->cut };
	char type[128];
	enum verdict verdict;

	if (rc == CURLE_OK) {
		(void)http_head_find(&x->answer_headers, "content-type", type,
		    sizeof(type));
		b.type = type;
		page_text((struct slice){ x->answer.data, x->answer.len },
		    &text);
		verdict = judge_answer(x, &b, url, why, size);
	} else {
		verdict = judge_failure(x, url, rc, why, size);
	}
	buf_release(&text);
	clean(why, size);
	return verdict;
}

int64_t
exchange_delay(const struct exchange *x)
{
	char date[64], retry_after[64];
	int64_t now, delay;

	if (!http_head_find(&x->answer_headers, "date", date, sizeof(date)) ||
	    clock_parse_http(date, &now) != 0)
		now = clock_now();
	(void)http_head_find(&x->answer_headers, "retry-after", retry_after,
	    sizeof(retry_after));
	delay = http_retry_after(retry_after, now);
	return delay > 0 ? delay : 0;
}

struct intake_response
exchange_response(const struct exchange *x)
{
	return (struct intake_response){
		.status = status_of(x),
		.lines = x->request.lines,
		.body = x->answer.data == NULL ? "" : x->answer.data,
		.len = x->answer.len,
		.cut = x->cut,
		.request = &x->request,
		.headers = &x->answer_headers,
	};
}
