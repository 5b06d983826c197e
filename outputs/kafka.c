/*
 * kafka.c - events to a topic of Apache Kafka, and of what speaks its protocol,
 * through librdkafka.
 *
 * Each event is a message: its value the vendor's bytes, or the line that
 * carries them; its key the feed, so that a feed stays in one partition; its
 * headers sealfeed.feed, .index (.size of a checkpoint), .agent, .id,
 * .version_of and .via.  The producer is idempotent and waits for all replicas
 * in sync: a delivery report settles one line, and a line without one is sent
 * again.  librdkafka keeps no more than what is in flight, and gives up after
 * timeout: while brokers are down events wait in the store, not in memory.
 */
#ifdef HAVE_RDKAFKA

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/setting.h"
#include "delivery/member.h"
#include "outputs/kafka_private.h"
#include "store/feed.h"

#define CHUNK_MAX (BATCH_BYTES + (128 << 10))
#define IN_FLIGHT_BYTES (8 << 20)
#define TEXT_MAX ((size_t)64 << 20)

/* How long a graceful close may take, and a question for the topic. */
#define PARTING_MS 1500
#define PROBE_MS 5000
#define ASK_MS 500

/* Brokers refuse a batch whole.  Then so many chunks go one at a time, until
 * the message at fault has been found. */
#define ALONE 64

/* So often a line must be refused alone. */
#define REFUSALS 3

/* Nothing more of f is produced. */
static void
stop(struct in_flight *f, enum verdict v, const char *why)
{
	if (f->stopped && f->verdict == VERDICT_BLOCKED)
		return;
	f->stopped = true;
	f->verdict = v;
	(void)snprintf(f->why, sizeof(f->why), "%s", why);
}

/* A line that was refused alone goes again before that is believed: a broker
 * may have had a moment of its own, and CORRUPT_MESSAGE is also what damage on
 * the way ends in. */
static bool
is_weak_refusal(struct session *s, struct in_flight *f)
{
	if (f->stopped || !f->alone || f->refused != 1 ||
	    ++f->refusals >= REFUSALS)
		return false;
	f->refused = 0;
	f->next = 0;
	s->alone = ALONE;
	s->decided = true;
	return true;
}

/* What brokers refused: a single message that came alone is to blame, of more
 * ship looks for the one; of what came with others nothing is known. */
static void
blame(struct session *s, struct in_flight *f)
{
	if (f->refused == 0)
		return;
	if (!f->alone)
		stop(f, VERDICT_RETRY, f->refused_why);
	else if (f->refused > 1)
		stop(f, VERDICT_REFUSED, f->refused_why);
	else if (output_settle(s->out, f->chunk, f->refused_line,
		     f->refused_line + 1, VERDICT_REFUSED, "%s",
		     f->refused_why) != 0)
		stop(f, VERDICT_RETRY, "a dead letter could not be written");
	s->alone = ALONE;
}

/* Tell the verdict of f when nothing of it is under way. */
static void
finish(struct session *s, struct in_flight *f)
{
	struct chunk *p = f->chunk;

	if (p == NULL || f->open > 0 ||
	    (!f->stopped && f->next < chunk_lines(p)))
		return;
	if (is_weak_refusal(s, f))
		return;
	blame(s, f);
	if (s->alone > 0 && f->refused == 0)
		s->alone--;
	s->n--;
	s->bytes -= chunk_bytes(p);
	free(f->messages);
	f->messages = NULL;
	f->chunk = NULL;
	chunk_unload(p);
	s->decided = true;
	output_done(s->out, p, f->stopped ? f->verdict : VERDICT_DELIVERED, 0,
	    "%s", f->stopped ? f->why : "");
}

/* The library keeps to itself what the brokers answer when it asks for the
 * topic, tries until the message's time is over, and looks for one that was not
 * there every five minutes.  So they are asked here, which it hears, too; no
 * oftener than messages time out. */
static void
ask_for_cause(struct session *s, rd_kafka_resp_err_t code)
{
	const struct rd_kafka_metadata *m = NULL;
	int64_t now = clock_monotonic();
	rd_kafka_topic_t *topic;
	const char *hint;

	if (kafka_cause(s, code) != RD_KAFKA_RESP_ERR__MSG_TIMED_OUT &&
	    code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
		return;
	if (s->asked != 0 && now - s->asked < s->conf->timeout)
		return;
	topic = s->call->topic_new(s->producer, s->conf->topic, NULL);
	if (s->call->metadata(s->producer, 0, topic, &m, ASK_MS) ==
	    RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (m->topic_cnt == 1 &&
		    kafka_meaning(m->topics[0].err, &hint) == VERDICT_BLOCKED)
			kafka_trouble(s, m->topics[0].err,
			    s->call->err2str(m->topics[0].err));
		s->call->metadata_destroy(m);
	}
	s->call->topic_destroy(topic);
	s->asked = clock_monotonic();
}

/* What the error means, and in why a sentence. */
static enum verdict
explain(struct session *s, rd_kafka_resp_err_t code, char *why, size_t size)
{
	const char *hint;
	rd_kafka_resp_err_t cause;
	enum verdict v;

	ask_for_cause(s, code);
	cause = kafka_cause(s, code);
	v = kafka_meaning(cause, &hint);
	(void)snprintf(why, size, "%s (%s); %s%s%s", s->call->err2str(cause),
	    cause < 0 ? "librdkafka" : "broker", hint,
	    s->trouble[0] == '\0' ? "" : ": ", s->trouble);
	return v;
}

/* Nothing of it goes again but for what has a verdict. */
static void
failed(struct session *s, struct message *own, rd_kafka_resp_err_t code)
{
	struct in_flight *f = own->of;
	char why[512];
	enum verdict v = explain(s, code, why, sizeof(why));

	if (v != VERDICT_REFUSED) {
		stop(f, v, why);
		return;
	}
	f->refused++;
	f->refused_line = own->line;
	(void)snprintf(f->refused_why, sizeof(f->refused_why), "%s", why);
}

/* A delivery report, in a call of poll(). */
void
kafka_reported(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct session *s = opaque;
	struct message *own = m->_private;
	struct in_flight *f = own->of;

	(void)rk;
	f->open--;
	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		s->out->connects += s->up ? 0 : 1;
		s->up = true;
		s->trouble[0] = '\0';
		s->trouble_code = RD_KAFKA_RESP_ERR_NO_ERROR;
		s->out->bytes += m->len;
		(void)output_settle(s->out, f->chunk, own->line, own->line + 1,
		    VERDICT_DELIVERED, "%s", "");
	} else {
		failed(s, own, m->err);
	}
	finish(s, f);
}

/* End the producer: all that is in flight is to be sent again. */
static void
producer_end(struct session *s)
{
	if (s->producer == NULL)
		return;
	for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
		if (s->in_flight[i].chunk != NULL)
			stop(&s->in_flight[i], VERDICT_RETRY,
			    "the producer was ended");
	(void)s->call->purge(s->producer,
	    RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	(void)s->call->flush(s->producer, PARTING_MS);
	s->call->queue_destroy(s->queue);
	s->call->destroy(s->producer);
	s->producer = NULL;
	for (size_t i = 0; i < IN_FLIGHT_MAX; i++) {
		s->in_flight[i].open = 0;
		finish(s, &s->in_flight[i]);
	}
}

static void
session_free(struct session *s)
{
	member_reader_free(s->members);
	buf_release(&s->text);
	(void)close(s->event);
	free(s);
}

static int
kafka_open(struct output *out, struct err *err)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->call = kafka_load();
	s->out = out;
	s->conf = out->conf;
	s->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	s->members = member_reader_new();
	buf_init(&s->text, TEXT_MAX);
	if (kafka_producer_begin(s, err) != 0) {
		session_free(s);
		return -1;
	}
	out->state = s;
	out->chunk_max = CHUNK_MAX;
	out->mode = "acknowledged";
	return 0;
}

static size_t
kafka_window(const struct output *out)
{
	const struct session *s = out->state;

	return s->bytes < IN_FLIGHT_BYTES ? IN_FLIGHT_MAX : s->n;
}

/* Hand the lines of f to the library; false: it has no room now. */
static bool
produce_all(struct session *s, struct in_flight *f)
{
	struct err err = ERR_INIT;
	struct chunk_line line;
	rd_kafka_resp_err_t code;
	const char *hint;
	char why[512];

	for (; !f->stopped && f->next < chunk_lines(f->chunk); f->next++) {
		struct message *own = &f->messages[f->next];

		/* Delivered before, when others were not. */
		if (chunk_mark(f->chunk, f->next) != CHUNK_OPEN)
			continue;
		if (chunk_line(f->chunk, f->next, &line, &err) != 0) {
			stop(f, VERDICT_REFUSED, err.text);
			break;
		}
		*own = (struct message){ .of = f, .line = f->next };
		code = kafka_produce(s, &line, own);
		if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return false;
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
			f->open++;
		else if (kafka_meaning(code, &hint) != VERDICT_REFUSED)
			stop(f, explain(s, code, why, sizeof(why)), why);
		else if (output_refuse(s->out, f->chunk, f->next,
			     "a message of %zu bytes exceeds max_message "
			     "(%lld); raise it if the brokers take more",
			     line.len, (long long)s->conf->max_message) != 0)
			stop(f, VERDICT_RETRY,
			    "a dead letter could not be written");
	}
	chunk_unload(f->chunk);
	return true;
}

static void
kafka_send(struct output *out, struct chunk *p)
{
	struct session *s = out->state;
	struct in_flight *f = s->in_flight;

	while (f->chunk != NULL)
		f++;
	*f = (struct in_flight){
		.chunk = p,
		.messages = xcalloc(chunk_lines(p), sizeof(*f->messages)),
	};
	s->n++;
	s->bytes += chunk_bytes(p);
}

/* May lines of f be handed over, now that chunks go one at a time?  Not while
 * others are under way. */
static bool
has_turn(const struct session *s, const struct in_flight *f)
{
	for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
		if (&s->in_flight[i] != f && s->in_flight[i].open > 0)
			return false;
	return true;
}

/* f begins: is it alone, and are others not any more? */
static void
begin(struct session *s, struct in_flight *f)
{
	f->alone = has_turn(s, f);
	for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
		if (&s->in_flight[i] != f && s->in_flight[i].open > 0)
			s->in_flight[i].alone = false;
}

/* A producer that cannot go on is replaced. */
static void
renew(struct session *s)
{
	struct err err = ERR_INIT;

	if (s->producer != NULL && !s->fatal)
		return;
	producer_end(s);
	if (kafka_producer_begin(s, &err) == 0)
		return;
	for (size_t i = 0; i < IN_FLIGHT_MAX; i++) {
		if (s->in_flight[i].chunk == NULL)
			continue;
		stop(&s->in_flight[i], VERDICT_BLOCKED, err.text);
		finish(s, &s->in_flight[i]);
	}
}

static void
kafka_drive(struct output *out, int wake_fd, int timeout_ms)
{
	struct session *s = out->state;
	struct pollfd fds[2] = { { .fd = s->event, .events = POLLIN },
		{ .fd = wake_fd, .events = POLLIN } };
	uint64_t n;

	s->decided = false;
	renew(s);
	for (size_t i = 0; s->producer != NULL && i < IN_FLIGHT_MAX; i++) {
		struct in_flight *f = &s->in_flight[i];

		if (f->chunk == NULL ||
		    (s->alone > 0 && f->open == 0 && !has_turn(s, f)))
			continue;
		if (f->next == 0)
			begin(s, f);
		if (!produce_all(s, f))
			break;
		finish(s, f);
	}
	if (s->producer != NULL && !s->decided &&
	    s->call->poll(s->producer, 0) == 0) {
		(void)poll(fds, 2, timeout_ms);
		(void)!read(s->event, &n, sizeof(n));
	}
	if (s->producer != NULL)
		(void)s->call->poll(s->producer, 0);
}

/* Ask for the topic, until an answer comes or the library tells why none
 * will. */
static rd_kafka_resp_err_t
ask(struct session *s, rd_kafka_topic_t *topic,
    const struct rd_kafka_metadata **m)
{
	rd_kafka_resp_err_t code, cause;
	int ms = 0;

	do {
		code = s->call->metadata(s->producer, 0, topic, m, ASK_MS);
		(void)s->call->poll(s->producer, 0);
		cause = kafka_cause(s, code);
		ms += ASK_MS;
	} while (code != RD_KAFKA_RESP_ERR_NO_ERROR && cause == code &&
	    ms < PROBE_MS);
	return cause;
}

static int
kafka_probe(struct output *out, struct buf *message, struct err *err)
{
	struct session *s = out->state;
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_topic_t *topic =
	    s->call->topic_new(s->producer, s->conf->topic, NULL);
	rd_kafka_resp_err_t code = ask(s, topic, &m);
	const char *hint;
	int rc;

	if (code == RD_KAFKA_RESP_ERR_NO_ERROR && m->topic_cnt == 1)
		code = m->topics[0].err;
	(void)kafka_meaning(code, &hint);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = err_set(err, "topic %s: %s; %s%s%s", s->conf->topic,
		    s->call->err2str(code), hint,
		    s->trouble[0] == '\0' ? "" : ": ", s->trouble);
	else if (buf_addf(message,
		     "%d broker%s, topic %s has %d partition%s; whether the "
		     "user may write to it is not tested",
		     m->broker_cnt, m->broker_cnt == 1 ? "" : "s",
		     s->conf->topic, m->topics[0].partition_cnt,
		     m->topics[0].partition_cnt == 1 ? "" : "s") != 0)
		rc = err_set(err, "the result is too large");
	else
		rc = 0;
	if (m != NULL)
		s->call->metadata_destroy(m);
	s->call->topic_destroy(topic);
	return rc;
}

static void
kafka_close(struct output *out)
{
	struct session *s = out->state;

	if (s->producer != NULL && s->n > 0)
		(void)s->call->flush(s->producer, PARTING_MS);
	producer_end(s);
	session_free(s);
	out->state = NULL;
}

const struct output_type output_kafka = {
	.type.name = "kafka",
	.type.title = "Apache Kafka, and what speaks its protocol",
	.type.before = "A topic that exists, unless brokers make topics by "
		       "themselves, and, where they\n"
		       "ask for SASL, a user who may write and describe it, "
		       "and nothing else.\n",
	.type.settings = kafka_settings,
	.type.conf_size = sizeof(struct kafka_conf),
	.type.check = kafka_check,
	.open = kafka_open,
	.window = kafka_window,
	.send = kafka_send,
	.drive = kafka_drive,
	.probe = kafka_probe,
	.close = kafka_close,
};

#else

/* A translation unit is not empty. */
extern int kafka_is_left_out;

#endif
