/*
 * fuzz_rules.c - any reply: what it means, and what is said about it.
 *
 * An input is "STATUS HEADER|HEADER||BODY", | standing for a line's end.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/client.h"
#include "http/rules.h"
#include "sources/office365/office365.h"
#include "tests/fuzz/fuzz.h"

/* What a sentence for the log and the agent's own feed may look like. */
static void
check_text(const char *s, size_t size)
{
	FUZZ_CHECK(strlen(s) < size);
	for (; *s != '\0'; s++)
		FUZZ_CHECK((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void
check_headers(const struct http_reply *reply)
{
	static const char *const names[] = { "NextPageUri", "Retry-After",
		"Date", "x" };
	char value[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!http_header(reply, names[i], value, sizeof(value)))
			continue;
		FUZZ_CHECK(strlen(value) < sizeof(value));
		FUZZ_CHECK(http_retry_after(value, 0) <= CLOCK_DAY);
		if (http_same_origin(value, "https://manage.office.com"))
			FUZZ_CHECK(strcasestr(value, "manage.office.com") !=
			    NULL);
	}
}

static void
check_judgement(struct http_reply *reply)
{
	struct reply_error e;
	struct outcome r;

	rules_error(reply->body.data, reply->body.len, &e);
	check_text(e.code, sizeof(e.code));
	check_text(e.message, sizeof(e.message));
	rules_judge(office365_rules, reply, &r);
	check_text(r.text, sizeof(r.text));
	FUZZ_CHECK(r.class < REPLY_CLASSES);
	FUZZ_CHECK(reply_class_name(r.class) != NULL);
	/* An error is never an empty page. */
	FUZZ_CHECK((r.class == REPLY_OK) == (reply->status / 100 == 2));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *space = size > 0 ? memchr(data, ' ', size) : NULL;
	const uint8_t *body;
	struct http_reply reply;
	size_t head = 0;

	if (space == NULL)
		return 0;
	http_reply_init(&reply);
	for (const uint8_t *p = data; p < space; p++)
		if (*p >= '0' && *p <= '9' && reply.status < 1000)
			reply.status = reply.status * 10 + *p - '0';
	space++;
	head = size - (size_t)(space - data);
	body = memmem(space, head, "||", 2);
	if (body != NULL) {
		head = (size_t)(body - space);
		body += 2;
		FUZZ_CHECK(buf_add(&reply.body, body,
			       size - (size_t)(body - data)) == 0);
	}
	if (head > 0)
		FUZZ_CHECK(buf_add(&reply.headers, space, head) == 0);
	for (size_t i = 0; i < reply.headers.len; i++)
		if (reply.headers.data[i] == '|')
			reply.headers.data[i] = '\n';
	check_headers(&reply);
	check_judgement(&reply);
	http_reply_release(&reply);
	return 0;
}
