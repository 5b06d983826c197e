/*
 * kafka_private.h - what the files of the output kafka share.
 */
#ifndef OUTPUTS_KAFKA_PRIVATE_H
#define OUTPUTS_KAFKA_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/setting.h"
#include "delivery/chunk.h"
#include "outputs/kafka.h"
#include "outputs/kafka_late.h"
#include "outputs/output.h"

#define IN_FLIGHT_MAX 64

/* One chunk under way. */
struct in_flight {
	struct chunk *chunk; /* NULL: free */
	size_t next;         /* line to be produced */
	size_t open;         /* lines that are with librdkafka */
	bool alone;          /* nothing else was with librdkafka all the time */
	size_t refused;      /* lines that brokers refused, … */
	size_t refused_line; /* … the last of them, … */
	char refused_why[512]; /* … and why */
	unsigned refusals;     /* times that one line was refused alone */
	bool stopped;          /* no more are produced: it ends in verdict */
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
	rd_kafka_resp_err_t trouble_code;
	unsigned alone; /* so many chunks go one at a time */
	int64_t asked;  /* when the brokers were last asked for the topic */
	struct member_reader *members;
	struct buf text;
	struct in_flight in_flight[IN_FLIGHT_MAX];
	size_t n;
	uint64_t bytes;
	bool decided;
};

/* Options (kafka_conf.c). */
extern const struct setting kafka_settings[];
extern const char *const kafka_mechanisms[];
extern const char *const kafka_codecs[];
struct config_section;
void kafka_check(const void *conf, const struct config_section *b);

/* What an error means for a line, and what to do. */
enum verdict kafka_meaning(rd_kafka_resp_err_t code, const char **hint);

/* What the library tells of a broker, for kafka_cause(). */
void kafka_trouble(struct session *s, rd_kafka_resp_err_t code,
    const char *text);

/* Why a message timed out, nothing was heard or a producer ended, where the
 * library has told: that it cannot log in, say.  Else code. */
rd_kafka_resp_err_t kafka_cause(const struct session *s,
    rd_kafka_resp_err_t code);

/* Make s's producer; its delivery reports go to kafka_reported(). */
int kafka_producer_begin(struct session *s, struct err *err);
void kafka_reported(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);

/* Hand a line to the library, which reports with own; it copies all. */
rd_kafka_resp_err_t kafka_produce(struct session *s,
    const struct chunk_line *line, struct message *own);

#endif /* OUTPUTS_KAFKA_PRIVATE_H */
