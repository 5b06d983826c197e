/*
 * office365.h - inside of the Microsoft 365 source: options and the parts
 * that its files share.
 *
 * The API: learn.microsoft.com/office/office-365-management-api/
 * office-365-management-activity-api-reference.  Listing tells which content
 * blobs became available in a window; every blob goes through the ledger and
 * is fetched once, by any of the worker threads.
 */
#ifndef SOURCES_OFFICE365_OFFICE365_H
#define SOURCES_OFFICE365_OFFICE365_H

#include <stdbool.h>
#include <stdint.h>

#include "config/setting.h"
#include "http/client.h"
#include "http/rules.h"
#include "sources/office365/window.h"
#include "sources/source.h"

struct oauth;
struct write_batch;

enum office365_cloud {
	CLOUD_COMMERCIAL,
	CLOUD_GCC,
	CLOUD_GCC_HIGH,
	CLOUD_DOD,
	CLOUD_CHINA,
	CLOUDS
};

struct office365_conf {
	int cloud;       /* enum office365_cloud */
	char *login_url; /* NULL: the cloud's */
	char *api_url;
	char *tenant;
	char *client_id;
	char *client_secret; /* secret text */
	char *certificate;   /* secret texts, PEM */
	char *private_key;
	char **content;
	char *publisher; /* NULL: the tenant */
	int64_t parallel;
	int64_t initial;
	int64_t interval;
	int64_t overlap;
	int64_t dedupe;
	struct http_conf http;
};

extern const struct setting office365_settings[];

/* The cross-check of source_type. */
struct config_section;
void office365_check(const void *conf, const struct config_section *b);

/* Base URLs, borrowed from conf or static; *len leaves out slashes at the
 * end. */
const char *office365_login(const struct office365_conf *c, int *len);
const char *office365_api(const struct office365_conf *c, int *len);

/* PublisherIdentifier of every call. */
const char *office365_publisher(const struct office365_conf *c);

/* What the API's error codes mean. */
extern const struct rule office365_rules[];

/* State of a source. */
struct office365 {
	const struct office365_conf *conf;
	struct oauth *oauth;
	char *root; /* {api_url}/api/v1.0/{tenant}/activity/feed */
};

struct office365 *office365_new(const struct office365_conf *conf,
    struct err *err);
void office365_free(struct office365 *o);

/* Content that is known to be in the ledger: hashes of its keys, each in its
 * place, the latest wins.  Keeps what an overlap lists again from being
 * written again; sweeps don't ask it. */
#define OFFICE365_KNOWN 8192

/* State of a stream; belongs to its poll thread. */
struct office365_stream {
	bool loaded;
	bool subscribed; /* the list of subscriptions said so */
	bool denied;     /* the content listing said otherwise */
	bool guessed;    /* the cursor began by the local clock */
	int64_t full;  /* monotonic: the next listing with the whole overlap */
	int64_t saved; /* monotonic: last commit of the cursor */
	struct o365_cursor cursor;
	struct sweep sweep;
	uint64_t known[OFFICE365_KNOWN];
};

/* One request to the API. */
struct office365_call {
	const char *url;
	bool post;
	int reserve;        /* see rate_take() */
	struct feed *feed;  /* for its counters, or NULL */
	http_take_fn *take; /* of a 2xx body; NULL: kept in reply */
	void *ctx;
};

/*
 * Wait for the budget, get a token, ask, judge; with a new token once more
 * after a 401.  Returns r->class.
 */
enum reply_class office365_call(struct worker *w,
    const struct office365_call *c, struct http_reply *reply,
    struct outcome *r);

/* Append url with PublisherIdentifier if it has none yet.  -1: too long. */
int office365_publish(const struct office365 *o, const char *url,
    struct buf *out);

/* Does url belong to the API's own host?  If not, r says so. */
bool office365_own(const struct office365 *o, const char *what, const char *url,
    struct outcome *r);

/* Subscriptions of the tenant, as the API lists them. */
struct office365_subscription {
	bool known;
	bool enabled;
};
enum reply_class office365_subscription(struct worker *w,
    const char *content_type, struct office365_subscription *out,
    struct outcome *r);

/* See that the stream's subscription is on: start it if it is not, at most
 * once per 15 minutes.  Never stops one. */
enum reply_class office365_subscribe(struct worker *w, struct stream *st,
    struct outcome *r);

/* Let a new feed's cursor begin, by the server's clock where that is known
 * and else by the local one, put right as soon as it is. */
enum reply_class office365_begin(struct stream *st, struct outcome *r);

/* Make the cursor durable, with write batch p if that is not NULL. */
enum reply_class office365_save(struct stream *st, struct write_batch *p,
    struct outcome *r);

/* Put all content of a window, every page of it, into the ledger. */
struct office365_listing {
	struct window window;
	bool thorough; /* ask the ledger for all, known or not */
	size_t fresh;  /* set: how many items were new */
	int64_t date;  /* set: the server's time when it began */
};
enum reply_class office365_list(struct worker *w, struct stream *st,
    struct office365_listing *what, struct outcome *r);

/* The functions of source_type. */
enum poll_next office365_poll(struct worker *w, struct stream *st,
    struct outcome *r);
void office365_fetch(struct worker *w, struct stream *st, const struct item *it,
    struct outcome *r);
int office365_live(const char *name, const void *conf, struct buf *message,
    struct err *err);

#endif /* SOURCES_OFFICE365_OFFICE365_H */
