/*
 * collect.h - inside of the collect role: its threads and what they share.
 *
 * A source has one thread for each feed that asks what is new, and `parallel`
 * threads that bring what was listed: a slow listing or a dripping blob holds
 * up nobody else.  The main thread keeps house.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/rules.h"
#include "sources/source.h"

struct agent_feed;
struct err;
struct role;
struct runner;
struct store;

/* How a feed's polls are going; under collector.lock. */
struct health {
	enum reply_class class;
	unsigned failures; /* in a row */
	int64_t since;     /* first of them, wall clock */
	bool told;         /* in the log and the agent's own feed */
	char code[48];
	char text[512];
};

/* One feed. */
struct job {
	struct stream stream;
	struct runner *runner;
	pthread_t thread;
	bool running;
	/* Under collector.lock. */
	struct health health;
	unsigned active;     /* fetches under way */
	unsigned listings;   /* grows with every listing */
	int64_t item_due;    /* monotonic: no claim before */
	int64_t lateness;    /* longest created-to-collected since told */
	int64_t due;         /* wall clock, of the next poll */
	int64_t oldest_item; /* created, vendor's clock; INT64_MAX: none */
};

/* One source. */
struct runner {
	struct source source;
	struct collector *collector;
	struct job *jobs;
	size_t n_jobs;
	pthread_t *fetchers;
	size_t n_fetchers; /* started */
	size_t turn;       /* which job is asked first */
	bool skewed;       /* its clock's distance has been told */
};

struct collector {
	const struct role *role;
	struct store *store;
	struct agent_feed *own;
	pthread_mutex_t lock;
	/* Both by the monotonic clock, both told of a stop and a resume. */
	pthread_cond_t work; /* for fetchers: there are items */
	pthread_cond_t calm; /* for polls and waits */
	bool stopping;
	bool paused; /* the store is full */
	struct runner *runners;
	size_t n_runners;
};

/* Begin and end all threads.  collect_join() is false when some did not end
 * in time. */
int collect_start(struct collector *c, struct err *err);
bool collect_join(struct collector *c);

/* Tell how a poll or a fetch ended: log, feed state, agent's own feed. */
void collect_polled(struct job *j, const struct ruling *r, int64_t delay);
void collect_fetched(struct job *j, const struct item *it,
    const struct ruling *r);

/* Oldest time, by the local clock, of what the vendor has and we have not;
 * INT64_MIN: not known.  With collector.lock held. */
int64_t collect_horizon(const struct job *j);

/* Warn about certificates of the configuration that end soon. */
void collect_certificates(struct collector *c);

#endif /* COLLECT_H */
