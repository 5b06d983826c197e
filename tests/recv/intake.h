/*
 * intake.h - strict fakes of SIEMs' HTTP intakes, one file each.
 */
#ifndef TESTS_RECV_INTAKE_H
#define TESTS_RECV_INTAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "tests/recv/recv.h"

/* One receiver: the folder DIR/NAME. */
struct place {
	struct place *next;
	char *name;
	char *dir;
	const struct intake_kind *kind;
	int events_fd, requests_fd;
	struct fault_state faults;
	void *state; /* of the kind, made by it */
};

/* One request to it, with its body unpacked. */
struct call {
	struct place *place;
	const struct recv_request *rq;
	const char *path; /* behind the receiver's name */
	const struct buf *body;
	enum fault fault; /* that strikes, and has no status of its own */
	struct recv_reply *reply;
	size_t lines; /* that were stored */
};

struct intake_kind {
	const char *name; /* the receiver's begins with it */
	bool deflate;     /* it takes that coding beside gzip */
	/* Fill call->reply.  One thread at a time. */
	void (*take)(struct call *c);
};

/* Every kind of intake: one row each. */
#define INTAKES(X)              \
	X(axiom)                \
	X(azure_blob)           \
	X(coralogix)            \
	X(cribl)                \
	X(crowdstrike_logscale) \
	X(datadog)              \
	X(elasticsearch)        \
	X(fluent_bit)           \
	X(gcs)                  \
	X(google_secops)        \
	X(graylog)              \
	X(login)                \
	X(logstash)             \
	X(loki)                 \
	X(new_relic)            \
	X(otlp)                 \
	X(panther)              \
	X(s3)                   \
	X(sentinel)             \
	X(splunk_hec)           \
	X(sumologic)            \
	X(vector)

#define INTAKE_DECLARE(name) extern const struct intake_kind intake_##name;
INTAKES(INTAKE_DECLARE)

/* The text of DIR/NAME/OPTION without its line feed, def where there is none;
 * read for each request.  The caller frees it. */
char *place_option(const struct place *p, const char *option, const char *def);

/* Keep an event, or a checkpoint's line, as tally and verify read them. */
void place_store(struct call *c, const char *feed, const char *agent,
    unsigned long long index, const char *event, size_t len);
void place_store_line(struct call *c, const char *line, size_t len);

/* Does the request bear the access token that the fake of a server for tokens
 * gives for the secret in the receiver's option token? */
bool has_access_token(const struct call *c);

/* Value of a query parameter, "" where there is none. */
const char *call_query(const struct call *c, const char *name);

void reply_text(struct call *c, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A page, as many answer where they answer JSON else. */
void reply_page(struct call *c, unsigned status, const char *title);

/* Does the text contain the receiver's "poison"? */
bool is_poison(const struct call *c, const char *text, size_t len);

/* Does it stand in the line of this event, up to its index? */
bool is_poison_event(const struct call *c, const char *feed,
    unsigned long long index);

#endif /* TESTS_RECV_INTAKE_H */
