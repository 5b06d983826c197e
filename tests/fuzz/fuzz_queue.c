/*
 * fuzz_queue.c - any bytes as what a queue of SQS answers, call after call.
 *
 * Only what is durable in the ledger may be worked on, only a message whose
 * objects are all in the store may be deleted, and none is held without a
 * handle.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/server_clock.h"
#include "sources/aws/s3.h"
#include "store/feed.h"
#include "tests/fuzz/fuzz.h"

/* Between two answers in an input. */
#define MARK "<next>"
#define POLLS 6
#define CALLS 200

static struct {
	struct slice rest;  /* answers, the last one again and again */
	unsigned calls;     /* of the queue */
	unsigned listed;    /* objects since the last flush */
	bool unsure;        /* listed and not flushed */
	unsigned char fate; /* what becomes of items, bit by bit */
} script;

struct ledger {
	bool open;
};

/* In the place of what is behind the queue, by the linker (Makefile.am). */
enum reply_class __wrap_request_send(struct worker *w, const struct api *api,
    const struct request *q, struct http_reply *reply, struct outcome *r);
int __wrap_s3_list_object(const struct s3 *o, struct ledger *l,
    const struct s3_object *object, int64_t now, struct buf *key,
    struct err *err);
int __wrap_item_find(struct feed *f, const char *key, enum item_state *state,
    int64_t *attempts, struct err *err);
struct ledger *__wrap_ledger_new(struct stream *st, struct ledger_known *known,
    bool thorough);
void __wrap_ledger_free(struct ledger *l);
int __wrap_ledger_flush(struct ledger *l, struct err *err);

/* Is it said of an object that it is in the store?  Its name tells. */
static bool
is_stored(const char *key)
{
	return (script.fate >> ((unsigned char)key[strlen(key) - 1] & 7) & 1) !=
	    0;
}

int
__wrap_item_find(struct feed *f, const char *key, enum item_state *state,
    int64_t *attempts, struct err *err)
{
	(void)f;
	if ((script.fate & 0xc0) == 0xc0 && script.calls % 3 == 2)
		return err_set(err, "the store is busy");
	*state = is_stored(key) ? ITEM_DONE : ITEM_LISTED;
	*attempts = (int64_t)(strlen(key) % 9);
	return 1;
}

int
__wrap_s3_list_object(const struct s3 *o, struct ledger *l,
    const struct s3_object *object, int64_t now, struct buf *key,
    struct err *err)
{
	(void)o;
	(void)now;
	FUZZ_CHECK(l->open);
	FUZZ_CHECK(*object->key != '\0' && *object->bucket != '\0');
	if (object->key[0] == '!')
		return err_set(err, "the ledger is full");
	buf_clear(key);
	/* Some are not wanted. */
	if (object->key[0] != '-')
		FUZZ_CHECK(buf_adds(key, object->key) == 0);
	script.listed++;
	return 0;
}

struct ledger *
__wrap_ledger_new(struct stream *st, struct ledger_known *known, bool thorough)
{
	struct ledger *l = xcalloc(1, sizeof(*l));

	(void)st;
	(void)known;
	(void)thorough;
	l->open = true;
	return l;
}

void
__wrap_ledger_free(struct ledger *l)
{
	free(l);
}

int
__wrap_ledger_flush(struct ledger *l, struct err *err)
{
	FUZZ_CHECK(l->open);
	if (script.fate % 16 == 15)
		return err_set(err, "the disk is full");
	script.unsure = false;
	return 0;
}

static struct s3_stream state;

/* A message that is held and has that handle. */
static const struct s3_message *
held(const char *handle)
{
	for (size_t i = 0; i < state.n; i++)
		if (strcmp(state.messages[i].handle, handle) == 0)
			return &state.messages[i];
	return NULL;
}

/* What is deleted is held, and done. */
static void
check_entries(const struct request *q, bool deletes)
{
	json_t *top = json_loads(q->body, 0, NULL), *entry;
	const json_t *entries = json_object_get(top, "Entries");
	size_t i;

	FUZZ_CHECK(top != NULL);
	FUZZ_CHECK(json_array_size(entries) <= 10);
	json_array_foreach(entries, i, entry)
	{
		const char *handle =
		    json_string_value(json_object_get(entry, "ReceiptHandle"));
		const struct s3_message *m;

		FUZZ_CHECK(handle != NULL && *handle != '\0');
		m = held(handle);
		FUZZ_CHECK(m != NULL);
		if (!deletes)
			continue;
		m = NULL;
		for (size_t k = 0; k < state.n; k++)
			if (state.messages[k].n == 0 &&
			    strcmp(state.messages[k].handle, handle) == 0)
				m = &state.messages[k];
		FUZZ_CHECK(m != NULL);
	}
	json_decref(top);
}

enum reply_class
__wrap_request_send(struct worker *w, const struct api *api,
    const struct request *q, struct http_reply *reply, struct outcome *r)
{
	struct slice s = script.rest;
	const char *end =
	    s.len == 0 ? NULL : memmem(s.data, s.len, MARK, strlen(MARK));
	struct err err = ERR_INIT;

	(void)w;
	(void)api;
	(void)reply;
	FUZZ_CHECK(++script.calls <= CALLS);
	for (size_t i = 0; q->headers[i].name != NULL; i++)
		if (strcmp(q->headers[i].name, "X-Amz-Target") == 0) {
			const char *action =
			    strchr(q->headers[i].value, '.') + 1;

			if (strcmp(action, "ReceiveMessage") != 0)
				check_entries(q,
				    strncmp(action, "Delete", 6) == 0);
		}
	if (end != NULL) {
		s.len = (size_t)(end - s.data);
		script.rest.data += s.len + strlen(MARK);
		script.rest.len -= s.len + strlen(MARK);
	}
	(void)outcome_set(r, REPLY_OK, "here");
	if (s.len > 0 && s.data[0] == '#')
		return outcome_set(r, REPLY_RETRY, "not now");
	if (q->take(q->ctx, s.data, s.len, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	return r->class;
}

/* Of the source. */
static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	struct buf clean = BUF_INIT(S3_REPLY_MAX);

	(void)ctx;
	(void)st;
	FUZZ_CHECK(r->class == REPLY_RETRY && *r->text != '\0');
	FUZZ_CHECK(text_printable(&clean, r->text, strlen(r->text)) == 0);
	FUZZ_CHECK(strcmp(clean.data, r->text) == 0);
	buf_release(&clean);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char url[] = "https://sqs.example/1/q",
		    base[] = "https://sqs.example", ours[] = "logs";
	static char *buckets[] = { ours, NULL };
	static struct s3_conf conf = { .queue_url = url,
		.visibility = CLOCK_MINUTE,
		.http = { .timeout = 30 * CLOCK_SECOND } };
	static struct server_clock *clock;
	struct s3 o = { .conf = &conf, .stream = &state };
	struct source source = {
		.name = "aws", .conf = &conf, .state = &o, .trouble = trouble
	};
	struct stream stream = { .source = &source, .state = &state };
	struct worker w = { .source = &source, .stream = &stream };

	if (clock == NULL)
		clock = server_clock_new();
	if (size < 2)
		return 0;
	source.clock = clock;
	o.sqs.base = base;
	conf.buckets = (data[0] & 1) != 0 ? buckets : NULL;
	memset(&state, 0, sizeof(state));
	memset(&script, 0, sizeof(script));
	script.fate = data[1];
	script.rest = (struct slice){ (const char *)data + 2, size - 2 };
	for (int i = 0; i < POLLS; i++) {
		size_t before = state.n;
		struct outcome r;

		state.looked = 0;
		(void)outcome_set(&r, REPLY_OK, "polled");
		script.listed = 0;
		script.unsure = true;
		(void)s3_queue_poll(&w, &stream, &r);
		FUZZ_CHECK(*r.text != '\0');
		FUZZ_CHECK(state.n <= S3_MESSAGES);
		/* What came is held only when the ledger has it. */
		if (script.unsure)
			FUZZ_CHECK(state.n <= before);
		for (size_t k = 0; k < state.n; k++)
			FUZZ_CHECK(*state.messages[k].handle != '\0');
	}
	s3_messages_release(&state);
	return 0;
}
