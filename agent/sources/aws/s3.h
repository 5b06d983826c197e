/*
 * s3.h - inside of the source aws-s3: what its files share.
 *
 * A bucket tells a queue (SQS) which objects it got (notice.c); a poll receives
 * these messages and puts the objects into the ledger (queue.c), from where
 * they are fetched like any item.  A message is deleted once all its objects
 * are in the store.  Listings of the bucket's recent folders (list.c) find what
 * no message told of.  CloudTrail's digests (digest.c) say which files there
 * must be, and of which bytes.
 */
#ifndef SOURCES_AWS_S3_H
#define SOURCES_AWS_S3_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "config/setting.h"
#include "http/aws.h"
#include "http/client.h"
#include "http/rules.h"
#include "sources/common/events.h"
#include "sources/common/ledger.h"
#include "sources/common/request.h"
#include "sources/source.h"
#include "store/hours.h"

enum s3_form { FORM_CLOUDTRAIL, FORM_JSON, FORM_NDJSON, FORM_TEXT, FORMS };

struct s3_conf {
	char *queue_url; /* NULL: no notifications */
	char **buckets;  /* NULL: any that a message names */
	char *prefix;
	char *bucket_region; /* NULL: that of aws.region */
	char *s3_url;        /* NULL: AWS's in the region */
	int form;            /* enum s3_form */
	char *id;            /* keys of an event; NULL: the form's */
	char *time;
	int64_t visibility;
	int64_t reconcile; /* between listings; 0: none */
	int64_t look_back;
	int64_t retention;
	int64_t parallel;
	int64_t interval;
	int64_t dedupe;
	bool digests;     /* are CloudTrail's validated? … */
	char *digest_key; /* … with this public key; NULL: CloudTrail's */
	char *digest_url; /* NULL: of the digest's region */
	struct aws_conf aws;
	struct http_conf http;
};

extern const struct setting s3_settings[];

struct config_section;
void s3_check(const void *conf, const struct config_section *b);
const struct event_shape *s3_shape(const void *conf, const char *stream);

/* Where the bucket is. */
const char *s3_region(const struct s3_conf *c);

/* What a file is, and those that were read of late, each in its place. */
struct s3_file {
	char hex[2 * DIGEST_LEN + 1]; /* SHA-256 of its bytes, unpacked */
	struct hours hours;           /* of its events */
};
#define S3_KNOWN 4096
struct s3_known {
	char *key; /* of the ledger; NULL: none */
	struct s3_file file;
};

/* State of a source. */
struct s3 {
	const struct s3_conf *conf;
	struct aws *aws;
	char *bases[2]; /* URLs of the services below */
	char *queue_region;
	struct api sqs;
	struct api s3;
	struct event_format format;
	pthread_mutex_t lock;     /* of known */
	struct s3_known *known;   /* NULL: digests are not validated */
	struct s3_stream *stream; /* owned; NULL until it is polled */
};

/* An object that a message or listing tells of; borrowed. */
struct s3_object {
	const char *bucket;
	const char *key;
	const char *etag;    /* without quotes; NULL: not told */
	const char *version; /* NULL: not told, or none */
	int64_t when;        /* INT64_MIN: not told */
	int64_t size;        /* -1: not told */
};

/* Put an object into the ledger, unless it is known or not wanted, and its
 * ledger key into key (cleared first; left empty where it is not wanted). */
int s3_list_object(const struct s3 *o, struct ledger *l,
    const struct s3_object *object, int64_t now, struct buf *key,
    struct err *err);

/* Append where an object is, below the URL of S3. */
int s3_add_uri(const struct s3_object *object, struct buf *uri);

/* Bounds of what the vendor names, and of an answer. */
#define S3_KEY_MAX 4096
#define S3_REPLY_MAX ((size_t)16 << 20)

/*
 * notice.c: what a message says.
 */
enum notice {
	NOTICE_OBJECTS, /* take was called for each, if there are any */
	NOTICE_ODD      /* why says what is wrong with it */
};
typedef int notice_fn(void *ctx, const struct s3_object *object,
    struct err *err);
/* Read the body of a message.  -1: take said so. */
int notice_read(const char *body, size_t len, notice_fn *take, void *ctx,
    enum notice *what, const char **why, struct err *err);

/* Append a form-encoded text, "red+flower%2Ejpg", decoded.  -1: it is no text
 * that names an object. */
int notice_decode(const char *text, struct buf *out);

/*
 * queue.c: the queue.
 */
struct s3_message {
	char *id;
	char *handle;
	char **keys; /* of the ledger, of what is not in the store yet */
	size_t n;
	int64_t ends; /* monotonic: then others see it */
};

/* So many are worked on at once. */
#define S3_MESSAGES 400
#define S3_ODD 64

/* State of a stream; belongs to its poll thread. */
struct s3_stream {
	struct s3_message messages[S3_MESSAGES];
	size_t n;
	int64_t looked; /* monotonic: when the ledger was asked about them */
	struct ledger_known known;
	uint64_t odd[S3_ODD]; /* hashes of the ids of odd messages */
	int64_t next_list;    /* monotonic */
};

/* The state of the stream, which the source has. */
struct s3_stream *s3_state(struct stream *st);

/* Receive messages, and see to those that are worked on. */
enum poll_next s3_queue_poll(struct worker *w, struct stream *st,
    struct outcome *r);
void s3_messages_release(struct s3_stream *ss);

/* For check --live: may the queue be read?  message gets a line. */
enum reply_class s3_queue_try(struct worker *w, struct buf *message,
    struct outcome *r);

/* Ask a service; body, cleared first, gets what it answers under 200. */
enum reply_class s3_ask(struct worker *w, const struct api *api,
    struct request *q, struct buf *body, struct outcome *r);
http_take_fn s3_take; /* appends to a struct buf */

/*
 * list.c: listings.
 */
enum reply_class s3_list(struct worker *w, struct stream *st,
    struct outcome *r);
/* Of what was written in a span of time; st is not the one that is polled. */
enum reply_class s3_list_span(struct worker *w, struct stream *st,
    const struct span *span, struct outcome *r);
enum reply_class s3_list_try(struct worker *w, const char *bucket,
    struct outcome *r);

/*
 * digest.c: CloudTrail's digests.
 */
/* Is the object with this key one? */
bool s3_is_digest(const char *key);

/* Check one, for source_type.fetch. */
void s3_digest_fetch(struct worker *w, struct stream *st, const struct item *it,
    struct outcome *r);

/*
 * audit.c: sealfeed reconcile, and the hours that digests confirm.
 */
extern const struct audit_calls s3_audit;

/*
 * file.c: what files are.
 */
/* One that is being read; see and count are for event_format. */
struct s3_reading {
	struct evp_md_ctx_st *hash;
	struct hours hours;
};
void s3_reading_begin(struct s3_reading *r);
void s3_reading_see(void *ctx, const char *data, size_t len);
void s3_reading_count(void *ctx, int64_t when);
/* What it was; r is released. */
void s3_reading_end(struct s3_reading *r, struct s3_file *out);

void s3_file_release(struct s3_file *f);
/* Remember it for the item with that key; f is emptied.  And what is remembered
 * of one, copied; false: nothing. */
void s3_file_keep(struct s3 *o, const char *key, struct s3_file *f);
bool s3_file_recall(struct s3 *o, const char *key, struct s3_file *f);

#endif /* SOURCES_AWS_S3_H */
