/*
 * collect_private.h - inside of the collect role: its threads and what they
 * share.
 *
 * Threads are there while there is something to do.  Those that poll serve all
 * feeds, and there are as many of them as polls are under way, and one that
 * waits for the next; those that bring what was listed serve a source, which
 * has up to `parallel`.  So a slow listing or a dripping blob holds up nobody
 * else, and a thousand feeds at rest have a handful of threads.  The main
 * thread keeps house.
 */
#ifndef COLLECT_COLLECT_PRIVATE_H
#define COLLECT_COLLECT_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/rules.h"
#include "sources/source.h"
#include "store/expiry.h"

struct agent_feed;
struct err;
struct reconciler;
struct role;
struct source_runner;
struct store;

/* What has trouble in a feed. */
enum trouble_of {
	TROUBLE_OF_POLL = 1,
	TROUBLE_OF_FETCH = 2,
	TROUBLE_OF_CLOCK = 4
};

/*
 * A trouble, known by class and code, whatever its text.  It is told at its
 * first occurrence and every hour, and ended with one line; one that comes back
 * within the hour is told when it lasts.  Forgotten an hour after its end.
 * Times are monotonic but for since.
 */
struct feed_trouble {
	enum reply_class class;
	char code[REPLY_CODE];
	char text[512]; /* of the first occurrence */
	unsigned of;    /* 0: it has ended */
	unsigned count; /* of occurrences */
	int64_t since;
	int64_t began;
	int64_t last;
	int64_t told;   /* 0: never */
	bool said;      /* since it began */
	bool said_wait; /* likewise, with the end of its wait */
	bool stands;    /* nothing gets through */
	int64_t until;
};
#define TROUBLES_MAX 16

/* One feed. */
struct feed_worker {
	struct stream stream;
	struct source_runner *runner;
	struct worker polls; /* http NULL: its source does not run yet */
	bool begun;          /* its first poll, or what stands in for it */
	bool spread;         /* has had its second poll put somewhere */
	/* Under collector.lock. */
	struct feed_trouble *troubles; /* TROUBLES_MAX; NULL: had none yet */
	unsigned failures;             /* of polls, in a row */
	char error[512];   /* of the last one, "" when it succeeded */
	int64_t fetched;   /* monotonic: the last fetch that succeeded */
	unsigned lost;     /* items, since that was told */
	unsigned active;   /* fetches under way */
	unsigned listings; /* grows with all that may be claimed */
	/* monotonic: no claim before; INT64_MAX: there is nothing to claim */
	int64_t item_due;
	int64_t lateness; /* longest created-to-collected since told */
	int64_t due;      /* wall clock, of the next poll */
	/* As of the last collect_look(), by the vendor's clock: all up to
	 * listed is in the ledger (INT64_MIN: not known), and the oldest
	 * that is still to be fetched (INT64_MAX: none) was made available
	 * then and expires then. */
	int64_t listed;
	int64_t oldest;
	int64_t expires;
};

/* One source. */
struct source_runner {
	struct source source;
	struct collector *collector;
	struct feed_worker *workers;
	size_t n_workers;
	size_t n_fetchers;   /* most threads that fetch, … */
	size_t fetching;     /* … those that run, and of these … */
	size_t idle;         /* … those that wait for an item */
	pthread_cond_t work; /* for them: there are items, or a stop */
	bool started;
	size_t turn; /* which worker is asked first */
	bool skewed; /* its clock's distance has been told */
	/* backfill.c: whether a thread reads spans of time again, and how many
	 * of the items that are fetched now are its. */
	bool backfills;
	size_t backfilling;
	struct reconciler *reconciler; /* NULL: it is not reconciled */
	char *credential; /* see struct source_type; NULL: its own */
	bool shares;      /* source.rate is another source's */
};

/* An output that gets nothing delivered; monotonic. */
struct output_watch {
	int64_t told; /* 0: it has not been told */
	int64_t since;
};

/* When a feed is polled. */
struct poll_turn {
	int64_t due; /* monotonic; INT64_MAX: it is being polled */
	struct feed_worker *feed;
};

struct collector {
	const struct role *role;
	struct store *store;
	struct agent_feed *own;
	char *folder; /* that the store is in */
	pthread_mutex_t lock;
	/* Troubles are told, and written to the store, one after the other:
	 * with it, lock is taken. */
	pthread_mutex_t telling;
	/* All by the monotonic clock. */
	pthread_cond_t calm; /* for waits */
	pthread_cond_t turn; /* for the poller that waits for the next poll */
	pthread_cond_t next; /* for those that wait to be that one */
	pthread_cond_t gone; /* for the main thread: there are no others */
	bool stopping;
	bool paused;   /* the store is full */
	bool crowded;  /* outputs have enough to deliver */
	int64_t ahead; /* the wall clock, of the monotonic one, at the start */
	int64_t hold;  /* monotonic: the store fails, no fetch before */
	int64_t failure_logged; /* and that is not logged again before */
	struct source_runner *runners;
	size_t n_runners;
	size_t n_feeds;          /* of all of them */
	struct poll_turn *turns; /* of those that run, room for all */
	size_t n_turns;
	size_t pollers;  /* that wait */
	bool waited_for; /* one of them waits for the next poll, … */
	int64_t wakes;   /* … until then */
	size_t threads;  /* but for the main one */
	pthread_t ended; /* the last that has, to be joined */
	bool has_ended;
	int64_t crowd_logged; /* that a thread could not be had, not again … */
	struct output_watch *outputs; /* as the configuration has them */
};

/*
 * Open the sources that are not open yet and start their threads.  One whose
 * certificates or settings can't be used is told of and tried again at the
 * next call; the others don't suffer.
 */
void collect_start(struct collector *c);

/* End all threads; false when some did not end in time. */
bool collect_join(struct collector *c);

/*
 * Back-off.  What the vendor's bad day is the cause of is tried again soon,
 * a number of times; what someone has to put right, or what stays, less and
 * less often.  Outages of everything are the business of rate_bad().
 */
struct retry_policy {
	int64_t soon;     /* so many tries … */
	int64_t soon_max; /* … are no further apart */
	bool any;         /* whatever the trouble */
	int64_t max;
};

/* How long to wait after n failures in a row. */
int64_t collect_retry_delay(const struct retry_policy *p,
    const struct outcome *r, int64_t n);

/* A thread without work looks so often nevertheless. */
#define COLLECT_IDLE (5 * CLOCK_SECOND)

/* Wait for cond until a monotonic time, with collector.lock held. */
void collect_wait(struct collector *c, pthread_cond_t *cond, int64_t monotonic);

/* backfill.c: see to what the command line wants read again.  May an item of
 * it be fetched now (with collector.lock held)?  How long it has to wait for
 * what is new. */
void collect_backfill(struct collector *c);
bool collect_may_backfill(struct source_runner *r);
int64_t collect_spare(struct collector *c);

/* reconcile.c: ask for spans that are over by another way.  A source's part, if
 * it has one, behind its workers. */
void collect_reconcile(struct collector *c);
void collect_reconciler_open(struct source_runner *r);
void collect_reconciler_close(struct source_runner *r);

/* Start a thread, which ends with collect_thread_ends(arg's collector) and has
 * all signals blocked.  With the lock held.  -1: it cannot be had. */
int collect_thread(struct collector *c, void *(*run)(void *), void *arg,
    struct err *err);
void collect_thread_ends(struct collector *c);

/* The same where another thread will do what is to be done, later. */
void collect_another_thread(struct collector *c, void *(*run)(void *),
    void *arg);

/* poll.c.  Let the feeds of a source have their turns from now on; with the
 * lock held.  -1: no thread can be had. */
int collect_poll(struct source_runner *r, struct err *err);
/* Wake all that wait there: a stop, or the end of a pause. */
void collect_poll_wake(struct collector *c);

/* fetch.c.  There may be items to fetch: see that a thread does.  With the lock
 * held. */
void collect_fetch(struct source_runner *r);
void collect_fetch_wake(struct collector *c);

/* Tell how a poll or a fetch ended, or of a trouble within one: log, feed
 * state, agent's own feed. */
void collect_troubled(struct feed_worker *j, const struct outcome *r);
void collect_polled(struct feed_worker *j, const struct outcome *r,
    int64_t delay);
void collect_fetched(struct feed_worker *j, const struct item *it,
    const struct outcome *r, int64_t wait);

/*
 * trouble.c.  A trouble occurs: r says which; until, a wall clock, is when it
 * is tried again where that is long (INT64_MIN: soon); what names the item it
 * belongs to, or NULL.
 */
void collect_trouble(struct feed_worker *j, enum trouble_of of,
    const struct outcome *r, int64_t until, const char *what);
/* All trouble of this kind has ended. */
void collect_trouble_ends(struct feed_worker *j, enum trouble_of of);
/* Look after those of fetches, and after polls that wait for long. */
void collect_watch_troubles(struct feed_worker *j);

/* Tell of outputs that get nothing delivered, and of the end of that. */
void collect_watch_outputs(struct collector *c);

/* The time by the local clock that is surely over: it has not been set to a
 * later one since the role began. */
int64_t collect_local_now(const struct collector *c);

/* When each duty of the main thread is next due, monotonic. */
struct housekeeping {
	int64_t heartbeat;
	int64_t start;
	int64_t backfill;
	int64_t reconcile;
	int64_t survey;
	int64_t clean;
	int64_t certificates;
	int64_t warn;
	int64_t lean;
	bool paused_noted; /* in the store */
	struct expiry_watch {
		struct {
			struct expiry of;
			int64_t at; /* monotonic */
		} * told;
		size_t n;
	} expiry;
	int64_t say_paused;
	int64_t trouble_logged; /* with the store */
	int64_t starved_told;   /* that its WAL cannot be carried over */
};

/* Begin with the events that tell of the start. */
void collect_housekeeping_open(struct collector *c, struct housekeeping *h);
/* Do what is due. */
void collect_housekeeping_keep(struct collector *c, struct housekeeping *h);
/* End with the one that tells of the stop. */
void collect_housekeeping_close(struct collector *c, struct housekeeping *h);

/* Look what is still to be fetched. */
int collect_look(struct feed_worker *j, struct err *err);

/* A look's result, by the local clock: everything that the vendor made
 * available before was read; and when it deletes the oldest of the rest.
 * INT64_MIN: not known.  With collector.lock held. */
int64_t collect_horizon(const struct feed_worker *j);
int64_t collect_deletion(const struct feed_worker *j);

/* A feed's last fetch for now has ended: how it stands may be told. */
void collect_fetched_all(struct feed_worker *j);

/* Note in the store when the certificates of the sources end. */
void collect_certificates(struct collector *c);
/* Tell of all that end soon, each once a day. */
void collect_warn_certificates(struct collector *c, struct expiry_watch *w);

#endif /* COLLECT_COLLECT_PRIVATE_H */
