/*
 * office365.h - inside of the Microsoft 365 source: options and what its files
 * share.
 *
 * The API: learn.microsoft.com/office/office-365-management-api/
 * office-365-management-activity-api-reference.  Listing tells which content
 * blobs became available in a window; every blob goes through the ledger and is
 * fetched once, by any of the worker threads (content.c).
 */
#ifndef SOURCES_OFFICE365_OFFICE365_H
#define SOURCES_OFFICE365_OFFICE365_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "config/setting.h"
#include "http/client.h"
#include "http/rules.h"
#include "sources/common/events.h"
#include "sources/common/ledger.h"
#include "sources/common/request.h"
#include "sources/common/window.h"
#include "sources/source.h"

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
	int64_t retry_after_max;
	struct http_conf http;
	char *graph_url; /* NULL: the cloud's */
	struct {
		int64_t every; /* 0: off */
		int64_t settle;
		int64_t span;
		int64_t patience;
		int64_t queries;
		int version; /* of Microsoft Graph: index */
	} reconcile;
};

extern const struct setting office365_settings[];

/* The shape of its events; of config_type. */
const struct event_shape *office365_shape(const void *conf, const char *stream);

/* The cross-check of source_type. */
struct config_section;
void office365_check(const void *conf, const struct config_section *b);

/* Base URLs, borrowed from conf or static. */
const char *office365_login(const struct office365_conf *c);
const char *office365_api(const struct office365_conf *c);

/* The cloud's own API, where that is a proxy or a test's. */
const char *office365_own_api(const struct office365_conf *c);

/* What tokens for the API are for: the API; behind a proxy, where the login is
 * the cloud's own, the cloud's. */
const char *office365_resource(const struct office365_conf *c);

/* The cloud's name, as it is configured. */
const char *office365_cloud(const struct office365_conf *c);

/* How long Microsoft keeps content. */
#define OFFICE365_KEPT (7 * CLOCK_DAY)

/* What the API's error codes mean. */
extern const struct rule office365_rules[];

/* State of a source. */
struct office365 {
	const struct office365_conf *conf;
	const char *publisher; /* PublisherIdentifier of every call */
	char *base;            /* {api_url}/api/v1.0/{tenant}/activity/feed */
	struct api api;
	char *denied; /* of api */
	/* Of the audit log queries; base NULL: it is not reconciled. */
	struct api graph;
	char *graph_base;
	struct window_spec windows;
	struct event_format format;
};

/* Times in a cursor: the last start that was sent, the last one whose answer
 * was seen, and the last one that was sent again for lack of an answer. */
enum { OWN_STARTED, OWN_ANSWERED, OWN_AGAIN };

#define OFFICE365_ODD 256

/* State of a stream; belongs to its poll thread. */
struct office365_stream {
	bool subscribed; /* the list of subscriptions said so */
	bool denied;     /* the content listing said otherwise */
	struct window_state window;
	struct ledger_known known;
	struct outcome start; /* REPLY_OK, or why the last one failed */
	/* Hashes of odd rows that were noted, each in its place; whether some
	 * are still to be told of; not before (monotonic) is told of those, and
	 * of the same again. */
	uint64_t odd[OFFICE365_ODD];
	bool odd_fresh;
	int64_t odd_next;
	int64_t odd_again;
};

/* Rows of a content list that are not as they should be: what can be taken of
 * them is. */
struct office365_odd {
	size_t rows;
	size_t lost;        /* of them: nothing could be taken */
	char text[400];     /* what is wrong with the first, which is quoted */
	char sentence[600]; /* office365_list_try(): all that, "": none */
};

/* Append base, path and query, a PublisherIdentifier behind it.  -1: too
 * long. */
int office365_url(const struct office365 *o, const char *path,
    const struct http_pair *query, struct buf *out);

/* Append a URL that the API gives, as request_link() does, with a
 * PublisherIdentifier if it has none yet. */
int office365_publish(const struct office365 *o, const char *url,
    struct buf *out);

/* Append the URL that lists content of a window.  -1: too long. */
int office365_list_url(const struct office365 *o, const char *content_type,
    const struct window *w, struct buf *out);

/* A URL with what office365_url() adds has at most so many bytes. */
#define OFFICE365_URL_MAX (2 * HTTP_HEADERS_MAX)

/* Put all content of a window, every page of it, into the ledger. */
window_list_fn office365_list;

/* List the first page of a window and put nothing into the ledger, for
 * check --live: may it be listed, and can its rows be read? */
enum reply_class office365_list_try(struct worker *w, const char *content_type,
    const struct window *window, struct office365_odd *odd, struct outcome *r);

/* Bring the events of one blob; of source_type. */
void office365_fetch(struct worker *w, struct stream *st, const struct item *it,
    struct outcome *r);

/* The tenant's subscription to a content type, as the API lists it. */
struct office365_subscription {
	bool known;
	bool enabled;
};

/* Ask for it. */
enum reply_class office365_find(struct worker *w, const char *content_type,
    struct office365_subscription *out, struct outcome *r);

/* See that the subscription is on: start it if it is not, at most once per 15
 * minutes. */
enum reply_class office365_subscribe(struct worker *w, struct stream *st,
    struct outcome *r);

/* Each content type, and the first fault as the result; of source_type
 * (live.c). */
int office365_live(struct worker *w, struct buf *message, struct err *err);

/* The audit log queries of Microsoft Graph (queries.c): the base URL of their
 * API, "" where the cloud has none; what its errors mean; and the calls. */
const char *office365_graph(const struct office365_conf *c);
const char *office365_graph_version(const struct office365_conf *c);
extern const struct rule office365_graph_rules[];
extern const struct audit_calls office365_audit;

/* An auth for the resource at url, of the source's own application; NULL: err
 * says why not. */
struct auth *office365_auth(const struct office365_conf *c, const char *url,
    struct err *err);

#endif /* SOURCES_OFFICE365_OFFICE365_H */
