/*
 * kafka.c - a broker of Kafka, which is librdkafka's mock cluster, and a
 * consumer that appends the values of a topic to a file.
 *
 *	kafka --dir DIR [--poison TEXT]     DIR/port, DIR/events; topic "audit"
 *
 * A batch with TEXT in it is larger than the broker takes.  SIGUSR1 takes the
 *broker down, and brings it up again.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/kafka_gate.h"

#define TOPIC "audit"

static volatile sig_atomic_t turns;

static void
turn(int signal_number)
{
	(void)signal_number;
	turns++;
}

/* kafka_gate_spec.marked */
static void
refuse(void *cluster)
{
	rd_kafka_mock_push_request_errors(cluster, 0, 1,
	    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
}

static rd_kafka_t *
client(rd_kafka_type_t type, const char *brokers)
{
	char why[256] = "";
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	rd_kafka_t *rk;

	if (brokers != NULL) {
		(void)rd_kafka_conf_set(c, "bootstrap.servers", brokers, NULL,
		    0);
		(void)rd_kafka_conf_set(c, "group.id", "test", NULL, 0);
	}
	rk = rd_kafka_new(type, c, why, sizeof(why));
	if (rk == NULL)
		(void)fprintf(stderr, "kafka: %s\n", why);
	return rk;
}

/* Append what comes, and turn the broker when it is asked for. */
static int
consume(rd_kafka_t *rk, rd_kafka_mock_cluster_t *cluster, FILE *out)
{
	sig_atomic_t seen = 0;

	for (;;) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);

		for (; seen < turns; seen++)
			(void)(seen % 2 == 0
				? rd_kafka_mock_broker_set_down(cluster, 1)
				: rd_kafka_mock_broker_set_up(cluster, 1));
		if (m == NULL)
			continue;
		if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
		    (fwrite(m->payload, 1, m->len, out) != m->len ||
			fputc('\n', out) == EOF || fflush(out) != 0))
			return 1;
		rd_kafka_message_destroy(m);
	}
}

int
main(int argc, char **argv)
{
	rd_kafka_topic_partition_list_t *parts =
	    rd_kafka_topic_partition_list_new(1);
	rd_kafka_t *host = client(RD_KAFKA_PRODUCER, NULL), *reader;
	rd_kafka_mock_cluster_t *cluster;
	struct kafka_gate_spec spec = { .marked = refuse };
	unsigned port;
	const char *brokers;
	char path[512];
	FILE *file;

	if (argc < 3 || host == NULL)
		return 2;
	(void)signal(SIGUSR1, turn);
	cluster = rd_kafka_mock_cluster_new(host, 1);
	if (cluster == NULL ||
	    rd_kafka_mock_topic_create(cluster, TOPIC, 1, 1) != 0)
		return 1;
	brokers = rd_kafka_mock_cluster_bootstraps(cluster);
	reader = client(RD_KAFKA_CONSUMER, brokers);
	rd_kafka_topic_partition_list_add(parts, TOPIC, 0)->offset =
	    RD_KAFKA_OFFSET_BEGINNING;
	if (reader == NULL || rd_kafka_assign(reader, parts) != 0)
		return 1;
	port = (unsigned)strtoul(strrchr(brokers, ':') + 1, NULL, 10);
	if (argc == 5) {
		spec.behind = (unsigned short)port;
		spec.mark = argv[4];
		spec.ctx = cluster;
		port = kafka_gate_port(kafka_gate_start(&spec));
	}
	(void)snprintf(path, sizeof(path), "%s/port", argv[2]);
	file = fopen(path, "w");
	if (file == NULL || fprintf(file, "%u\n", port) < 0 ||
	    fclose(file) != 0)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/events", argv[2]);
	file = fopen(path, "a");
	return file == NULL ? 1 : consume(reader, cluster, file);
}
