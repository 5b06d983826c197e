/*
 * fuzz_answer.c - any bytes as what an HTTP receiver answers to a POST: the
 * first byte says which receiver it is, the rest comes over a socket.  No
 * answer delivers but one of 2xx that can be the receiver's own, none is
 * without a readable sentence, and nobody makes us wait for longer than a day.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "http/access.h"
#include "http/client.h"
#include "outputs/http/exchange.h"
#include "outputs/http/headers.h"
#include "outputs/http/page.h"
#include "outputs/http/receipt.h"
#include "tests/fuzz/fuzz.h"

#define URL "http://localhost/in"

/* More does not fit into a socket at once. */
#define ANSWER_MAX ((size_t)32 << 10)

/* Receivers: what they may answer with. */
static const struct {
	bool given; /* without: any body but a page */
	const char *expect;
	bool plain;
} receivers[] = {
	{ false, NULL, false },
	{ true, NULL, true },
	{ true, "^(ok|\\{.*\"code\":0.*\\})$", true },
};
#define RECEIVERS (sizeof(receivers) / sizeof(receivers[0]))

static struct http_conf conf = { .timeout = 2 * CLOCK_SECOND };
static struct http_access *access_;
static struct receipt receipt[RECEIVERS];
static CURLM *multi;
static int listener;
static char name[64]; /* of the socket, in Linux's abstract space */

/* The receiver's side, without a port or a thread. */
static void
listen_here(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n =
	    snprintf(name, sizeof(name), "sealfeed-fuzz-%ld", (long)getpid());
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
	    (socklen_t)n;

	memcpy(a.sun_path + 1, name, (size_t)n);
	listener =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(listener != -1 &&
	    bind(listener, (struct sockaddr *)&a, len) == 0 &&
	    listen(listener, 8) == 0);
}

static void
begin(void)
{
	struct err err = ERR_INIT;

	multi = curl_multi_init();
	access_ = http_access_open(&conf, &err);
	FUZZ_CHECK(access_ != NULL && multi != NULL);
	listen_here();
	for (size_t i = 0; i < RECEIVERS; i++)
		if (receivers[i].given)
			FUZZ_CHECK(receipt_init(&receipt[i],
				       receivers[i].expect, receivers[i].plain,
				       &err) == 0);
}

/* Carry out what x is aimed at; the receiver says data and no more. */
static CURLcode
exchange_with(struct exchange *x, const uint8_t *data, size_t size)
{
	CURLcode result = CURLE_GOT_NOTHING;
	CURLMsg *m;
	int running = 1, fd = -1, left;

	FUZZ_CHECK(curl_easy_setopt(x->easy, CURLOPT_ABSTRACT_UNIX_SOCKET,
		       name) == CURLE_OK &&
	    curl_multi_add_handle(multi, x->easy) == CURLM_OK);
	while (running > 0) {
		FUZZ_CHECK(curl_multi_perform(multi, &running) == CURLM_OK);
		if (fd == -1 && running > 0) {
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (fd == -1)
				continue;
			FUZZ_CHECK(file_write_all(fd, data, size) == 0);
			FUZZ_CHECK(shutdown(fd, SHUT_WR) == 0);
		}
		if (running > 0)
			FUZZ_CHECK(curl_multi_poll(multi, NULL, 0, 1000,
				       NULL) == CURLM_OK);
	}
	while ((m = curl_multi_info_read(multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE)
			result = m->data.result;
	FUZZ_CHECK(curl_multi_remove_handle(multi, x->easy) == CURLM_OK);
	if (fd != -1)
		(void)close(fd);
	return result;
}

static void
check_text(const char *s)
{
	struct buf clean = BUF_INIT(8192);

	FUZZ_CHECK(*s != '\0');
	FUZZ_CHECK(text_printable(&clean, s, strlen(s)) == 0);
	FUZZ_CHECK(strcmp(clean.data, s) == 0);
	buf_release(&clean);
}

/* A page under 2xx does not deliver, unless it is what was expected. */
static void
check_verdict(const struct exchange *x, size_t receiver, CURLcode rc)
{
	const struct intake_response r = exchange_response(x);
	struct buf text = BUF_INIT(INTAKE_ANSWER_MAX);
	char why[1024], type[128];
	enum verdict verdict = exchange_judge(x, URL, rc, why, sizeof(why));

	check_text(why);
	FUZZ_CHECK(strncmp(why, URL ": ", strlen(URL) + 2) == 0);
	FUZZ_CHECK(r.len == strlen(r.body) ||
	    memchr(r.body, '\0', r.len) != NULL);
	if (verdict == VERDICT_DELIVERED) {
		FUZZ_CHECK(rc == CURLE_OK && r.status / 100 == 2);
		(void)intake_answer_header(&r, "content-type", type,
		    sizeof(type));
		page_text((struct slice){ r.body, r.len }, &text);
		FUZZ_CHECK(receivers[receiver].expect != NULL ||
		    !page_is((struct slice){ text.data, text.len }, type,
			r.cut));
		buf_release(&text);
	}
	if (rc == CURLE_OK && r.status / 100 == 3)
		FUZZ_CHECK(verdict == VERDICT_BLOCKED);
}

static void
check_headers(const struct exchange *x)
{
	static const char *const names[] = { "date", "retry-after", "location",
		"content-type" };
	const struct intake_response r = exchange_response(x);
	int64_t delay = exchange_delay(x);
	char value[32];

	FUZZ_CHECK(delay >= 0 && delay <= CLOCK_DAY);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool there =
		    intake_answer_header(&r, names[i], value, sizeof(value));

		FUZZ_CHECK(there == (value[0] != '\0'));
		FUZZ_CHECK(strlen(value) < sizeof(value));
		FUZZ_CHECK(strpbrk(value, "\r\n") == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exchange x = { .easy = NULL };
	struct err err = ERR_INIT;
	size_t receiver;
	CURLcode rc;

	if (access_ == NULL)
		begin();
	if (size == 0 || size > ANSWER_MAX)
		return 0;
	receiver = data[0] % RECEIVERS;
	FUZZ_CHECK(exchange_init(&x,
		       receivers[receiver].given ? &receipt[receiver] : NULL,
		       NULL, &err) == 0);
	FUZZ_CHECK(intake_request_begin(&x.request, URL) == 0);
	FUZZ_CHECK(buf_adds(&x.request.body, "{}\n") == 0);
	FUZZ_CHECK(exchange_aim(&x, access_, NULL, false, &err) == 0);
	rc = exchange_with(&x, data + 1, size - 1);
	check_verdict(&x, receiver, rc);
	check_headers(&x);
	exchange_release(&x);
	return 0;
}
