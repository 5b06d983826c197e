/*
 * kafka.h - what the output kafka is told by the configuration.
 */
#ifndef OUTPUTS_KAFKA_H
#define OUTPUTS_KAFKA_H

#include <stdbool.h>
#include <stdint.h>

enum kafka_transport { KAFKA_TLS, KAFKA_TCP };
enum kafka_envelope { KAFKA_NONE, KAFKA_NDJSON };

struct kafka_conf {
	char **brokers;
	char *topic;
	int transport;
	bool insecure;
	struct {
		char *ca;
		char *cert;
		char *key;
	} tls;
	char *user;
	char *password;
	int mechanism;
	int compression;
	int envelope;
	int64_t max_message;
	int64_t timeout;
};

#endif /* OUTPUTS_KAFKA_H */
