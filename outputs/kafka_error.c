/*
 * kafka_error.c - what errors of Kafka mean, and what is to be done about them.
 *
 * kafka.apache.org, "Error Codes"; negative ones are librdkafka's own.
 */
#ifdef HAVE_RDKAFKA

#include <string.h>

#include "base/text.h"
#include "outputs/kafka_private.h"

#define WHO "check user, password and mechanism, and that the user is there"
#define LARGE "raise max.message.bytes of the topic, or lower max_message"
#define TOPIC "make the topic, or correct topic"
#define ANEW                                                            \
	"a new producer goes on; if it comes again and again, look at " \
	"the brokers' logs and disks"

static const struct {
	rd_kafka_resp_err_t code;
	enum verdict verdict;
	const char *hint;
} errors[] = {
	/* Of messages. */
	{ RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, VERDICT_REFUSED, LARGE },
	{ RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, VERDICT_REFUSED,
	    "raise segment.bytes of the topic" },
	{ RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, VERDICT_REFUSED, LARGE },
	{ RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, VERDICT_REFUSED,
	    "the topic bounds how old messages may be; raise its "
	    "message.timestamp.before.max.ms (message.timestamp.difference.max."
	    "ms before Kafka 3.6), and look at the clocks" },
	{ RD_KAFKA_RESP_ERR_INVALID_RECORD, VERDICT_REFUSED,
	    "the brokers do not take this message; a compacted topic or a "
	    "schema may demand what it lacks" },
	{ RD_KAFKA_RESP_ERR_INVALID_MSG, VERDICT_REFUSED,
	    "the brokers find it damaged" },
	/* Of settings, here or there. */
	{ RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, VERDICT_BLOCKED, TOPIC },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, VERDICT_BLOCKED, TOPIC },
	{ RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, VERDICT_BLOCKED,
	    "correct topic: Kafka allows no such name" },
	{ RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, VERDICT_BLOCKED,
	    "allow the user to WRITE and DESCRIBE the topic" },
	{ RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, VERDICT_BLOCKED,
	    "allow the user IDEMPOTENT_WRITE on the cluster" },
	{ RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, VERDICT_BLOCKED, WHO },
	{ RD_KAFKA_RESP_ERR__AUTHENTICATION, VERDICT_BLOCKED, WHO },
	{ RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, VERDICT_BLOCKED,
	    "choose a mechanism that the listener has enabled" },
	{ RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, VERDICT_BLOCKED,
	    "the listener wants no login; leave out user and password" },
	{ RD_KAFKA_RESP_ERR__SSL, VERDICT_BLOCKED,
	    "check that the port is a TLS listener, and tls.ca, tls.cert and "
	    "tls.key" },
	{ RD_KAFKA_RESP_ERR_POLICY_VIOLATION, VERDICT_BLOCKED,
	    "a policy of the brokers forbids it" },
	{ RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, VERDICT_BLOCKED,
	    "the brokers do not wait for all replicas" },
	{ RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, VERDICT_BLOCKED,
	    "choose another compression" },
	{ RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, VERDICT_BLOCKED,
	    "the brokers are older than Kafka 0.11, which knows idempotent "
	    "producers" },
	{ RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, VERDICT_BLOCKED,
	    "the brokers are older than Kafka 0.11, which knows idempotent "
	    "producers" },
	/* Of the producer: it is replaced by a new one. */
	{ RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, VERDICT_RETRY, ANEW },
	{ RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, VERDICT_RETRY, ANEW },
	{ RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, VERDICT_RETRY, ANEW },
	{ RD_KAFKA_RESP_ERR_PRODUCER_FENCED, VERDICT_RETRY, ANEW },
	/* Of the cluster, for a while. */
	{ RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, VERDICT_RETRY,
	    "fewer replicas are in sync than min.insync.replicas" },
	{ RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, VERDICT_RETRY,
	    "fewer replicas are in sync than min.insync.replicas" },
	{ RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, VERDICT_RETRY,
	    "the partition has no leader now" },
	{ RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, VERDICT_RETRY,
	    "a disk of a broker fails" },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, VERDICT_RETRY,
	    "the topic has changed" },
	{ RD_KAFKA_RESP_ERR__RESOLVE, VERDICT_RETRY,
	    "correct brokers, or wait for the name server" },
};

enum verdict
kafka_meaning(rd_kafka_resp_err_t code, const char **hint)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].code != code)
			continue;
		*hint = errors[i].hint;
		return errors[i].verdict;
	}
	*hint = code > 0
	    ? "look at the brokers' logs"
	    : "check the brokers, whether their listener speaks TLS, and the "
	      "way to them";
	return VERDICT_RETRY;
}

/* What stands in the way for good stays until something gets through: tries
 * that end in other ways follow it. */
void
kafka_trouble(struct session *s, rd_kafka_resp_err_t code, const char *text)
{
	const char *hint;

	/* It has no code of its own on the way back. */
	if (code == RD_KAFKA_RESP_ERR__TRANSPORT &&
	    strstr(text, "SSL routines:") != NULL)
		code = RD_KAFKA_RESP_ERR__SSL;
	if (kafka_meaning(code, &hint) != VERDICT_BLOCKED &&
	    kafka_meaning(s->trouble_code, &hint) == VERDICT_BLOCKED)
		return;
	text_one_line(s->trouble, sizeof(s->trouble), text);
	s->trouble_code = code;
}

rd_kafka_resp_err_t
kafka_cause(const struct session *s, rd_kafka_resp_err_t code)
{
	const char *hint;

	switch (code) {
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		return kafka_meaning(s->trouble_code, &hint) == VERDICT_BLOCKED
		    ? s->trouble_code
		    : code;
	/* What a producer that cannot go on says of what it had. */
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
	case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
		return s->fatal ? s->trouble_code : code;
	default:
		return code;
	}
}

#else

/* A translation unit is not empty. */
extern int kafka_is_left_out;

#endif
