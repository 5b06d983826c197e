/*
 * intake_sumologic.c - an HTTP source of Sumo Logic, as help.sumologic.com
 * describes it: "Upload Data to an HTTP Source", "Troubleshooting HTTP
 * Sources".
 *
 * POST to the address, which ends with a token: another is answered 401.  Lines
 * of UTF-8; with the type of a metric they would be none.  200 without a body.
 * Stricter: a request over 1 MB is refused unless it is one line.
 *
 * Options: token.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/recv/intake.h"

#define BODY_MAX 1000000

static bool
is_utf8(const struct buf *b)
{
	for (size_t i = 0, n; i < b->len; i += n) {
		n = text_utf8(b->data + i, b->len - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* Does an event that is not wanted stand in one of the lines?  What stands in
 * front of an event is looked at: the agent's own tell of others. */
static bool
has_poison(const struct call *c)
{
	static const char behind[] = "\"agent\":";
	const char *at = c->body->data, *end = at + c->body->len, *head;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		lf = lf == NULL ? end : lf;
		head = memmem(at, (size_t)(lf - at), behind, strlen(behind));
		if (head != NULL && is_poison(c, at, (size_t)(head - at)))
			return true;
		at = lf + 1;
	}
	return false;
}

/* Keep the lines, of which there are so many or fewer. */
static void
keep(struct call *c)
{
	const char *at = c->body->data, *end = at + c->body->len, *lf;
	const char *middle = at + c->body->len / 2;

	while (at < end) {
		lf = memchr(at, '\n', (size_t)(end - at));
		if (lf == NULL)
			lf = end;
		if (c->fault != PARTIAL || at < middle)
			place_store_line(c, at, (size_t)(lf - at));
		at = lf + 1;
	}
}

static void
take(struct call *c)
{
	char *token = place_option(c->place, "token", "abc");
	char *path = xasprintf("/receiver/v1/http/%s", token);
	const struct buf *b = c->body;

	if (strcmp(c->path, path) != 0)
		reply_text(c, 401, "%s", "");
	else if (strcmp(c->rq->method, "POST") != 0)
		reply_text(c, 405, "%s", "");
	else if (recv_header(c->rq, "X-Sumo-Host")[0] == '\0' ||
	    strncmp(recv_header(c->rq, "Content-Type"), "text/plain", 10) !=
		0 ||
	    (b->len > 0 && !is_utf8(b)))
		reply_text(c, 400, "%s", "");
	else if (b->len > BODY_MAX &&
	    memchr(b->data, '\n', b->len) != b->data + b->len - 1)
		reply_text(c, 413, "%s", "");
	else if (has_poison(c))
		reply_text(c, 400, "%s", "");
	else {
		keep(c);
		reply_text(c, c->fault == PARTIAL ? 503 : 200, "%s", "");
	}
	free(path);
	free(token);
}

const struct intake_kind intake_sumologic = { .name = "sumologic",
	.take = take,
	.deflate = true };
