/*
 * intake_lines.c - intakes that take sealfeed's lines, or the events alone.
 *
 * Logstash's input http (elastic.co/docs, "Http input plugin"): user and
 * password (401); the codec of application/json makes an event of each element
 * of an array, and one with a tag of what it cannot parse, which is refused
 * here; more than 100 MB are answered 413, a full queue 429; 200 "ok".
 *
 * Panther's HTTP source (docs.panther.com, "HTTP Source"): a header with the
 * shared secret (403); 1 MB with the headers, as sent (413); lines of JSON.
 *
 * Options: token, the password or the secret.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/recv/intake.h"

#define LOGSTASH_MAX ((size_t)100 << 20)
#define PANTHER_MAX 1000000

/* Numbers may be larger than those of jansson. */
#define READ (JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

/* Headers that count, roughly. */
#define HEADERS 500

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool
is_line(const json_t *o)
{
	return text_of(o, "agent") != NULL &&
	    (text_of(o, "feed") != NULL ||
		json_object_get(o, "checkpoint") != NULL);
}

/* Does one stand there that is not wanted? */
static bool
has_poison(const struct call *c, const json_t *o)
{
	const char *feed = text_of(o, "feed");

	return feed != NULL && json_object_get(o, "event") != NULL &&
	    is_poison_event(c, feed,
		(unsigned long long)json_number_value(json_object_get(o,
		    "index")));
}

/*
 * Logstash.
 */

static bool
has_password(const struct call *c)
{
	struct buf want = BUF_INIT(1024);
	char *token = place_option(c->place, "token", "abc");
	char *pair = xasprintf("sealfeed:%s", token);
	bool same;

	if (buf_adds(&want, "Basic ") != 0 ||
	    text_base64(&want, pair, strlen(pair)) != 0)
		recv_die("a password beyond reason");
	same = strcmp(recv_header(c->rq, "Authorization"), want.data) == 0;
	buf_release(&want);
	free(pair);
	free(token);
	return same;
}

/* All elements, or none: the bytes of each are looked for between the commas
 * at the top, since a parser would write them anew. */
static void
keep_array(struct call *c, const json_t *list)
{
	const char *at = c->body->data + 1;
	json_error_t e;
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		json_decref(json_loadb(at,
		    (size_t)(c->body->data + c->body->len - at),
		    READ | JSON_DISABLE_EOF_CHECK, &e));
		if (c->fault != PARTIAL || 2 * i < n)
			place_store_line(c, at, (size_t)e.position);
		at += e.position;
		at += strspn(at, ", \n");
	}
}

static void
take_logstash(struct call *c)
{
	json_t *list = c->body->len == 0
	    ? NULL
	    : json_loadb(c->body->data, c->body->len, READ, NULL);
	bool good = json_is_array(list);
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		good = good && is_line(o) && !has_poison(c, o);
	}
	if (strcmp(c->rq->method, "POST") != 0)
		reply_text(c, 405, "%s", "");
	else if (!has_password(c))
		reply_text(c, 401, "%s", "");
	else if (strcmp(recv_header(c->rq, "Content-Type"),
		     "application/json") != 0)
		reply_text(c, 415, "%s", "");
	else if (c->rq->body.len > LOGSTASH_MAX)
		reply_text(c, 413, "%s", "");
	else if (!good)
		reply_text(c, 400, "_jsonparsefailure");
	else {
		keep_array(c, list);
		reply_text(c, c->fault == PARTIAL ? 429 : 200, "%s",
		    c->fault == PARTIAL ? "" : "ok");
	}
	json_decref(list);
}

/*
 * Panther.
 */

/* Look at the lines, and where keep is set store them; false: one of them is
 * not wanted. */
static bool
take_lines(struct call *c, bool keep)
{
	const char *at = c->body->data, *end = at + c->body->len;
	const char *middle = at + c->body->len / 2;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		json_t *o;
		bool good;

		lf = lf == NULL ? end : lf;
		o = json_loadb(at, (size_t)(lf - at), READ, NULL);
		good = json_is_object(o) && !has_poison(c, o);
		json_decref(o);
		if (!good)
			return false;
		if (keep && (c->fault != PARTIAL || at < middle))
			place_store_line(c, at, (size_t)(lf - at));
		at = lf + 1;
	}
	return true;
}

static void
take_panther(struct call *c)
{
	char *token = place_option(c->place, "token", "abc");

	if (strcmp(c->rq->method, "POST") != 0 ||
	    strncmp(c->path, "/http/", 6) != 0)
		reply_text(c, 404, "%s", "");
	else if (strcmp(recv_header(c->rq, "x-api-key"), token) != 0)
		reply_text(c, 403, "{\"message\":\"Forbidden\"}");
	else if (c->rq->body.len > PANTHER_MAX - HEADERS)
		reply_text(c, 413, "%s", "");
	else if (!take_lines(c, false))
		reply_text(c, 400, "%s", "");
	else {
		(void)take_lines(c, true);
		reply_text(c, c->fault == PARTIAL ? 503 : 200, "%s", "");
	}
	free(token);
}

const struct intake_kind intake_logstash = { .name = "logstash",
	.take = take_logstash };
const struct intake_kind intake_panther = { .name = "panther",
	.take = take_panther };
