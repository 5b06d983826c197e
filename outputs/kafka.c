/*
 * kafka.c - events to a topic of Apache Kafka, and of what speaks its protocol,
 * through librdkafka.
 *
 * Each event is a message: its value the vendor's bytes, or the line that
 * carries them; its key the feed, so that a feed stays in one partition; its
 * headers sealfeed.feed, .index (.size of a checkpoint), .agent, .id,
 * .version_of and .via.  The producer is idempotent and waits for all replicas
 * in sync: a delivery report settles one line, and a line without one is sent
 * again. librdkafka keeps no more than what is in flight, and gives up after
 * timeout: while brokers are down events wait in the store, not in memory.
 */
#ifdef HAVE_RDKAFKA

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/event_shape.h"
#include "config/secret.h"
#include "config/setting.h"
#include "delivery/member.h"
#include "outputs/kafka.h"
#include "outputs/kafka_late.h"
#include "outputs/output.h"
#include "outputs/syslog/conf.h"
#include "store/feed.h"
#include "store/line.h"

#define CHUNK_MAX (BATCH_BYTES + (128 << 10))
#define IN_FLIGHT_MAX 64
#define IN_FLIGHT_BYTES (8 << 20)
#define TEXT_MAX ((size_t)64 << 20)

/* How long a graceful close may take, and a question for the topic. */
#define PARTING_MS 1500
#define PROBE_MS 10000

static const char *const transports[] = { "tls", "tcp", NULL };
static const char *const envelopes[] = { "none", "ndjson", NULL };
static const char *const mechanisms[] = { "PLAIN", "SCRAM-SHA-256",
	"SCRAM-SHA-512", NULL };
static const char *const codecs[] = { "none", "gzip", "lz4", "zstd", NULL };

#define OFFSET(member) offsetof(struct kafka_conf, member)

static const struct setting kafka_settings[] = {
	{ .key = "brokers",
	    .type = SETTING_LIST,
	    .offset = OFFSET(brokers),
	    .required = true,
	    .help = "Brokers as host:port. Name all whose ports differ: a role "
		    "reaches no others.",
	    .ask = "Brokers, as host:port with commas between them" },
	{ .key = "topic",
	    .type = SETTING_STRING,
	    .offset = OFFSET(topic),
	    .required = true,
	    .help = "Topic that all feeds go to; it must exist unless brokers "
		    "make topics by themselves.",
	    .ask = "Topic" },
	{ .key = "transport",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(transport),
	    .def = "tls",
	    .choices = transports,
	    .help = "tls, or tcp, which is allowed to loopback only unless "
		    "insecure is set." },
	{ .key = "insecure",
	    .type = SETTING_BOOL,
	    .offset = OFFSET(insecure),
	    .def = "false",
	    .help = "Allow transport tcp to other machines. Anyone on the "
		    "network path can read and change the events." },
	{ .key = "tls.ca",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(tls.ca),
	    .help = "Certificates of the authorities that may sign the "
		    "brokers' certificates, a file or PEM text. Default: the "
		    "system's.",
	    .ask = "File of the CA certificates (PEM)" },
	{ .key = "tls.cert",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(tls.cert),
	    .help = "Client certificate and its chain for mutual TLS, a file "
		    "or PEM text." },
	{ .key = "tls.key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(tls.key),
	    .help = "Private key of tls.cert, a file or PEM text." },
	{ .key = "user",
	    .type = SETTING_STRING,
	    .offset = OFFSET(user),
	    .help = "User name for SASL." },
	{ .key = "password",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(password),
	    .help = "Password of user." },
	{ .key = "mechanism",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(mechanism),
	    .def = "SCRAM-SHA-512",
	    .choices = mechanisms,
	    .help = "How user logs in (SASL)." },
	{ .key = "compression",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(compression),
	    .def = "gzip",
	    .choices = codecs,
	    .help = "How batches of messages are packed." },
	{ .key = "envelope",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(envelope),
	    .def = "none",
	    .choices = envelopes,
	    .help = "none: a message is the vendor's event; ndjson: the line "
		    "with feed and index beside it, which sealfeed verify "
		    "reads from a file of values." },
	{ .key = "max_message",
	    .type = SETTING_SIZE,
	    .offset = OFFSET(max_message),
	    .def = "1000000",
	    .min = 4096,
	    .max = 64 << 20,
	    .help = "Largest message, at most the brokers' message.max.bytes; "
		    "a larger event becomes a dead letter." },
	{ .key = "timeout",
	    .type = SETTING_DURATION,
	    .offset = OFFSET(timeout),
	    .def = "30s",
	    .min = 1000000,
	    .max = INT64_C(3600) * 1000000,
	    .help = "How long to wait for a message's acknowledgement before "
		    "it is sent again." },
	SETTING_END
};

/* One chunk under way. */
struct in_flight {
	struct chunk *chunk; /* NULL: free */
	size_t next;         /* line to be produced */
	size_t open;         /* lines that are with librdkafka */
	bool stopped;        /* no more are produced: it ends in verdict */
	enum verdict verdict;
	char why[512];
	struct message *messages; /* one a line */
};

/* What a delivery report comes back with. */
struct message {
	struct in_flight *of;
	size_t line;
};

struct session {
	const struct kafka_calls *call;
	struct output *out;
	const struct kafka_conf *conf;
	rd_kafka_t *producer;
	rd_kafka_queue_t *queue;
	int event; /* readable when there is something to poll for */
	bool up;   /* something was acknowledged */
	bool fatal;
	char trouble[256]; /* the last that the library told */
	struct member_reader *members;
	struct buf text;
	struct in_flight in_flight[IN_FLIGHT_MAX];
	size_t n;
	uint64_t bytes;
	bool decided;
};

/* What an error means for the line. */
static const struct {
	rd_kafka_resp_err_t code;
	enum verdict verdict;
	const char *hint;
} errors[] = {
	{ RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, VERDICT_REFUSED,
	    "raise max_message, and message.max.bytes of the topic" },
	{ RD_KAFKA_RESP_ERR_INVALID_RECORD, VERDICT_REFUSED,
	    "the brokers do not take this message" },
	{ RD_KAFKA_RESP_ERR_INVALID_MSG, VERDICT_REFUSED,
	    "the brokers do not take this message" },
	{ RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, VERDICT_BLOCKED,
	    "make the topic, or correct topic" },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, VERDICT_BLOCKED,
	    "make the topic, or correct topic" },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, VERDICT_RETRY,
	    "the topic has changed" },
	{ RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, VERDICT_BLOCKED, "correct topic" },
	{ RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, VERDICT_BLOCKED,
	    "allow user to write to the topic" },
	{ RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, VERDICT_BLOCKED,
	    "allow user to write idempotently" },
	{ RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, VERDICT_BLOCKED,
	    "correct user, password or mechanism" },
	{ RD_KAFKA_RESP_ERR__AUTHENTICATION, VERDICT_BLOCKED,
	    "correct user, password or mechanism" },
};

static enum verdict
judge(rd_kafka_resp_err_t code, const char **hint)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].code != code)
			continue;
		*hint = errors[i].hint;
		return errors[i].verdict;
	}
	*hint = "check the brokers and the way to them";
	return VERDICT_RETRY;
}

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

/* Tell the verdict of f when nothing of it is under way. */
static void
finish(struct session *s, struct in_flight *f)
{
	struct chunk *p = f->chunk;

	if (p == NULL || f->open > 0 ||
	    (!f->stopped && f->next < chunk_lines(p)))
		return;
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

/* A delivery report, in a call of poll(). */
static void
reported(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct session *s = opaque;
	const struct message *own = m->_private;
	struct in_flight *f = own->of;
	const char *hint, *text = s->call->err2str(m->err);
	char why[512];
	enum verdict v;

	(void)rk;
	f->open--;
	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		s->out->connects += s->up ? 0 : 1;
		s->up = true;
		s->out->bytes += m->len;
		(void)output_settle(s->out, f->chunk, own->line, own->line + 1,
		    VERDICT_DELIVERED, "%s", "");
		finish(s, f);
		return;
	}
	v = judge(m->err, &hint);
	(void)snprintf(why, sizeof(why), "%s (%s); %s%s%s", text,
	    m->err < 0 ? "librdkafka" : "broker", hint,
	    s->trouble[0] == '\0' ? "" : ": ", s->trouble);
	if (v != VERDICT_REFUSED)
		stop(f, v, why);
	else if (output_settle(s->out, f->chunk, own->line, own->line + 1,
		     VERDICT_REFUSED, "%s", why) != 0)
		stop(f, VERDICT_RETRY, "a dead letter could not be written");
	finish(s, f);
}

/* What the library has to tell of brokers. */
static void
trouble(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct session *s = opaque;

	(void)rk;
	if (code == RD_KAFKA_RESP_ERR__FATAL)
		s->fatal = true;
	if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
	    s->trouble[0] == '\0')
		text_one_line(s->trouble, sizeof(s->trouble), reason);
}

/* Its log says what the error callback says. */
static void
no_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

/* Set an option of the library's; value NULL: leave it. */
static int
set(struct session *s, rd_kafka_conf_t *c, const char *name, const char *value,
    struct err *err)
{
	char why[256] = "";

	if (value == NULL ||
	    s->call->conf_set(c, name, value, why, sizeof(why)) ==
		RD_KAFKA_CONF_OK)
		return 0;
	return err_set(err, "librdkafka refuses %s: %s", name, why);
}

/* The same of a secret, of which nothing gets into err. */
static int
set_secret(struct session *s, rd_kafka_conf_t *c, const char *name,
    const char *text, bool pem, struct err *err)
{
	char *plain, why[256];
	int rc;

	if (text == NULL)
		return 0;
	plain = pem ? secret_resolve_pem(text, err) : secret_resolve(text, err);
	if (plain == NULL)
		return -1;
	rc = s->call->conf_set(c, name, plain, why, sizeof(why)) ==
		RD_KAFKA_CONF_OK
	    ? 0
	    : err_set(err, "librdkafka refuses %s", name);
	secret_free(plain);
	return rc;
}

static char *
joined(char *const *list)
{
	char *all = xstrdup("");

	for (; *list != NULL; list++) {
		char *longer =
		    xasprintf("%s%s%s", all, all[0] == '\0' ? "" : ",", *list);

		free(all);
		all = longer;
	}
	return all;
}

static int
set_login(struct session *s, rd_kafka_conf_t *c, struct err *err)
{
	const struct kafka_conf *conf = s->conf;
	bool tls = conf->transport == KAFKA_TLS, sasl = conf->user != NULL;

	if (set(s, c, "security.protocol",
		sasl ? (tls ? "sasl_ssl" : "sasl_plaintext")
		     : (tls ? "ssl" : "plaintext"),
		err) != 0 ||
	    set(s, c, "sasl.username", conf->user, err) != 0 ||
	    (sasl &&
		set(s, c, "sasl.mechanisms", mechanisms[conf->mechanism],
		    err) != 0) ||
	    (sasl &&
		set_secret(s, c, "sasl.password", conf->password, false, err) !=
		    0))
		return -1;
	if (!tls)
		return 0;
	if (set_secret(s, c, "ssl.ca.pem", conf->tls.ca, true, err) != 0 ||
	    set_secret(s, c, "ssl.certificate.pem", conf->tls.cert, true,
		err) != 0)
		return -1;
	return set_secret(s, c, "ssl.key.pem", conf->tls.key, true, err);
}

static int
set_all(struct session *s, rd_kafka_conf_t *c, struct err *err)
{
	const struct kafka_conf *conf = s->conf;
	char *brokers = joined(conf->brokers);
	char *size = xasprintf("%lld", (long long)conf->max_message);
	char *timeout = xasprintf("%lld", (long long)(conf->timeout / 1000));
	const struct {
		const char *name;
		const char *value;
	} options[] = {
		{ "bootstrap.servers", brokers },
		{ "client.id", "sealfeed" },
		{ "enable.idempotence", "true" },
		{ "acks", "all" },
		{ "message.max.bytes", size },
		{ "message.timeout.ms", timeout },
		{ "compression.codec", codecs[conf->compression] },
		{ "linger.ms", "20" },
		{ "partitioner", "murmur2_random" },
		/* Twice what is in flight. */
		{ "queue.buffering.max.kbytes", "131072" },
		{ "socket.keepalive.enable", "true" },
		{ "topic.metadata.refresh.sparse", "true" },
	};
	const size_t n = sizeof(options) / sizeof(options[0]);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = set(s, c, options[i].name, options[i].value, err);
	free(brokers);
	free(size);
	free(timeout);
	return rc == 0 ? set_login(s, c, err) : rc;
}

static int
producer_begin(struct session *s, struct err *err)
{
	static const uint64_t one = 1;
	rd_kafka_conf_t *c = s->call->conf_new();
	char why[512] = "";

	s->call->conf_set_opaque(c, s);
	s->call->conf_set_dr_msg_cb(c, reported);
	s->call->conf_set_error_cb(c, trouble);
	s->call->conf_set_log_cb(c, no_log);
	if (set_all(s, c, err) != 0) {
		s->call->conf_destroy(c);
		return -1;
	}
	s->producer = s->call->new (RD_KAFKA_PRODUCER, c, why, sizeof(why));
	if (s->producer == NULL) {
		s->call->conf_destroy(c);
		return err_set(err, "librdkafka: %s", why);
	}
	s->fatal = false;
	s->up = false;
	s->trouble[0] = '\0';
	s->queue = s->call->queue_get_main(s->producer);
	s->call->queue_io_event_enable(s->queue, s->event, &one, sizeof(one));
	return 0;
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
	if (producer_begin(s, err) != 0) {
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

/* A message's parts for the library. */
#define PARTS_MAX 8

struct parts {
	rd_kafka_vu_t vu[PARTS_MAX];
	size_t n;
};

static void
add_mem(struct parts *p, rd_kafka_vtype_t type, const char *data, size_t len)
{
	rd_kafka_vu_t *v = &p->vu[p->n++];

	v->vtype = type;
	memcpy(&v->u.mem.ptr, &data, sizeof(data));
	v->u.mem.size = len;
}

/* Events are alone or in their line, checkpoints always in it. */
static int
add_value(struct session *s, struct parts *p, const struct chunk_line *line)
{
	const struct line_name name = { s->out->agent, line->feed, line->via };

	if (!line->checkpoint && s->conf->envelope == KAFKA_NONE) {
		add_mem(p, RD_KAFKA_VTYPE_VALUE, line->value, line->len);
		return 0;
	}
	buf_clear(&s->text);
	if (line_add(&s->text, line->checkpoint ? LINE_CHECKPOINT : LINE_EVENT,
		name, line->number, line->value, line->len) != 0)
		return -1;
	add_mem(p, RD_KAFKA_VTYPE_VALUE, s->text.data, s->text.len - 1);
	return 0;
}

/* Headers that the library does not own before it has taken the message: what
 * it makes by itself of single ones, version 2.0 frees twice when a message is
 * refused at once. */
static rd_kafka_headers_t *
headers_of(struct session *s, const struct chunk_line *line)
{
	struct slice id = { .data = NULL };
	char number[24];
	rd_kafka_headers_t *all = s->call->headers_new(6);

	(void)snprintf(number, sizeof(number), "%llu",
	    (unsigned long long)line->number);
	if (!line->checkpoint && json_valid(line->value, line->len))
		id = member_text(s->members, line->shape->id, line->value,
		    line->len);
	const struct slice values[] = {
		{ line->feed, strlen(line->feed) },
		{ number, strlen(number) },
		{ s->out->agent, strlen(s->out->agent) },
		id,
		{ line->version_of,
		    line->version_of == NULL ? 0 : strlen(line->version_of) },
		{ line->via, line->via == NULL ? 0 : strlen(line->via) },
	};
	const char *const names[] = { "sealfeed.feed",
		line->checkpoint ? "sealfeed.size" : "sealfeed.index",
		"sealfeed.agent", "sealfeed.id", "sealfeed.version_of",
		"sealfeed.via" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (values[i].len > 0)
			(void)s->call->header_add(all, names[i], -1,
			    values[i].data, (ssize_t)values[i].len);
	return all;
}

static rd_kafka_resp_err_t
produce(struct session *s, const struct chunk_line *line, struct message *own)
{
	struct parts p = { .n = 0 };
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_headers_t *headers;
	rd_kafka_error_t *error;

	p.vu[p.n].vtype = RD_KAFKA_VTYPE_TOPIC;
	p.vu[p.n++].u.cstr = s->conf->topic;
	p.vu[p.n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
	p.vu[p.n++].u.i = RD_KAFKA_MSG_F_COPY;
	p.vu[p.n].vtype = RD_KAFKA_VTYPE_OPAQUE;
	p.vu[p.n++].u.ptr = own;
	add_mem(&p, RD_KAFKA_VTYPE_KEY, line->feed, strlen(line->feed));
	if (line->when != INT64_MIN) {
		p.vu[p.n].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
		p.vu[p.n++].u.i64 = line->when / (CLOCK_SECOND / 1000);
	}
	if (add_value(s, &p, line) != 0)
		return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
	headers = headers_of(s, line);
	p.vu[p.n].vtype = RD_KAFKA_VTYPE_HEADERS;
	p.vu[p.n++].u.headers = headers;
	error = s->call->produceva(s->producer, p.vu, p.n);
	if (error != NULL) {
		code = s->call->error_code(error);
		s->call->error_destroy(error);
		s->call->headers_destroy(headers);
	}
	return code;
}

/* Hand the lines of f to the library; false: it has no room now. */
static bool
produce_all(struct session *s, struct in_flight *f)
{
	struct err err = ERR_INIT;
	struct chunk_line line;
	rd_kafka_resp_err_t code;
	const char *hint;

	while (!f->stopped && f->next < chunk_lines(f->chunk)) {
		struct message *own = &f->messages[f->next];

		if (chunk_line(f->chunk, f->next, &line, &err) != 0) {
			stop(f, VERDICT_REFUSED, err.text);
			break;
		}
		*own = (struct message){ .of = f, .line = f->next };
		code = produce(s, &line, own);
		if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return false;
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
			f->open++;
		else if (judge(code, &hint) != VERDICT_REFUSED)
			stop(f, judge(code, &hint), s->call->err2str(code));
		else if (output_refuse(s->out, f->chunk, f->next,
			     "a message of %zu bytes exceeds max_message "
			     "(%lld); raise it if the brokers take more",
			     line.len, (long long)s->conf->max_message) != 0)
			stop(f, VERDICT_RETRY,
			    "a dead letter could not be written");
		f->next++;
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

/* A producer that cannot go on is replaced. */
static void
renew(struct session *s)
{
	struct err err = ERR_INIT;

	if (s->producer != NULL && !s->fatal)
		return;
	producer_end(s);
	if (producer_begin(s, &err) == 0)
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

		if (f->chunk == NULL)
			continue;
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

static int
kafka_probe(struct output *out, struct buf *message, struct err *err)
{
	struct session *s = out->state;
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_topic_t *topic =
	    s->call->topic_new(s->producer, s->conf->topic, NULL);
	rd_kafka_resp_err_t code =
	    s->call->metadata(s->producer, 0, topic, &m, PROBE_MS);
	const char *hint;
	int rc;

	if (code == RD_KAFKA_RESP_ERR_NO_ERROR && m->topic_cnt == 1)
		code = m->topics[0].err;
	(void)s->call->poll(s->producer, 0);
	(void)judge(code, &hint);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = err_set(err, "topic %s: %s; %s%s%s", s->conf->topic,
		    s->call->err2str(code), hint,
		    s->trouble[0] == '\0' ? "" : ": ", s->trouble);
	else if (buf_addf(message, "%d brokers, topic %s has %d partitions",
		     m->broker_cnt, s->conf->topic,
		     m->topics[0].partition_cnt) != 0)
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

static void
kafka_check(const void *c, const struct config_section *b)
{
	const struct kafka_conf *conf = c;
	char host[256], port[6];

	for (char **at = conf->brokers; at != NULL && *at != NULL; at++) {
		if (syslog_address(*at, host, port) != 0)
			config_error(b,
			    "brokers: \"%s\" is not host:port; write an IPv6 "
			    "address in brackets",
			    *at);
		else if (conf->transport == KAFKA_TCP && !conf->insecure &&
		    !syslog_loopback(host))
			config_error(b,
			    "transport: tcp to %s would send events in the "
			    "clear; use tls, or set insecure: true",
			    host);
	}
	if ((conf->user == NULL) != (conf->password == NULL))
		config_error(b,
		    "user: user and password belong together; set both");
	if ((conf->tls.cert == NULL) != (conf->tls.key == NULL))
		config_error(b,
		    "tls.cert: a certificate and its private key belong "
		    "together; set both");
}

const struct output_type output_kafka = {
	.type.name = "kafka",
	.type.title = "Apache Kafka, and what speaks its protocol",
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
