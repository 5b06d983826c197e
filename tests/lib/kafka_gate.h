/*
 * kafka_gate.h - what a broker of Kafka has in front of its protocol, and
 * librdkafka's mock brokers have not: TLS, and a login by SASL (PLAIN, and
 * SCRAM of RFC 5802) as kafka.apache.org, "Protocol", has it.  Behind it
 * everything goes to the mock broker, whose port in answers becomes the gate's.
 */
#ifndef TESTS_LIB_KAFKA_GATE_H
#define TESTS_LIB_KAFKA_GATE_H

#include <stdbool.h>

struct kafka_gate;

struct kafka_gate_spec {
	unsigned short behind;  /* port of the mock broker on 127.0.0.1 */
	const char *cert, *key; /* files; NULL: no TLS */
	const char *client_ca;  /* a client certificate of it is wanted */
	const char *mechanism;  /* the only one, NULL: no login */
	const char *user, *password;
	/* Called before a request to produce goes on that has this text, and
	 * while none is unanswered; NULL: none. */
	const char *mark;
	void (*marked)(void *ctx);
	void *ctx;
};

/* Listens on 127.0.0.1; spec is borrowed.  Aborts where it cannot. */
struct kafka_gate *kafka_gate_start(const struct kafka_gate_spec *spec);
void kafka_gate_stop(struct kafka_gate *g);

unsigned short kafka_gate_port(const struct kafka_gate *g);

#endif /* TESTS_LIB_KAFKA_GATE_H */
