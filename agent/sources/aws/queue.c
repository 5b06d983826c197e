/*
 * queue.c - the queue that tells of objects.
 *
 * SQS API Reference, JSON protocol.  A message is invisible to others while it
 * is worked on, which is extended; it is deleted once all its objects are in
 * the store.  One that cannot be read, or whose objects cannot, is let go: it
 * comes again until the queue's redrive policy puts it aside.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/server_clock.h"
#include "sources/aws/s3.h"
#include "store/feed.h"

/* Most messages of one call. */
#define BATCH 10
/* Longest time that a call waits for a message, seconds, and while others are
 * worked on. */
#define WAIT 20
#define WAIT_BUSY 1
/* Keys of objects that are worked on, in all messages. */
#define KEYS_MAX 20000
/* The ledger is asked about them so often. */
#define LOOK_EVERY (CLOCK_SECOND / 4)
/* A message is let go when an object of it has failed so often. */
#define LET_GO 8

enum reply_class
s3_ask(struct worker *w, const struct api *api, struct request *q,
    struct buf *body, struct outcome *r)
{
	struct http_reply reply;

	buf_clear(body);
	q->take = s3_take;
	q->ctx = body;
	http_reply_init(&reply);
	(void)request_send(w, api, q, &reply, r);
	http_reply_release(&reply);
	return r->class;
}

/* http_take_fn */
int
s3_take(void *ctx, const char *data, size_t len, struct err *err)
{
	struct buf *body = ctx;

	if (buf_add(body, data, len) != 0)
		return err_set(err, "an answer of more than %zu bytes",
		    body->ceiling);
	return 0;
}

/* Call an action with parameters, which are taken; the answer is NULL unless
 * it is an object. */
static json_t *
call(struct worker *w, const char *action, json_t *parameters, bool patient,
    struct outcome *r)
{
	const struct s3 *o = w->source->state;
	char *body = json_dumps(parameters, JSON_COMPACT);
	char *target = xasprintf("AmazonSQS.%s", action);
	char *url = xasprintf("%s/", o->sqs.base);
	const struct http_pair headers[] = {
		{ "Accept", "application/json" },
		{ "X-Amz-Target", target },
		{ NULL, NULL },
	};
	struct request q = { .url = url,
		.body = body,
		.type = "application/x-amz-json-1.0",
		.headers = headers,
		.feed = w->stream != NULL ? w->stream->feed : NULL,
		.objects = true,
		.patient = patient };
	struct buf answer = BUF_INIT(S3_REPLY_MAX);
	json_t *top = NULL;

	if (body == NULL)
		mem_gone();
	if (s3_ask(w, &o->sqs, &q, &answer, r) == REPLY_OK) {
		top = answer.len > 0
		    ? json_loadb(answer.data, answer.len, 0, NULL)
		    : json_object();
		if (!json_is_object(top)) {
			(void)outcome_set(r, REPLY_RETRY,
			    "the queue's answer to %s is no JSON object",
			    action);
			json_decref(top);
			top = NULL;
		}
	}
	json_decref(parameters);
	buf_release(&answer);
	free(body);
	free(target);
	free(url);
	return top;
}

/* -- messages that are worked on ------------------------------------------- */

static void
message_release(struct s3_message *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->keys[i]);
	free(m->keys);
	free(m->handle);
	free(m->id);
}

void
s3_messages_release(struct s3_stream *ss)
{
	while (ss->n > 0)
		message_release(&ss->messages[--ss->n]);
}

static void
forget(struct s3_stream *ss, size_t i)
{
	message_release(&ss->messages[i]);
	ss->messages[i] = ss->messages[--ss->n];
}

/* Tell of a message that is left to the queue, once. */
static void
tell_odd(struct stream *st, const char *id, const char *why)
{
	struct s3_stream *ss = s3_state(st);
	const struct source *s = st->source;
	uint64_t hash = UINT64_C(14695981039346656037);
	struct outcome r;

	for (const char *c = id; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	if (ss->odd[hash % S3_ODD] == hash)
		return;
	ss->odd[hash % S3_ODD] = hash;
	(void)outcome_set(&r, REPLY_RETRY,
	    "message %.100s of the queue is not deleted: %.600s; it comes "
	    "again until the queue's redrive policy puts it aside",
	    id, why);
	(void)snprintf(r.code, sizeof(r.code), "%s", REPLY_ODD_ROW);
	s->trouble(s->ctx, st, &r);
}

/* Take out of m what is in the store, or has become a gap.  1: it is let go,
 * 0 not, -1. */
static int
look(struct stream *st, struct s3_message *m, struct err *err)
{
	for (size_t i = 0; i < m->n;) {
		enum item_state state = ITEM_DONE;
		int64_t attempts = 0;
		char why[400];
		int rc =
		    item_find(st->feed, m->keys[i], &state, &attempts, err);

		if (rc < 0)
			return -1;
		if (rc == 0 || state != ITEM_LISTED) {
			free(m->keys[i]);
			m->keys[i] = m->keys[--m->n];
			continue;
		}
		if (attempts >= LET_GO) {
			(void)snprintf(why, sizeof(why),
			    "%.250s cannot be read, which is tried on",
			    m->keys[i]);
			tell_odd(st, m->id, why);
			return 1;
		}
		i++;
	}
	return 0;
}

static enum reply_class
look_at_all(struct stream *st, struct outcome *r)
{
	struct s3_stream *ss = s3_state(st);
	const int64_t now = clock_monotonic();
	struct err err = ERR_INIT;

	(void)outcome_set(r, REPLY_OK, "looked");
	if (now - ss->looked < LOOK_EVERY)
		return r->class;
	ss->looked = now;
	for (size_t i = 0; i < ss->n;) {
		int rc = look(st, &ss->messages[i], &err);

		if (rc < 0)
			return outcome_set(r, REPLY_RETRY, "%s", err.text);
		/* Of one that others may see by now this handle is void. */
		if (rc > 0 || now >= ss->messages[i].ends)
			forget(ss, i);
		else
			i++;
	}
	return r->class;
}

/* -- delete and extend ----------------------------------------------------- */

/* What a batch of one action makes of a message. */
struct change {
	const char *action;
	bool (*wants)(const struct s3_message *m, int64_t now, int64_t half);
	bool gone; /* it is forgotten then */
};

static bool
is_done(const struct s3_message *m, int64_t now, int64_t half)
{
	(void)now;
	(void)half;
	return m->n == 0;
}

static bool
is_ending(const struct s3_message *m, int64_t now, int64_t half)
{
	return m->n > 0 && m->ends - now < half;
}

/* Is the id of an entry in a list of the answer?  error: of that code. */
static bool
lists(const json_t *list, const char *id, const char *code)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *its =
		    json_string_value(json_object_get(entry, "Id"));
		const char *why =
		    json_string_value(json_object_get(entry, "Code"));

		if (its != NULL && strcmp(its, id) == 0)
			return code == NULL ||
			    (why != NULL && strstr(why, code) != NULL);
	}
	return false;
}

/* Which messages are in a batch, by their places. */
struct batch {
	size_t at[BATCH];
	size_t n;
};

static json_t *
make_entries(struct s3_stream *ss, const struct change *c, int64_t visibility,
    struct batch *b)
{
	const int64_t now = clock_monotonic();
	json_t *entries = json_array();
	char id[24];

	b->n = 0;
	for (size_t i = 0; i < ss->n && b->n < BATCH; i++) {
		json_t *entry;

		if (!c->wants(&ss->messages[i], now, visibility / 2))
			continue;
		(void)snprintf(id, sizeof(id), "%zu", b->n);
		entry = json_pack("{s:s, s:s}", "Id", id, "ReceiptHandle",
		    ss->messages[i].handle);
		if (!c->gone)
			(void)json_object_set_new(entry, "VisibilityTimeout",
			    json_integer(visibility / CLOCK_SECOND));
		(void)json_array_append_new(entries, entry);
		b->at[b->n++] = i;
	}
	return entries;
}

/* One batch of changes; b->n is 0 when there is nothing to change. */
static enum reply_class
change_some(struct worker *w, struct stream *st, const struct change *c,
    struct batch *b, struct outcome *r)
{
	const struct s3_conf *conf = st->source->conf;
	struct s3_stream *ss = s3_state(st);
	json_t *entries = make_entries(ss, c, conf->visibility, b), *answer;
	int64_t began = clock_monotonic();
	char id[24];

	if (b->n == 0) {
		json_decref(entries);
		return r->class;
	}
	answer = call(w, c->action,
	    json_pack("{s:s, s:o}", "QueueUrl", conf->queue_url, "Entries",
		entries),
	    false, r);
	/* From the last place on: what is forgotten is replaced by a later
	 * one. */
	for (size_t i = b->n; answer != NULL && i-- > 0;) {
		const json_t *failed = json_object_get(answer, "Failed");

		(void)snprintf(id, sizeof(id), "%zu", i);
		if (lists(json_object_get(answer, "Successful"), id, NULL)) {
			if (c->gone)
				forget(ss, b->at[i]);
			else
				ss->messages[b->at[i]].ends =
				    began + conf->visibility;
		} else if (lists(failed, id, "ReceiptHandle") ||
		    lists(failed, id, "InvalidParameterValue") ||
		    lists(failed, id, "MessageNotInflight")) {
			/* It comes again, and is known then. */
			forget(ss, b->at[i]);
		} else {
			(void)outcome_set(r, REPLY_RETRY,
			    "%s: the queue did not do so for %zu of %zu "
			    "messages, which is tried again",
			    c->action, b->n - i, b->n);
		}
	}
	json_decref(answer);
	return r->class;
}

/* Delete what is done, and hold on to what is worked on. */
static enum reply_class
settle(struct worker *w, struct stream *st, struct outcome *r)
{
	static const struct change changes[] = {
		{ "DeleteMessageBatch", is_done, true },
		{ "ChangeMessageVisibilityBatch", is_ending, false },
	};
	struct batch b;

	if (look_at_all(st, r) != REPLY_OK)
		return r->class;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		do
			(void)change_some(w, st, &changes[i], &b, r);
		while (r->class == REPLY_OK && b.n == BATCH);
	return r->class;
}

/* -- receive --------------------------------------------------------------- */

struct receiving {
	struct worker *w;
	struct stream *st;
	struct ledger *ledger;
	struct s3_message m; /* the message at hand */
	const char *foreign; /* a bucket that is not the source's */
	char named[300];
};

static bool
is_ours(const struct s3_conf *c, const char *bucket)
{
	for (size_t i = 0; c->buckets != NULL && c->buckets[i] != NULL; i++)
		if (strcmp(c->buckets[i], bucket) == 0)
			return true;
	return c->buckets == NULL || c->buckets[0] == NULL;
}

/* notice_fn */
static int
take_object(void *ctx, const struct s3_object *object, struct err *err)
{
	struct receiving *g = ctx;
	const struct s3 *o = g->w->source->state;
	struct buf key = BUF_INIT(S3_KEY_MAX);
	int rc = 0;

	if (!is_ours(o->conf, object->bucket)) {
		(void)snprintf(g->named, sizeof(g->named),
		    "it names the bucket %.200s, which is not one of buckets",
		    object->bucket);
		g->foreign = g->named;
	} else {
		rc = s3_list_object(o, g->ledger, object,
		    server_clock_now(g->w->source->clock), &key, err);
	}
	if (rc == 0 && key.len > 0) {
		g->m.keys =
		    xreallocarray(g->m.keys, g->m.n + 1, sizeof(*g->m.keys));
		g->m.keys[g->m.n++] = xstrdup(key.data);
	}
	buf_release(&key);
	return rc;
}

static char *
copy_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return xstrdup(s != NULL ? s : "");
}

/* Put what a message names into the ledger, and the message among those that
 * are worked on.  -1: it is not. */
static int
take_message(struct receiving *g, const json_t *message, int64_t ends,
    struct err *err)
{
	struct s3_stream *ss = s3_state(g->st);
	const json_t *body = json_object_get(message, "Body");
	const char *why = NULL;
	enum notice what = NOTICE_ODD;
	int rc;

	g->m = (struct s3_message){ .id = copy_text(message, "MessageId"),
		.handle = copy_text(message, "ReceiptHandle"),
		.ends = ends };
	g->foreign = NULL;
	if (*g->m.handle == '\0' || !json_is_string(body)) {
		why = "it has no ReceiptHandle or Body";
		rc = 0;
	} else {
		rc = notice_read(json_string_value(body),
		    json_string_length(body), take_object, g, &what, &why, err);
	}
	if (rc == 0 && what == NOTICE_OBJECTS && g->foreign == NULL) {
		ss->messages[ss->n++] = g->m;
		return 0;
	}
	if (rc == 0)
		tell_odd(g->st, g->m.id, why != NULL ? why : g->foreign);
	message_release(&g->m);
	return rc;
}

/* Take the messages of an answer. */
static enum reply_class
take_messages(struct worker *w, struct stream *st, const json_t *answer,
    int64_t ends, struct outcome *r)
{
	struct s3_stream *ss = s3_state(st);
	struct receiving g = { .w = w, .st = st };
	const json_t *list = json_object_get(answer, "Messages");
	struct err err = ERR_INIT;
	size_t before = ss->n;
	int rc = 0;

	g.ledger = ledger_new(st, &ss->known, false);
	for (size_t i = 0; i < json_array_size(list) && i < BATCH && rc == 0;
	     i++)
		rc = take_message(&g, json_array_get(list, i), ends, &err);
	/* Only what is durable in the ledger counts as worked on. */
	if (rc == 0)
		rc = ledger_flush(g.ledger, &err);
	while (rc != 0 && ss->n > before)
		forget(ss, ss->n - 1);
	ledger_free(g.ledger);
	if (rc != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	return r->class;
}

/* Have the queue give what it has, at most for so many seconds. */
static enum reply_class
receive(struct worker *w, struct stream *st, int wait, size_t *got,
    struct outcome *r)
{
	const struct s3_conf *c = st->source->conf;
	const int64_t ends = clock_monotonic() + c->visibility;
	json_t *answer = call(w, "ReceiveMessage",
	    json_pack("{s:s, s:i, s:i, s:I, s:[s]}", "QueueUrl", c->queue_url,
		"MaxNumberOfMessages", BATCH, "WaitTimeSeconds", wait,
		"VisibilityTimeout", (json_int_t)(c->visibility / CLOCK_SECOND),
		"AttributeNames", "ApproximateReceiveCount"),
	    true, r);

	*got = json_array_size(json_object_get(answer, "Messages"));
	if (answer != NULL)
		(void)take_messages(w, st, answer, ends, r);
	json_decref(answer);
	return r->class;
}

/* Is there room for a batch? */
static bool
has_room(const struct s3_stream *ss)
{
	size_t keys = 0;

	for (size_t i = 0; i < ss->n; i++)
		keys += ss->messages[i].n;
	return ss->n + BATCH <= S3_MESSAGES && keys < KEYS_MAX;
}

enum poll_next
s3_queue_poll(struct worker *w, struct stream *st, struct outcome *r)
{
	const struct s3_conf *c = st->source->conf;
	struct s3_stream *ss = s3_state(st);
	/* An answer that is waited for must not look like a stall. */
	int64_t most = c->http.timeout / CLOCK_SECOND / 2;
	int64_t began = clock_monotonic();
	struct outcome settled;
	size_t got = 0;
	int wait = ss->n > 0 ? WAIT_BUSY : WAIT;

	(void)settle(w, st, r);
	settled = *r;
	if (r->class == REPLY_STOPPED || !has_room(ss))
		return POLL_SOON;
	if (receive(w, st, wait < most ? wait : (int)most, &got, r) != REPLY_OK)
		return POLL_SOON;
	if (got == 0)
		st->listed = server_clock_now(w->source->clock);
	/* What may not be deleted is read nevertheless. */
	*r = settled;
	return got > 0 || clock_monotonic() - began > CLOCK_SECOND / 2
	    ? POLL_AGAIN
	    : POLL_SOON;
}

enum reply_class
s3_queue_try(struct worker *w, struct buf *message, struct outcome *r)
{
	const struct s3_conf *c = w->source->conf;
	json_t *answer = call(w, "GetQueueAttributes",
	    json_pack("{s:s, s:[s]}", "QueueUrl", c->queue_url,
		"AttributeNames", "All"),
	    false, r);
	const json_t *all = json_object_get(answer, "Attributes");
	const char *n = json_string_value(json_object_get(all,
	    "ApproximateNumberOfMessages"));
	int rc = 0;

	if (answer != NULL)
		rc = buf_addf(message,
		    "the queue can be read and has about "
		    "%.20s messages\n",
		    n != NULL ? n : "0");
	if (answer != NULL && rc == 0 &&
	    json_object_get(all, "RedrivePolicy") == NULL)
		rc = buf_adds(message,
		    "the queue has no redrive policy: a message that cannot "
		    "be read comes again and again until the queue drops it; "
		    "give it one with a dead-letter queue\n");
	if (rc != 0)
		(void)outcome_set(r, REPLY_RETRY, "too much to say");
	json_decref(answer);
	return r->class;
}
