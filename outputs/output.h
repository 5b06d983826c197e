/*
 * output.h - what every destination provides.
 *
 * ship owns order, positions, retry, back-off, bisection and dead letters.
 * An output moves chunks and says how each ended.  A new one is a file in
 * this folder and a row in OUTPUT_TYPES below.
 */
#ifndef OUTPUTS_OUTPUT_H
#define OUTPUTS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"
#include "delivery/chunk.h"

struct err;
struct http_dialect;
struct output;

enum verdict {
	VERDICT_DELIVERED, /* acknowledged: the store may forget it */
	VERDICT_RETRY,     /* not now: the same again later */
	VERDICT_REFUSED,   /* never: bisect to the line, then dead letter */
	VERDICT_BLOCKED    /* credentials or settings: keep, alarm, probe */
};

struct output_type {
	struct config_type type; /* must stand first: output_type_of() */

	/* Of outputs over HTTP: what makes this one (http/dialect.h). */
	const struct http_dialect *dialect;

	/* How conf wants events written (format.h); NULL: it has no choice. */
	int (*format)(const void *conf);

	/* Load keys and certificates, no network; sets out->state,
	 * out->chunk_max and out->batches.  Called again after close when
	 * credentials may have been rotated.  -1: nothing to close. */
	int (*open)(struct output *out, struct err *err);
	/* How many chunks may be in flight now. */
	size_t (*window)(const struct output *out);
	/* How many of those in flight the receiver has taken and has only to
	 * confirm: nothing has to wait for them.  NULL: none. */
	size_t (*waiting)(const struct output *out);
	/* Begin moving p (borrowed until its verdict).  Ends in exactly one
	 * output_done(), now or from drive(). */
	void (*send)(struct output *out, struct chunk *p);
	/* Move bytes until a chunk is decided or the window has room again,
	 * wake_fd is readable or timeout_ms have passed. */
	void (*drive)(struct output *out, int wake_fd, int timeout_ms);
	/* SIGUSR1: open files again; NULL: has none. */
	void (*reopen)(struct output *out);
	/* For check --live: reach the peer as send() would, deliver nothing.
	 * After open().  Returns 0 or -1 with cause and hint; message gets what
	 * was found. */
	int (*probe)(struct output *out, struct buf *message, struct err *err);
	/* Drop connections and free state; chunks in flight end in
	 * VERDICT_RETRY, or DELIVERED where that turns out just then. */
	void (*close)(struct output *out);
};

/* What an output tells its owner: ship, or a test. */
struct output_owner {
	void (*done)(void *ctx, struct chunk *p, enum verdict v, int64_t delay,
	    const char *why);
	int (*settle)(void *ctx, struct chunk *p, size_t from, size_t to,
	    enum verdict v, const char *why);
	int (*refuse)(void *ctx, struct chunk *p, size_t i, const char *why);
};

/* One configured output in its ship process. */
struct output {
	const struct output_type *type;
	const char *name;
	const char *agent; /* the agent's name, for HOSTNAME */
	const void *conf;
	bool blocked;     /* the type's own: nothing has been taken since it
			     was blocked */
	bool probing;     /* only probe() will follow open(): touch nothing */
	void *state;      /* the type's own */
	size_t chunk_max; /* bytes of lines that a chunk may have; a single
			       line may be larger */
	bool batches;     /* a chunk has lines of one sealed batch only */
	const char *mode; /* static text for status: "confirmed" … */
	/* What VERDICT_DELIVERED is worth.  time > 0: whoever gave the receipt
	 * may not be the SIEM, so ship keeps the position before it for so long
	 * (microseconds), or until bytes more have receipts, and sends it again
	 * when the connection breaks earlier.  trusted: a break alone proves
	 * nothing against a receipt. */
	struct {
		int64_t time;
		uint64_t bytes;
		bool trusted;
	} hold;
	/* Connections that ended otherwise than in order after data had been
	 * sent; counted before the verdicts on what was in flight. */
	uint64_t breaks;
	bool poison_waits; /* an event that breaks connections is waited for */
	size_t taken; /* of HTTP: bytes of the largest body that was taken; it
			 outlives close() */
	uint64_t connects;
	uint64_t bytes;    /* put on the wire */
	char trouble[512]; /* the present trouble, "" when all is well */
	/* The type's own: why it cannot learn at present what became of chunks
	 * that the receiver has taken; they stay in flight. */
	char unheard[512];
	const struct output_owner *owner;
	void *owner_ctx;
};

/* All lines of p are decided that were not settled before.  delay:
 * microseconds to wait before the next try (0: the usual back-off).  why:
 * sentence for the log, status and dead letter. */
void output_done(struct output *out, struct chunk *p, enum verdict v,
    int64_t delay, const char *why, ...) __attribute__((format(printf, 5, 6)));

/*
 * The receiver decided on the lines [from, to) of p and not on all: they are
 * not sent again whatever the verdict of output_done(), with which this takes
 * effect.
 *
 * VERDICT_DELIVERED: always 0.  VERDICT_REFUSED: each becomes a dead letter,
 * durable on return; tell of what was delivered first, since refusals are
 * another matter where a receiver takes nothing.  -1: some of the lines are to
 * be kept, end p with VERDICT_RETRY.
 */
int output_settle(struct output *out, struct chunk *p, size_t from, size_t to,
    enum verdict v, const char *why, ...) __attribute__((format(printf, 6, 7)));

/* Line i of p can never be sent, which the output itself finds, while the rest
 * of p goes on: it becomes a dead letter, once, durable on return.  -1: that
 * failed, end p with VERDICT_RETRY. */
int output_refuse(struct output *out, struct chunk *p, size_t i,
    const char *why, ...) __attribute__((format(printf, 4, 5)));

/* All of OUTPUT_TYPES, NULL-terminated. */
extern const struct config_type *const output_types[];

/* The whole record of a type out of output_types. */
static inline const struct output_type *
output_type_of(const struct config_type *type)
{
	return (const struct output_type *)type;
}

#ifdef HAVE_RDKAFKA
#define OUTPUT_KAFKA(X) X(kafka)
#else
#define OUTPUT_KAFKA(X)
#endif

/* The registry: NAME of each record output_NAME, in the order of the manual. */
#define OUTPUT_TYPES(X)         \
	X(syslog)               \
	X(relp)                 \
	X(http)                 \
	X(http_json)            \
	X(logstash)             \
	X(panther)              \
	X(splunk_hec)           \
	X(crowdstrike_logscale) \
	X(cribl)                \
	X(fluent_bit)           \
	X(vector)               \
	X(elasticsearch)        \
	X(sentinel)             \
	X(otlp)                 \
	X(axiom)                \
	X(new_relic)            \
	X(loki)                 \
	X(datadog)              \
	X(coralogix)            \
	X(sumologic)            \
	X(graylog)              \
	X(graylog_tcp)          \
	X(google_secops)        \
	X(s3)                   \
	OUTPUT_KAFKA(X)         \
	X(azure_blob)           \
	X(gcs)                  \
	X(file)

#define OUTPUT_DECLARE(name) extern const struct output_type output_##name;
OUTPUT_TYPES(OUTPUT_DECLARE)

#endif /* OUTPUTS_OUTPUT_H */
