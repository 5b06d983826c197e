/*
 * source.h - what every kind of vendor provides.
 *
 * collect owns threads, retry, back-off, pause, feed states and the agent's
 * own feed.  A source type speaks its vendor's protocol in plain blocking
 * code, writes only through write batches (store/feed.h), and ends each call
 * with an outcome.  A new one is a folder here and a line in source.c.
 */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "http/rules.h"
#include "store/via.h"
#include "store/write_batch.h"

struct buf;
struct err;
struct feed;
struct item;
struct write_batch;
struct rate;
struct server_clock;
struct source;

/*
 * What one configured source is to those who run it or report on it.  Each
 * instance has its own, so that two of a type may differ; what it points to is
 * borrowed from the conf.  Times are microseconds.
 */
struct source_definition {
	const char *const *streams; /* names of the feeds, NULL-terminated */
	size_t stream_size;         /* of stream.state */
	const struct http_conf *http;
	/* Requests a minute that the vendor documents, and that a large
	 * customer may get. */
	double budget;
	double budget_max;
	int64_t parallel;  /* threads that fetch */
	int64_t interval;  /* between polls */
	int64_t dedupe;    /* how long an event's id is remembered, 0: off */
	int64_t retention; /* how long the vendor keeps it, 0: not known */
	int64_t retry_after_max; /* longest wait that a vendor gets, 0: any */
	/* An item may go before it expires, and the vendor's word of that is
	 * to be believed when it comes again and again, with a code of its own,
	 * and not sooner than so long after the item was made; 0: it is not. */
	int64_t gone_after;
};

/* One feed of a source. */
struct stream {
	struct source *source;
	const char *name; /* "Audit.Exchange", from definition.streams */
	struct feed *feed;
	enum via via; /* of what is read or listed */
	/* Of all write batches that it makes; NULL: nobody looks on. */
	write_batch_judge_fn *judge;
	void *judge_ctx;
	void *state;  /* the type's own, definition.stream_size zeroed bytes */
	void *worker; /* collect's own */
	/* When the vendor was last asked for what is new, by its own clock:
	 * all that it had to show then is in the ledger or in the store.
	 * While older content is still being listed, how far that has got.
	 * Set by begin and poll, read by another thread.  INT64_MIN: not
	 * known. */
	_Atomic int64_t listed;
	/* Grows with every gap: what was listed before may come back. */
	_Atomic unsigned gaps;
	/* Of request_send(): throttled and refused in a row, no request before
	 * hold (monotonic), and what refused tokens were given up for it. */
	_Atomic unsigned throttled;
	_Atomic unsigned denied;
	_Atomic int64_t hold;
	struct oauth_user tokens;
};

#define REPLY_ODD_ROW "odd-row"

/* Looks on while a source makes its requests (sources/trial.h): may this one
 * be made, and what came of it. */
struct source_watch {
	/* body may be NULL */
	bool (*asks)(void *ctx, const char *method, const char *url,
	    const char *body);
	void (*answered)(void *ctx, const struct http_reply *reply,
	    const struct outcome *r);
	void *ctx;
};

/* One configured source in the collect process. */
struct source {
	const struct source_type *type;
	const char *name;
	/* Where it may keep what no other role may read, and the store's, where
	 * earlier versions kept it; NULL: there is none. */
	const char *folder, *old_folder;
	const void *conf;
	struct source_definition definition;
	struct http_access *access;
	struct rate *rate; /* one budget for all threads */
	struct server_clock *clock;
	void *state; /* the type's own */
	/* Ends transfers when it returns true. */
	http_stop_fn *stop;
	/* Wait so many microseconds; false when stopping. */
	bool (*rest)(void *ctx, int64_t us);
	/* How long what may wait has to wait for all others, 0: not at all;
	 * NULL: nothing does. */
	int64_t (*spare)(void *ctx);
	/* New items are in the ledger; new events are in the store. */
	void (*listed)(void *ctx, struct stream *st);
	void (*committed)(void *ctx, struct stream *st);
	/* Something went wrong that is being tried again at once, or, with
	 * REPLY_GONE, a part of an item is lost and has its gap, or, with the
	 * code REPLY_ODD_ROW, some rows of a list could not be read. */
	void (*trouble)(void *ctx, struct stream *st, const struct outcome *r);
	void *ctx;                        /* of these */
	const struct source_watch *watch; /* NULL: nobody looks on */
};

/* What a worker waits for. */
enum waiting {
	WAITS_NOT,
	WAITS_TOKEN,  /* an access token */
	WAITS_BUDGET, /* its turn among the source's requests */
	WAITS_ANSWER, /* of the vendor's API */
	WAITS_VENDOR  /* the time that the vendor wants between replies */
};

/*
 * What a thread has.  While there is a backlog of small items, a commit for
 * each would cost more than all else: where fetch finds gather set, it may
 * leave a write batch that makes its item complete in left, and collect commits
 * several at once.
 */
struct worker {
	struct source *source;
	struct http *http;
	struct stream *stream; /* that it works for; NULL: none in particular */
	_Atomic(enum waiting) waits;
	_Atomic int64_t waits_since; /* monotonic */
	bool background; /* its requests wait for those of all others */
	bool gather;
	struct write_batch *left;  /* taken by collect */
	struct write_batch *spare; /* for write_batch_reuse(); NULL: none */
};

/* Larger write batches fetch commits itself. */
#define GATHER_BYTES (256 * 1024)

/* A stream has its state, zeroed, while its source is open, and none behind
 * that, or where it had none. */
void stream_begin(struct stream *st);
void stream_end(struct stream *st);

/* The worker waits for what from now on. */
void worker_waits(struct worker *w, enum waiting what);

/* What a poll wants next. */
enum poll_next {
	POLL_REST, /* after the interval */
	POLL_SOON, /* there is a backlog: about a second */
	POLL_AGAIN /* more to list: at once */
};

/* Time of a stream, half-open. */
struct span {
	int64_t from;
	int64_t to;
};

/* What can be asked for of a stream. */
struct source_bounds {
	int64_t kept; /* how far back; 0: not known */
	int64_t step; /* of time, that one call of backfill reads at most */
};

/*
 * Reconciliation: what the events of a span of time are by another way than the
 * feeds, so that what these never had is found (collect/reconcile.c).
 */
struct source_audit {
	enum via via;   /* of what is found so */
	int64_t every;  /* how often it is looked which spans are over */
	int64_t settle; /* a span is over for so long before it is asked for */
	int64_t span;   /* asked for at once, … */
	int64_t least;  /* … and no shorter than that */
	int64_t patience; /* an answer may take so long */
	int64_t per_day;  /* queries in 24 hours, … */
	int64_t at_once;  /* … and at a time, at most, where they take time */
};

enum audit_state {
	AUDIT_RUNNING,
	AUDIT_READY,
	AUDIT_TRUNCATED, /* there is more than it will give */
	AUDIT_FAILED,    /* it has to be asked anew */
};

/* A record as it was named; what it points to is borrowed. */
struct audit_record {
	struct slice id;    /* as the feed's events have it; data NULL: none */
	struct slice event; /* the bytes that are forwarded; data NULL: it
			       cannot be read */
	int64_t when;       /* INT64_MIN: not known */
	const char *stream; /* where it belongs; NULL: nowhere */
};

/* Takes one; 0, or -1 with err to end the reading. */
typedef int audit_take_fn(void *ctx, const struct audit_record *record,
    struct err *err);

#define AUDIT_QUERY 256

struct audit_calls {
	/* Is the stream asked for on its own?  NULL: one question is about all
	 * of the source. */
	bool (*covers)(const void *conf, const char *stream);
	/* Does the vendor account for the stream anyway, whoever asks
	 * (store/attest.h)?  NULL: it does not. */
	bool (*accounts)(const void *conf, const char *stream);
	/* An account is of all events of its time, and not of those that it
	 * counts. */
	bool all_or_none;
	/* Is the source reconciled?  Fills *out then; every 0: nothing is
	 * asked for. */
	bool (*bounds)(const void *conf, struct source_audit *out);
	/* Before that the stream's feed has not asked; INT64_MIN: it has not
	 * begun.  NULL: no stream is asked for on its own. */
	int64_t (*since)(const struct source *s, struct feed *feed);
	/* Why an hour is not confirmed that nothing else is said of, a clause;
	 * NULL: it was not asked for. */
	const char *lacks;
	/* Begin a query; its id, which is kept, is put into query.  NULL: the
	 * answer comes at once, by backfill of the type, and there is nothing
	 * to look at or to read later. */
	enum reply_class (*ask)(struct worker *w, const struct span *span,
	    char query[AUDIT_QUERY], struct outcome *r);
	/* How is it?  r->text says more of one that failed. */
	enum reply_class (*look)(struct worker *w, const char *query,
	    enum audit_state *state, struct outcome *r);
	/* Read all that it found. */
	enum reply_class (*read)(struct worker *w, const char *query,
	    audit_take_fn *take, void *ctx, struct outcome *r);
};

struct source_type {
	struct config_type type; /* must stand first: source_type_of() */
	/* Fill all of *d for a source with this conf.  Pure: no network, no
	 * files, no secrets; `status` and `check` call it, too. */
	void (*define)(const void *conf, struct source_definition *d);
	/* Allocate s->state; no network. */
	int (*open)(struct source *s, struct err *err);
	/* A first poll that has to wait, because the store is full: let a
	 * new feed begin now, and say in st->listed where one goes on.  No
	 * network; the thread that polls calls it.  NULL: nothing to do. */
	void (*begin)(struct stream *st, struct outcome *r);
	/* Ask what is new.  One thread a stream calls it. */
	enum poll_next (*poll)(struct worker *w, struct stream *st,
	    struct outcome *r);
	/* Bring one listed item; NULL where there is no ledger.  Several
	 * threads call it. */
	void (*fetch)(struct worker *w, struct stream *st,
	    const struct item *it, struct outcome *r);
	/* May spans of the stream's time be asked for, apart from its polls?
	 * NULL: they may; else why not, a clause.  Pure; NULL: of none. */
	const char *(*bounds)(const void *conf, const char *stream,
	    struct source_bounds *out);
	/* Read, or list into the ledger, such a span or its first part: *to is
	 * moved to where that ends.  st is not the stream that is polled, but
	 * one beside it, with a state of its own and st->via set; it leaves the
	 * feed's cursor alone.  A thread of its own calls it, as often as it
	 * takes; what was read before may come again. */
	void (*backfill)(struct worker *w, struct stream *st,
	    const struct span *span, int64_t *to, struct outcome *r);
	/* Free what a stream's state has. NULL: nothing. */
	void (*forget)(struct stream *st);
	/* NULL: sources of this type are not reconciled. */
	const struct audit_calls *audit;
	/* See source_live(); w has no feeds, nothing is waited for (that ends
	 * a request with REPLY_STOPPED).  NULL: nothing to find out. */
	int (*live)(struct worker *w, struct buf *message, struct err *err);
	void (*close)(struct source *s);
	/* Whose events these are, for `check` to find what is configured
	 * twice: borrowed from the conf; NULL: not known. */
	const char *(*account)(const void *conf);
	/* What a vendor counts requests by: sources of one type for which this
	 * is the same text share one budget.  To be freed; NULL: it is the
	 * source's own.  No secrets are read. */
	char *(*credential)(const void *conf);
	/* For `sources`: the feeds that such a source may have; ended by a row
	 * without name.  NULL: a definition has them, or nothing is told. */
	const struct source_stream *all_streams;
};

struct source_stream {
	const char *name;
	int64_t late; /* what the vendor shows that late is still found */
	int64_t kept; /* by the vendor; both microseconds */
};

/* All types, NULL-terminated. */
extern const struct config_type *const source_types[];

/* The whole record of a type out of source_types. */
static inline const struct source_type *
source_type_of(const struct config_type *type)
{
	return (const struct source_type *)type;
}

/* For check --live: open the source, get tokens, read subscriptions, change
 * nothing at the vendor.  The folders are as in struct source; message gets
 * lines about what was found. */
int source_live(const struct config_entry *conf, const char *folder,
    const char *old_folder, struct buf *message, struct err *err);

extern const struct source_type source_aws_s3;
extern const struct source_type source_office365;

#endif /* SOURCES_SOURCE_H */
