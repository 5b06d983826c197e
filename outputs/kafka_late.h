/*
 * kafka_late.h - librdkafka, loaded when the first output of type kafka is
 * opened (base/late.h).  Its functions are called as kafka.NAME().
 */
#ifndef OUTPUTS_KAFKA_LATE_H
#define OUTPUTS_KAFKA_LATE_H

#include <librdkafka/rdkafka.h>

#define KAFKA_FUNCTIONS(EACH)       \
	EACH(conf_destroy)          \
	EACH(conf_new)              \
	EACH(conf_set)              \
	EACH(conf_set_dr_msg_cb)    \
	EACH(conf_set_error_cb)     \
	EACH(conf_set_log_cb)       \
	EACH(conf_set_opaque)       \
	EACH(destroy)               \
	EACH(err2str)               \
	EACH(error_code)            \
	EACH(error_destroy)         \
	EACH(fatal_error)           \
	EACH(flush)                 \
	EACH(header_add)            \
	EACH(headers_destroy)       \
	EACH(headers_new)           \
	EACH(metadata)              \
	EACH(metadata_destroy)      \
	EACH(new)                   \
	EACH(poll)                  \
	EACH(produceva)             \
	EACH(purge)                 \
	EACH(queue_destroy)         \
	EACH(queue_get_main)        \
	EACH(queue_io_event_enable) \
	EACH(topic_destroy)         \
	EACH(topic_new)

#define KAFKA_MEMBER(name) __typeof__(rd_kafka_##name) *name;

struct kafka_calls {
	KAFKA_FUNCTIONS(KAFKA_MEMBER)
};

/* Loads the library, or ends the process with a sentence; borrowed. */
const struct kafka_calls *kafka_load(void);

#endif /* OUTPUTS_KAFKA_LATE_H */
