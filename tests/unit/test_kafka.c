/*
 * test_kafka.c - events to a topic, against the mock cluster that librdkafka
 * has for tests: brokers in this process, which answer what they are told to.
 */
#include "tests/unit/unit.h"

#ifdef HAVE_RDKAFKA

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "outputs/kafka.h"
#include "tests/lib/kafka_gate.h"
#include "tests/unit/output_help.h"
#include "tests/unit/tls_peer.h"

/* API keys of requests. */
#define PRODUCE 0
#define METADATA 3
#define INIT_PRODUCER_ID 22

/* A busy machine's time may be over before the brokers have answered. */
#define TRIES 20

#define TOPIC "audit"

static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;
static char brokers[256];
static char topic[32] = TOPIC;
static char *list[] = { brokers, NULL };
static struct kafka_conf conf;

static void
quiet(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

static void
set_up(void)
{
	char why[256];
	rd_kafka_conf_t *c = rd_kafka_conf_new();

	rd_kafka_conf_set_log_cb(c, quiet);
	host = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why));
	ck_assert_ptr_nonnull(host);
	cluster = rd_kafka_mock_cluster_new(host, 1);
	ck_assert_ptr_nonnull(cluster);
	ck_assert_int_eq(rd_kafka_mock_topic_create(cluster, TOPIC, 3, 1), 0);
	(void)snprintf(brokers, sizeof(brokers), "%s",
	    rd_kafka_mock_cluster_bootstraps(cluster));
	(void)strcpy(topic, TOPIC);
	conf = (struct kafka_conf){ .brokers = list,
		.topic = topic,
		.transport = KAFKA_TCP,
		.max_message = 1000000,
		.timeout = 20 * CLOCK_SECOND };
}

static void
tear_down(void)
{
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(host);
}

/* The value of a header, "-" where there is none. */
static const char *
header(const rd_kafka_message_t *m, const char *name, char out[128])
{
	rd_kafka_headers_t *all;
	const void *value;
	size_t len;

	(void)strcpy(out, "-");
	if (rd_kafka_message_headers(m, &all) == 0 &&
	    rd_kafka_header_get_last(all, name, &value, &len) == 0)
		(void)snprintf(out, 128, "%.*s", (int)len, (const char *)value);
	return out;
}

/* Read n messages of the topic: "key index id value" as sorted lines by index,
 * which is a digit behind 42. */
static void
consumed(size_t n, char text[][256])
{
	char why[256], index[128], id[128];
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *parts =
	    rd_kafka_topic_partition_list_new(3);
	rd_kafka_t *rk;
	size_t got = 0;

	rd_kafka_conf_set_log_cb(c, quiet);
	(void)rd_kafka_conf_set(c, "bootstrap.servers", brokers, NULL, 0);
	(void)rd_kafka_conf_set(c, "group.id", "test", NULL, 0);
	(void)rd_kafka_conf_set(c, "enable.partition.eof", "true", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, c, why, sizeof(why));
	for (int32_t p = 0; p < 3; p++)
		rd_kafka_topic_partition_list_add(parts, TOPIC, p)->offset =
		    RD_KAFKA_OFFSET_BEGINNING;
	ck_assert_int_eq(rd_kafka_assign(rk, parts), 0);
	for (int ends = 0; ends < 3;) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 20000);

		ck_assert_ptr_nonnull(m);
		if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
			ends++;
		} else {
			ck_assert_int_eq(m->err, 0);
			ck_assert_uint_lt(got, n);
			(void)snprintf(text[got++], 256, "%.*s %s %s %.*s",
			    (int)m->key_len, (const char *)m->key,
			    header(m, "sealfeed.index", index),
			    header(m, "sealfeed.id", id), (int)m->len,
			    (const char *)m->payload);
		}
		rd_kafka_message_destroy(m);
	}
	ck_assert_uint_eq(got, n);
	rd_kafka_topic_partition_list_destroy(parts);
	(void)rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
}

START_TEST(messages_have_key_and_headers)
{
	static const char *const expected[] = {
		"contoso/Audit.Exchange 42 - {\"Id\":\"a\"}",
		"contoso/Audit.Exchange 43 - {\"Id\":\"b\"}",
	};
	char text[2][256];
	struct courier c;

	courier_open(&c, &output_kafka, &conf, "{\"Id\":\"a\"}");
	courier_add(&c, "{\"Id\":\"b\"}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(2, text);
	for (size_t i = 0; i < 2; i++)
		ck_assert_str_eq(text[i], expected[i]);
}
END_TEST

/* The line in which verify finds feed and index. */
START_TEST(envelope_is_the_line)
{
	char text[1][256];
	struct courier c;

	conf.envelope = KAFKA_NDJSON;
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(1, text);
	ck_assert_str_eq(text[0],
	    "contoso/Audit.Exchange 42 - {\"feed\":\"contoso/"
	    "Audit.Exchange\",\"index\":42,\"agent\":\"fra1\",\"event\":{}}");
}
END_TEST

static const struct {
	rd_kafka_resp_err_t code;
	size_t times;
	enum verdict verdict;
	size_t refused;
	const char *why;
} answers[] = {
	/* The library tries these again by itself, and nothing is repeated. */
	{ RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 2, VERDICT_DELIVERED, 0,
	    "" },
	{ RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 2, VERDICT_DELIVERED, 0, "" },
	{ RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, 1, VERDICT_DELIVERED, 0, "" },
	{ RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, 1,
	    VERDICT_DELIVERED, 0, "" },
	{ RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, 1, VERDICT_DELIVERED, 0, "" },
	/* One refusal is a weak hint. */
	{ RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2, VERDICT_DELIVERED, 0, "" },
	{ RD_KAFKA_RESP_ERR_INVALID_MSG, 2, VERDICT_DELIVERED, 0, "" },
	{ RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 3, VERDICT_DELIVERED, 1, "" },
	{ RD_KAFKA_RESP_ERR_INVALID_MSG, 3, VERDICT_DELIVERED, 1, "" },
	{ RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 3, VERDICT_DELIVERED, 1, "" },
	{ RD_KAFKA_RESP_ERR_INVALID_RECORD, 3, VERDICT_DELIVERED, 1, "" },
	{ RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1, VERDICT_BLOCKED, 0,
	    "WRITE and DESCRIBE" },
	{ RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, 1, VERDICT_BLOCKED, 0,
	    "IDEMPOTENT_WRITE" },
	/* What ends an idempotent producer: it is replaced. */
	{ RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1, VERDICT_RETRY, 0,
	    "a new producer" },
	{ RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 1, VERDICT_RETRY, 0,
	    "a new producer" },
	{ RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, VERDICT_RETRY, 0,
	    "a new producer" },
	{ RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, 1, VERDICT_DELIVERED, 0, "" },
	{ RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 1, VERDICT_DELIVERED, 0,
	    "" },
	{ RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, 1, VERDICT_DELIVERED, 0, "" },
	{ RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, 1, VERDICT_RETRY, 0,
	    "look at the brokers' logs" },
	{ RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, 1, VERDICT_BLOCKED, 0,
	    "no such name" },
	{ RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, 1, VERDICT_BLOCKED, 0,
	    "another compression" },
	{ RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 1, VERDICT_BLOCKED, 0, "policy" },
};

START_TEST(brokers_answer)
{
	char text[1][256];
	struct courier c;
	int64_t until;

	for (size_t i = 0; i < answers[_i].times; i++)
		rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
		    answers[_i].code);
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == answers[_i].verdict, "%d: %s", c.verdict,
	    c.why);
	ck_assert_uint_eq(c.refused, answers[_i].refused);
	ck_assert_msg(strstr(c.why, answers[_i].why) != NULL, "%s", c.why);
	/* What the library knows of a topic it keeps for a while. */
	until = clock_monotonic() + 20 * CLOCK_SECOND;
	while (c.verdict != VERDICT_DELIVERED && clock_monotonic() < until)
		courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(answers[_i].refused == 0, text);
}
END_TEST

/* What the brokers answer before there is anything to send, again and again. */
static const struct {
	int16_t api;
	rd_kafka_resp_err_t code;
	enum verdict verdict;
	const char *why;
} beginnings[] = {
	{ METADATA, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
	    VERDICT_BLOCKED, "WRITE and DESCRIBE" },
	{ METADATA, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, VERDICT_BLOCKED,
	    "no such name" },
	{ METADATA, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, VERDICT_RETRY, "" },
	{ INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
	    VERDICT_BLOCKED, "IDEMPOTENT_WRITE" },
	{ INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
	    VERDICT_RETRY, "" },
};

START_TEST(brokers_answer_before)
{
	char text[1][256];
	struct courier c;

	conf.timeout = 3 * CLOCK_SECOND;
	if (beginnings[_i].api == METADATA)
		rd_kafka_mock_topic_set_error(cluster, TOPIC,
		    beginnings[_i].code);
	for (int i = 0; i < 100 && beginnings[_i].api != METADATA; i++)
		rd_kafka_mock_push_request_errors(cluster, beginnings[_i].api,
		    1, beginnings[_i].code);
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_deliver(&c);
	for (int i = 0; i < 3 && c.verdict != beginnings[_i].verdict; i++)
		courier_deliver(&c);

	ck_assert_msg(c.verdict == beginnings[_i].verdict, "%d: %s", c.verdict,
	    c.why);
	ck_assert_msg(strstr(c.why, beginnings[_i].why) != NULL, "%s", c.why);
	ck_assert_uint_eq(c.refused, 0);
	rd_kafka_mock_clear_request_errors(cluster, beginnings[_i].api);
	rd_kafka_mock_topic_set_error(cluster, TOPIC,
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	for (int i = 0; i < TRIES && c.verdict != VERDICT_DELIVERED; i++)
		courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(1, text);
}
END_TEST

/* A topic that is deleted below a producer that has written to it, and made
 * again. */
START_TEST(topic_is_deleted)
{
	char text[2][256];
	struct courier c;
	int64_t until;

	conf.timeout = 3 * CLOCK_SECOND;
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	courier_open(&c, &output_kafka, &conf, "{}");
	rd_kafka_mock_topic_set_error(cluster, TOPIC,
	    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	for (int i = 0; i < 100; i++)
		rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
		    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	courier_deliver(&c);
	for (int i = 1; i < TRIES && c.verdict != VERDICT_BLOCKED; i++)
		courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_BLOCKED, "%d: %s", c.verdict, c.why);
	ck_assert_ptr_nonnull(strstr(c.why, "make the topic"));
	rd_kafka_mock_clear_request_errors(cluster, PRODUCE);
	rd_kafka_mock_topic_set_error(cluster, TOPIC,
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	until = clock_monotonic() + 20 * CLOCK_SECOND;
	while (c.verdict != VERDICT_DELIVERED && clock_monotonic() < until) {
		courier_deliver(&c);
		ck_assert_ptr_nonnull(strstr(c.why,
		    c.verdict == VERDICT_DELIVERED ? "" : "make the topic"));
	}
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(2, text);
}
END_TEST

/* A message that is too large by the settings is one dead letter, and the
 * others arrive. */
START_TEST(large_event_is_refused_alone)
{
	char large[6000] = "", text[2][256];
	struct courier c;

	memset(large, 'x', sizeof(large) - 1);
	conf.max_message = 4096;
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_add(&c, large);
	courier_add(&c, "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_uint_eq(c.refused, 1);
	courier_close(&c);
	consumed(2, text);
}
END_TEST

/* A batch is refused whole: which of its messages is to blame is for its halves
 * to tell. */
START_TEST(batch_is_refused)
{
	char text[3][256];
	struct courier c;

	rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
	    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_add(&c, "{}");
	courier_add(&c, "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_REFUSED, "%d: %s", c.verdict, c.why);
	ck_assert_uint_eq(c.refused, 0);
	ck_assert_ptr_nonnull(strstr(c.why, "max.message.bytes"));
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(3, text);
}
END_TEST

/* What was delivered does not go again with the rest. */
START_TEST(rest_goes_again)
{
	char text[2][256];
	struct courier c;

	courier_open(&c, &output_kafka, &conf, "{}");
	courier_add(&c, "{}");
	courier_add(&c, "{}");
	(void)chunk_set_mark(c.chunk, 1, 2, CHUNK_DELIVERED);
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(2, text);
}
END_TEST

START_TEST(topic_is_unknown)
{
	struct buf message = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct courier c;

	rd_kafka_mock_topic_set_error(cluster, "other",
	    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	(void)strcpy(topic, "other");
	conf.timeout = 2 * CLOCK_SECOND;
	courier_open(&c, &output_kafka, &conf, "{}");
	ck_assert_int_eq(output_kafka.probe(&c.out, &message, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "topic other: "));
	ck_assert_ptr_nonnull(strstr(err.text, "make the topic"));
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_BLOCKED, "%d: %s", c.verdict, c.why);
	ck_assert_ptr_nonnull(strstr(c.why, "make the topic"));
	courier_close(&c);
	buf_release(&message);
}
END_TEST

/*
 * Brokers behind TLS and a login.
 */

static struct tls_peer *other;
static char cert_file[] = "/tmp/unit-kafka-cert-XXXXXX";
static char key_file[] = "/tmp/unit-kafka-key-XXXXXX";

static void
write_file(char *name, const char *text)
{
	int fd;
	FILE *file;

	(void)strcpy(name + strlen(name) - 6, "XXXXXX");
	fd = mkstemp(name);
	file = fdopen(fd, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

enum authority { OURS, ANOTHER, SYSTEMS };

/* The gate, and what the output is told. */
static const struct {
	bool tls, client;
	const char *mechanism;
	bool says_tls;
	enum authority ca;
	bool certificate;
	int says; /* of kafka_mechanisms; -1: no user */
	const char *password;
	enum verdict verdict;
	const char *why;
} gates[] = {
	{ true, false, NULL, true, OURS, false, -1, NULL, VERDICT_DELIVERED,
	    "" },
	{ true, true, NULL, true, OURS, true, -1, NULL, VERDICT_DELIVERED, "" },
	{ false, false, "PLAIN", false, OURS, false, 0, "se cret",
	    VERDICT_DELIVERED, "" },
	{ false, false, "SCRAM-SHA-256", false, OURS, false, 1, "se cret",
	    VERDICT_DELIVERED, "" },
	{ true, false, "SCRAM-SHA-512", true, OURS, false, 2, "se cret",
	    VERDICT_DELIVERED, "" },
	{ true, false, NULL, true, ANOTHER, false, -1, NULL, VERDICT_BLOCKED,
	    "tls.ca" },
	{ true, false, NULL, true, SYSTEMS, false, -1, NULL, VERDICT_BLOCKED,
	    "tls.ca" },
	{ true, true, NULL, true, OURS, false, -1, NULL, VERDICT_BLOCKED,
	    "tls.cert" },
	{ false, false, NULL, true, OURS, false, -1, NULL, VERDICT_RETRY,
	    "listener speaks TLS" },
	{ false, false, "PLAIN", false, OURS, false, 0, "other",
	    VERDICT_BLOCKED, "check user, password" },
	{ false, false, "SCRAM-SHA-256", false, OURS, false, 1, "other",
	    VERDICT_BLOCKED, "check user, password" },
	{ false, false, "SCRAM-SHA-512", false, OURS, false, 2, "other",
	    VERDICT_BLOCKED, "check user, password" },
	{ false, false, "SCRAM-SHA-512", false, OURS, false, 0, "se cret",
	    VERDICT_BLOCKED, "mechanism" },
};

static struct kafka_gate *
gate_before(int i)
{
	static const struct tls_peer_spec peer = { .version = TLS1_3_VERSION };
	static char user[] = "u,ser", password[32];
	struct kafka_gate_spec spec = {
		.behind = (unsigned short)strtoul(strrchr(brokers, ':') + 1,
		    NULL, 10),
		.mechanism = gates[i].mechanism,
		.user = user,
		.password = "se cret",
	};
	struct tls_peer *ours = tls_peer_start(&peer);
	static char ca[8192], key[8192], another[8192];
	struct kafka_gate *g;

	other = tls_peer_start(&peer);
	(void)snprintf(ca, sizeof(ca), "%s", tls_peer_pem(ours));
	(void)snprintf(key, sizeof(key), "%s", tls_peer_key(ours));
	(void)snprintf(another, sizeof(another), "%s", tls_peer_pem(other));
	write_file(cert_file, ca);
	write_file(key_file, key);
	tls_peer_stop(ours);
	spec.cert = gates[i].tls ? cert_file : NULL;
	spec.key = gates[i].tls ? key_file : NULL;
	spec.client_ca = gates[i].client ? cert_file : NULL;
	g = kafka_gate_start(&spec);
	(void)snprintf(brokers, sizeof(brokers), "127.0.0.1:%u",
	    kafka_gate_port(g));
	conf.transport = gates[i].says_tls ? KAFKA_TLS : KAFKA_TCP;
	conf.tls.ca = gates[i].ca == OURS ? ca
	    : gates[i].ca == ANOTHER      ? another
					  : NULL;
	conf.tls.cert = gates[i].certificate ? ca : NULL;
	conf.tls.key = gates[i].certificate ? key : NULL;
	conf.user = gates[i].says >= 0 ? user : NULL;
	conf.mechanism = gates[i].says >= 0 ? gates[i].says : 0;
	(void)snprintf(password, sizeof(password), "%s",
	    gates[i].password == NULL ? "" : gates[i].password);
	conf.password = gates[i].password == NULL ? NULL : password;
	return g;
}

static int
probe_until(struct courier *c, const char *why, struct err *err)
{
	struct buf message = BUF_INIT(1 << 16);
	int rc = -1;

	for (int i = 0; i < TRIES && rc != 0; i++) {
		err_clear(err);
		rc = output_kafka.probe(&c->out, &message, err);
		if (rc != 0 && strstr(err->text, why) != NULL)
			break;
	}
	buf_release(&message);
	return rc;
}

START_TEST(gate)
{
	struct err err = ERR_INIT;
	struct kafka_gate *g = gate_before(_i);
	bool good = gates[_i].verdict == VERDICT_DELIVERED;
	struct courier c;

	if (!good)
		conf.timeout = CLOCK_SECOND;
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_deliver(&c);
	for (int i = 1; i < TRIES && c.verdict != gates[_i].verdict; i++)
		courier_deliver(&c);
	ck_assert_msg(c.verdict == gates[_i].verdict, "%d: %s", c.verdict,
	    c.why);
	ck_assert_msg(strstr(c.why, gates[_i].why) != NULL, "%s", c.why);
	courier_close(&c);
	courier_open(&c, &output_kafka, &conf, "{}");
	ck_assert_msg((probe_until(&c, gates[_i].why, &err) == 0) == good, "%s",
	    err.text);
	ck_assert_msg(strstr(err.text, gates[_i].why) != NULL, "%s", err.text);
	ck_assert_ptr_null(strstr(c.why, "se cret"));
	courier_close(&c);
	kafka_gate_stop(g);
	tls_peer_stop(other);
	(void)remove(cert_file);
	(void)remove(key_file);
}
END_TEST

/* Brokers that are down give the chunk back in time, and get it later. */
START_TEST(brokers_are_down)
{
	char text[1][256];
	struct courier c;

	ck_assert_int_eq(rd_kafka_mock_broker_set_down(cluster, 1), 0);
	conf.timeout = CLOCK_SECOND;
	courier_open(&c, &output_kafka, &conf, "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_RETRY, "%d: %s", c.verdict, c.why);
	ck_assert_int_eq(rd_kafka_mock_broker_set_up(cluster, 1), 0);
	for (int i = 0; i < 20 && c.verdict != VERDICT_DELIVERED; i++)
		courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_close(&c);
	consumed(1, text);
}
END_TEST

START_TEST(probe_finds_the_topic)
{
	struct buf message = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct courier c;

	courier_open(&c, &output_kafka, &conf, "{}");
	ck_assert_msg(output_kafka.probe(&c.out, &message, &err) == 0, "%s",
	    err.text);
	ck_assert_str_eq(message.data,
	    "1 broker, topic audit has 3 partitions; whether the user may "
	    "write to it is not tested");
	courier_close(&c);
	buf_release(&message);
}
END_TEST

#endif

Suite *
suite_kafka(void)
{
	Suite *s = suite_create("kafka");
	TCase *tc = tcase_create("kafka");

#ifdef HAVE_RDKAFKA
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, messages_have_key_and_headers);
	tcase_add_test(tc, envelope_is_the_line);
	tcase_add_loop_test(tc, brokers_answer, 0,
	    (int)(sizeof(answers) / sizeof(answers[0])));
	tcase_add_loop_test(tc, brokers_answer_before, 0,
	    (int)(sizeof(beginnings) / sizeof(beginnings[0])));
	tcase_add_test(tc, topic_is_deleted);
	tcase_add_test(tc, large_event_is_refused_alone);
	tcase_add_test(tc, batch_is_refused);
	tcase_add_test(tc, rest_goes_again);
	tcase_add_test(tc, topic_is_unknown);
	tcase_add_loop_test(tc, gate, 0,
	    (int)(sizeof(gates) / sizeof(gates[0])));
	tcase_add_test(tc, brokers_are_down);
	tcase_add_test(tc, probe_finds_the_topic);
#endif
	suite_add_tcase(s, tc);
	return s;
}
