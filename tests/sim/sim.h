/*
 * sim.h - a vendor to test against: the login service and the Office 365
 * Management Activity API, with the behaviour that Microsoft documents and
 * the misbehaviour that users meet.
 *
 * It shares nothing with the agent but memory and buffers, so that a mistake
 * in the agent's clock, JSON or gzip code can't hide in its own mirror.  One
 * thread serves each connection, one produces records, one serves control
 * requests; sim.lock guards everything that they share.  Times are
 * milliseconds of the simulator's clock, which may be off on purpose.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "tests/sim/fault.h"
#include "tests/sim/generate.h"

#define MS INT64_C(1000)
#define MS_MINUTE (60 * MS)
#define MS_HOUR (60 * MS_MINUTE)
#define MS_DAY (24 * MS_HOUR)

/* What is counted; the names are in stats_names. */
enum counter {
	STAT_TOKENS,          /* handed out */
	STAT_TOKENS_REFUSED,  /* bad secret, bad assertion, … */
	STAT_UNAUTHORIZED,    /* 401: token missing, unknown or expired */
	STAT_SUBSCRIPTIONS,   /* subscriptions/list */
	STAT_STARTS,          /* subscriptions/start */
	STAT_STARTS_TOO_SOON, /* … within the guard */
	STAT_STOPS,           /* subscriptions/stop: nobody should */
	STAT_LISTINGS,        /* subscriptions/content */
	STAT_LISTING_ERRORS,  /* bad windows and parameters */
	STAT_PAGES,           /* listings that followed a NextPageUri */
	STAT_BLOBS,           /* audit/{id} */
	STAT_BLOBS_GONE,      /* answered AF20050 or AF20051 */
	STAT_NO_PUBLISHER,    /* calls without PublisherIdentifier */
	STAT_FOREIGN,         /* requests to the host that is not ours */
	STAT_FOREIGN_TOKENS,  /* … with an Authorization header */
	STAT_MADE_BLOBS,
	STAT_MADE,         /* events made available, each once */
	STAT_LOST,         /* events listed that can never be fetched */
	STAT_QUERIES,      /* of the audit log, made */
	STAT_QUERY_LOOKS,  /* … looked at */
	STAT_RECORD_PAGES, /* … of records, answered */
	STATS
};

/* Consecutive lines of a ledger file. */
struct region {
	off_t at;
	size_t len;
	size_t first_len; /* of its first line */
	size_t count;
};

#define PARTS_MAX 2

struct blob {
	char id[128];
	int64_t created; /* contentCreated */
	int64_t visible; /* listed from here on */
	int64_t expires;
	struct region part[PARTS_MAX];
	const char *gone;   /* "AF20050": answers so and is in no ledger */
	uint64_t synthetic; /* made while it is sent: number of records */
	uint64_t number;    /* … the first one's number */
	bool foreign;       /* listed with a contentUri of another host */
	bool served;        /* sent whole once */
	struct buf packed;  /* --packed: the reply's body, gzip */
};

struct feed {
	enum content content;
	int ledger;
	off_t ledger_end;
	struct blob **blobs;
	size_t n_blobs;
	size_t size;
	bool enabled;
	bool disabled; /* by an administrator: AF20023 */
	int64_t started;
	uint64_t number; /* of the next record */
	/* --records: lines of this content type and the next of them. */
	char **lines;
	size_t n_lines;
	size_t next_line;
};

struct options {
	const char *dir; /* ledgers, port files */
	const char *cert;
	const char *key; /* NULL: plain HTTP */
	const char *tenant;
	const char *client;
	const char *secret_file;
	const char *assertion_cert; /* NULL: none is accepted */
	const char *records;
	bool fresh_ids;
	bool subscribed;
	bool gzip;
	bool packed;
	int64_t events; /* -1: no end */
	int64_t seconds;
	double rate; /* events a second; 0: as fast as it goes */
	int64_t blob_least;
	int64_t blob_most;
	int64_t backlog;
	int64_t backlog_span; /* ms */
	int64_t page;         /* rows a page */
	int64_t token_life;   /* ms */
	int64_t start_guard;  /* ms */
	int64_t first_content;
	int64_t late; /* ms: up to so much for the fault "late" */
	int64_t drip; /* ms a byte */
	uint64_t seed;
	int64_t port;
	int64_t control_port;
	int64_t print;
};

struct token {
	char text[48];
	int64_t expires;
};

/* The audit log queries (graph.c). */
struct graph {
	struct query *query;
	size_t n;
	int64_t time;      /* ms until one is answered */
	int64_t limit;     /* records of one; 0: any */
	int64_t failing;   /* so many that are made fail */
	int64_t throttled; /* so many requests get a 429 */
	int64_t foreign;   /* so many pages lead to another host */
	int64_t hidden;    /* first events of SharePoint that none finds */
	bool denied;
};

struct sim {
	struct graph graph;
	struct options opt;
	pthread_mutex_t lock;
	struct feed feed[CONTENTS];
	struct config_errors faults;
	struct rng rng;
	uint64_t stat[STATS];
	int64_t clock_offset;
	bool paused;
	bool enough;   /* the producer is to make no more */
	bool finished; /* the producer made all that was asked for */
	struct token *tokens;
	size_t n_tokens;
	char **jtis; /* of assertions seen */
	size_t n_jtis;
	unsigned short port;
	unsigned short control_port;
};

extern const char *const stats_names[STATS];

int64_t sim_clock(const struct sim *s);
/* Real milliseconds that never step. */
int64_t sim_ticks(void);
void sim_count(struct sim *s, enum counter stat, uint64_t n);
/* "2026-11-22T04:26:58.123Z" into out[32]. */
void sim_time_text(int64_t ms, char *out);
void sim_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void sim_sleep(int64_t ms);

/* options.c */
void options_parse(struct options *o, int argc, char **argv, struct sim *s);

/* serve.c: both listeners. */
void serve_start(struct sim *s);

/* produce.c: the thread that makes records available at the asked rate. */
void produce_start(struct sim *s);

/* control.c: what the control listener answers. */
struct MHD_Connection;
int control_answer(struct sim *s, struct MHD_Connection *c, const char *method,
    const char *url);

#endif /* TESTS_SIM_SIM_H */
