/*
 * intake_splunk_hec.c - Splunk's HTTP event collector, as its documents and
 * measurements of Splunk 10.4 describe it.
 *
 * Codes and statuses: "Troubleshoot HTTP Event Collector" (help.splunk.com).
 * Channels and numbers: "About HTTP Event Collector Indexer Acknowledgment": a
 * number is said to be true once, others and unknown ones are false; a restart
 * forgets them.  Objects in front of the one at fault are indexed.  Stricter
 * than Splunk: an unknown key of an envelope, which loses events there without
 * a word, is refused here.
 *
 * Others that speak it are rows of speakers below.
 *
 * Options: token; acks, "1": the token has acknowledgement; index, the only one
 * allowed; max, bytes of a body; disabled, "1"; late, "1": what is taken is not
 * indexed while it says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

#define OPEN_MAX 10000

/* Who speaks it, and how: library.humio.com, "Ingesting with HTTP Event
 * Collector" and "Limits and Standards" (1 MB an event; nothing is said of the
 * events beside a bad one); docs.cribl.io, "Splunk HEC Source"; Vector's
 * source splunk_hec (401 code 4, what stands in front of a bad object is sent
 * on); Fluent Bit's in_splunk (only "No data" and "Invalid data format" have a
 * code, other errors are texts, as 400 for a path that it has not; the number
 * of a bad object is not told). */
static const struct speaker {
	const char *name;   /* of the kind */
	const char *scheme; /* of Authorization */
	const char *paths[3];
	unsigned denied;     /* status for a token that is not known */
	size_t event_max;    /* bytes; 0: any */
	bool texts;          /* errors have no code, but 6 … */
	bool empty_is_coded; /* … and 5 */
	unsigned nowhere;    /* status for another path; 0: 404 */
	bool numbers;        /* it tells which object is bad */
	bool keeps;          /* those in front of that are stored */
	bool takes_any_keys; /* what it does not know is left out */
} speakers[] = {
	{ .name = "splunk-hec",
	    .scheme = "Splunk ",
	    .paths = { "/services/collector/event",
		"/services/collector/event/1.0", "/services/collector" },
	    .denied = 403,
	    .numbers = true,
	    .keeps = true },
	{ .name = "crowdstrike-logscale",
	    .scheme = "Bearer ",
	    .paths = { "/api/v1/ingest/hec", "/services/collector" },
	    .denied = 401,
	    .event_max = 1000000,
	    .texts = true },
	{ .name = "cribl",
	    .scheme = "Splunk ",
	    .paths = { "/services/collector/event", "/services/collector" },
	    .denied = 403,
	    .texts = true,
	    .takes_any_keys = true },
	{ .name = "vector",
	    .scheme = "Splunk ",
	    .paths = { "/services/collector/event",
		"/services/collector/event/1.0", "/services/collector" },
	    .denied = 401,
	    .numbers = true,
	    .keeps = true,
	    .takes_any_keys = true },
	{ .name = "fluent-bit",
	    .scheme = "Splunk ",
	    .paths = { "/services/collector/event", "/services/collector" },
	    .denied = 401,
	    .texts = true,
	    .empty_is_coded = true,
	    .nowhere = 400,
	    .takes_any_keys = true },
};

static const struct speaker *
speaker_of(const struct call *c)
{
	const struct speaker *s = speakers;

	while (strcmp(s->name, c->place->kind->name) != 0)
		s++;
	return s;
}

enum ack { ACK_NONE, ACK_YOUNG, ACK_TRUE, ACK_LOST };

struct channel {
	struct channel *next;
	char id[64];
	unsigned n; /* numbers given */
	unsigned open;
	unsigned char ack[1 << 16];
};

static void
answer_code(struct call *c, unsigned status, int code, const char *text)
{
	const struct speaker *s = speaker_of(c);

	if (status >= 400 && s->texts && code != 6 &&
	    (code != 5 || !s->empty_is_coded))
		reply_text(c, status, "error: %s\n", text);
	else
		reply_text(c, status, "{\"text\":\"%s\",\"code\":%d}", text,
		    code);
}

static void
answer_event(struct call *c, int code, const char *text, size_t n)
{
	if (speaker_of(c)->numbers)
		reply_text(c, 400,
		    "{\"text\":\"%s\",\"code\":%d,\"invalid-event-number\":"
		    "%zu}",
		    text, code, n);
	else
		answer_code(c, 400, code, text);
}

static bool
option_is(const struct call *c, const char *option, const char *want)
{
	char *have = place_option(c->place, option, "");
	bool same = strcmp(have, want) == 0;

	free(have);
	return same;
}

/* Is it let in?  What is not is answered. */
static bool
authorized(struct call *c)
{
	const struct speaker *s = speaker_of(c);
	const char *have = recv_header(c->rq, "Authorization");
	size_t n = strlen(s->scheme);
	char *token = place_option(c->place, "token", "abc");
	bool good = false;

	if (have[0] == '\0')
		answer_code(c, 401, 2, "Token is required");
	else if (strncmp(have, s->scheme, n) != 0)
		answer_code(c, 401, 3, "Invalid authorization");
	else if (strcmp(have + n, token) != 0)
		answer_code(c, s->denied, 4, "Invalid token");
	else if (option_is(c, "disabled", "1"))
		answer_code(c, 403, 1, "Token disabled");
	else
		good = true;
	free(token);
	return good;
}

/* RFC 4122, as a channel has to be. */
static bool
is_guid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != strlen(form))
		return false;
	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == '-'
			? s[i] != '-'
			: strchr("0123456789abcdefABCDEF", s[i]) == NULL)
			return false;
	return true;
}

/* The channel of the request; NULL: answered. */
static struct channel *
channel_of(struct call *c)
{
	const char *id = recv_header(c->rq, "X-Splunk-Request-Channel");
	struct channel *ch = c->place->state;

	if (id[0] == '\0') {
		answer_code(c, 400, 10, "Data channel is missing");
		return NULL;
	}
	if (!is_guid(id)) {
		answer_code(c, 400, 11, "Invalid data channel");
		return NULL;
	}
	while (ch != NULL && strcmp(ch->id, id) != 0)
		ch = ch->next;
	if (ch != NULL)
		return ch;
	ch = xcalloc(1, sizeof(*ch));
	(void)snprintf(ch->id, sizeof(ch->id), "%s", id);
	ch->next = c->place->state;
	c->place->state = ch;
	return ch;
}

static void
forget(struct place *p)
{
	struct channel *ch = p->state, *next;

	for (; ch != NULL; ch = next) {
		next = ch->next;
		free(ch);
	}
	p->state = NULL;
}

/*
 * Events.
 */

static bool
is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

static bool
fields_are_flat(const json_t *fields)
{
	const char *key;
	json_t *value;

	if (fields == NULL)
		return true;
	if (!json_is_object(fields))
		return false;
	json_object_foreach((json_t *)(uintptr_t)fields, key, value)
	{
		if (!json_is_string(value) && !json_is_number(value))
			return false;
	}
	return true;
}

static bool
keys_are_known(const json_t *o)
{
	static const char *const known[] = { "time", "host", "source",
		"sourcetype", "index", "fields", "event" };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)o, key, value)
	{
		bool good = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			good = good || strcmp(key, known[i]) == 0;
		if (!good)
			return false;
	}
	return true;
}

/* Find fault with object n; false: answered. */
static bool
is_good(struct call *c, const json_t *o, const char *text, size_t len, size_t n)
{
	const json_t *event = json_object_get(o, "event");
	const json_t *time = json_object_get(o, "time");
	const char *index = json_string_value(json_object_get(o, "index"));
	const struct speaker *s = speaker_of(c);

	if (!json_is_object(o) || (!s->takes_any_keys && !keys_are_known(o)) ||
	    (s->event_max > 0 && len > s->event_max + 1024) ||
	    (time != NULL && !json_is_number(time)) || is_poison(c, text, len))
		answer_event(c, 6, "Invalid data format", n);
	else if (event == NULL)
		answer_event(c, 12, "Event field is required", n);
	else if (json_is_null(event) || json_is_false(event))
		answer_event(c, 6, "Invalid data format", n);
	else if (json_is_string(event) && is_blank(json_string_value(event)))
		answer_event(c, 13, "Event field cannot be blank", n);
	else if (!fields_are_flat(json_object_get(o, "fields")))
		answer_event(c, 15, "Error in handling indexed fields", n);
	else if (index != NULL && !option_is(c, "index", "") &&
	    !option_is(c, "index", index))
		answer_event(c, 7, "Incorrect index", n + 1);
	else
		return true;
	return false;
}

/* The bytes of the value of "event", which stands last; as a string those of
 * the text in it. */
static void
store(struct call *c, const json_t *o, const char *text, size_t len)
{
	const json_t *event = json_object_get(o, "event");
	const json_t *fields = json_object_get(o, "fields");
	const char *at = memmem(text, len, ",\"event\":", 9);
	const char *feed =
	    json_string_value(json_object_get(fields, "sealfeed_feed"));
	const char *index =
	    json_string_value(json_object_get(fields, "sealfeed_index"));
	const char *agent =
	    json_string_value(json_object_get(fields, "sealfeed_agent"));

	if (at == NULL || feed == NULL || agent == NULL)
		recv_die("no event of sealfeed: %.*s", (int)len, text);
	at += 9;
	len = (size_t)(text + len - at) - 1;
	if (json_is_string(event)) {
		at = json_string_value(event);
		len = json_string_length(event);
	}
	if (index == NULL)
		place_store_line(c, at, len);
	else
		place_store(c, feed, agent, strtoull(index, NULL, 10), at, len);
}

/* Look at the objects one by one, and where keep is set store them; false:
 * answered. */
static bool
take_events(struct call *c, bool keep)
{
	const char *at = c->body->data, *end = at + c->body->len;

	for (size_t n = 0;; n++) {
		json_error_t e;
		json_t *o;
		bool good;

		at += strspn(at, " \t\r\n");
		if (at == end)
			return true;
		o = json_loadb(at, (size_t)(end - at),
		    JSON_DISABLE_EOF_CHECK | JSON_DECODE_INT_AS_REAL |
			JSON_ALLOW_NUL,
		    &e);
		if (o == NULL) {
			answer_event(c, 6, "Invalid data format", n);
			return false;
		}
		good = is_good(c, o, at, (size_t)e.position, n);
		if (good && keep)
			store(c, o, at, (size_t)e.position);
		json_decref(o);
		at += e.position;
		if (!good)
			return false;
		if (keep && c->fault == PARTIAL &&
		    at > c->body->data + c->body->len / 2) {
			answer_code(c, 503, 9, "Server is busy");
			return false;
		}
	}
}

static void
events(struct call *c)
{
	bool acks = option_is(c, "acks", "1");
	char *max = place_option(c->place, "max", "838860800");
	struct channel *ch = acks ? channel_of(c) : NULL;

	if (acks && ch == NULL)
		;
	else if (strcmp(recv_header(c->rq, "Content-Type"),
		     "application/json") != 0)
		answer_code(c, 400, 6, "header 'Content-Type' is not set");
	else if (c->rq->body.len > strtoull(max, NULL, 10))
		reply_page(c, 413, "Content-Length too large");
	else if (c->body->len == 0)
		answer_code(c, 400, 5, "No data");
	else if (acks && ch->open >= OPEN_MAX)
		answer_code(c, 429, 27, "Ack channel is full");
	else if ((!speaker_of(c)->keeps && !take_events(c, false)) ||
	    !take_events(c, true))
		;
	else if (!acks)
		answer_code(c, 200, 0, "Success");
	else {
		ch->ack[ch->n] = c->fault == LOST_ACK ? ACK_LOST : ACK_YOUNG;
		ch->open++;
		reply_text(c, 200,
		    "{\"text\":\"Success\",\"code\":0,\"ackId\":%u}", ch->n++);
	}
	free(max);
}

/*
 * Acknowledgement.
 */

/* Asked for the first time it is not indexed yet. */
static bool
is_true(struct channel *ch, json_int_t n)
{
	if (n < 0 || n >= (json_int_t)ch->n || ch->ack[n] == ACK_NONE ||
	    ch->ack[n] == ACK_LOST)
		return false;
	if (ch->ack[n]++ == ACK_YOUNG)
		return false;
	ch->ack[n] = ACK_NONE;
	ch->open--;
	return true;
}

static void
tell_acks(struct call *c)
{
	struct channel *ch = channel_of(c);
	json_t *asked, *n, *told = json_object();
	bool late = option_is(c, "late", "1");
	char number[32], *text;
	size_t i;

	asked = c->body->len == 0
	    ? NULL
	    : json_loadb(c->body->data, c->body->len, 0, NULL);
	if (ch == NULL) {
	} else if (!json_is_array(json_object_get(asked, "acks"))) {
		answer_code(c, 400, 6, "Invalid data format");
	} else {
		json_array_foreach(json_object_get(asked, "acks"), i, n)
		{
			(void)snprintf(number, sizeof(number), "%lld",
			    json_integer_value(n));
			(void)json_object_set_new(told, number,
			    json_boolean(!late &&
				is_true(ch, json_integer_value(n))));
		}
		text = json_dumps(told, JSON_COMPACT);
		reply_text(c, 200, "{\"acks\":%s}", text);
		free(text);
	}
	json_decref(asked);
	json_decref(told);
}

static void
take(struct call *c)
{
	const struct speaker *s = speaker_of(c);
	bool event = false;

	for (size_t i = 0; i < sizeof(s->paths) / sizeof(s->paths[0]); i++)
		event = event ||
		    (s->paths[i] != NULL && strcmp(c->path, s->paths[i]) == 0);

	if (c->fault == FORGET)
		forget(c->place);
	if (strcmp(c->path, "/services/collector/health") == 0)
		answer_code(c, 200, 17, "HEC is healthy");
	else if (!event && strcmp(c->path, "/services/collector/ack") != 0)
		answer_code(c, s->nowhere != 0 ? s->nowhere : 404, 404,
		    "The requested URL was not found");
	else if (strcmp(c->rq->method, "POST") != 0)
		answer_code(c, 405, 404, "Method not allowed");
	else if (!authorized(c))
		;
	else if (event)
		events(c);
	else if (!option_is(c, "acks", "1"))
		answer_code(c, 400, 14, "ACK is disabled");
	else
		tell_acks(c);
}

const struct intake_kind intake_splunk_hec = { .name = "splunk-hec",
	.take = take };
const struct intake_kind intake_crowdstrike_logscale = {
	.name = "crowdstrike-logscale",
	.take = take
};
const struct intake_kind intake_cribl = { .name = "cribl", .take = take };
const struct intake_kind intake_vector = { .name = "vector", .take = take };
const struct intake_kind intake_fluent_bit = { .name = "fluent-bit",
	.take = take };
