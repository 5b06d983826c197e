/*
 * kafka_late.c - librdkafka, loaded when it is first needed.
 */
#ifdef HAVE_RDKAFKA

#include "outputs/kafka_late.h"
#include "base/late.h"

#define NAME(name) "rd_kafka_" #name,

static const char *const names[] = { KAFKA_FUNCTIONS(NAME) };

static union {
	struct kafka_calls call;
	void *any[sizeof(names) / sizeof(names[0])];
} kafka;

static struct late_library library = {
	.file = LIBRDKAFKA_FILE,
	.names = names,
	.functions = kafka.any,
	.n = sizeof(names) / sizeof(names[0]),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

const struct kafka_calls *
kafka_load(void)
{
	late_load(&library);
	return &kafka.call;
}

#else

/* A translation unit is not empty. */
extern int kafka_is_left_out;

#endif
