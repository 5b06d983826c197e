/*
 * s3.c - the source aws-s3: what it is, a poll, and how an object is fetched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/auth.h"
#include "http/server_clock.h"
#include "sources/aws/s3.h"
#include "store/feed.h"

/* AWS has no budget for a customer's own bucket and queue: 5,500 objects a
 * second and prefix. */
#define BUDGET 60000.0
#define BUDGET_MAX 600000.0
/* Requests that objects leave to the queue. */
#define OBJECT_RESERVE 10
/* S3 is consistent: what it says is gone is, unless something in between said
 * so. */
#define GONE_AFTER (30 * CLOCK_SECOND)
/* A listing that failed is tried again after so long. */
#define LIST_AGAIN CLOCK_MINUTE
#define URL_MAX (16 * 1024)

enum { SQS, S3 };

static void
define(const void *conf, struct source_definition *d)
{
	static const char *const trail[] = { "CloudTrail", NULL };
	static const char *const others[] = { "Objects", NULL };
	const struct s3_conf *c = conf;

	*d = (struct source_definition){
		.streams = c->form == FORM_CLOUDTRAIL ? trail : others,
		.stream_size = 1, /* it is the source's */
		.http = &c->http,
		.budget = BUDGET,
		.budget_max = BUDGET_MAX,
		.parallel = c->parallel,
		.interval = c->queue_url != NULL ? CLOCK_SECOND : c->reconcile,
		.dedupe = c->dedupe,
		.retention = c->retention,
		.gone_after = GONE_AFTER,
	};
}

/* The region in the name of SQS's host, owned: of "sqs.REGION.…" and of
 * "REGION.queue.…"; else that of the configuration. */
static char *
queue_region(const struct s3_conf *c)
{
	const char *host = strstr(c->queue_url, "://") + 3;
	const size_t len = strcspn(host, "/:");
	const char *dot = memchr(host, '.', len);

	if (len > 4 && strncmp(host, "sqs.", 4) == 0 &&
	    memmem(host, len, "amazonaws", 9) != NULL)
		return xstrndup(host + 4, strcspn(host + 4, "."));
	if (dot != NULL && strncmp(dot, ".queue.amazonaws", 16) == 0)
		return xstrndup(host, (size_t)(dot - host));
	return xstrdup(aws_region(&c->aws));
}

struct s3_stream *
s3_state(struct stream *st)
{
	struct s3 *o = st->source->state;

	if (o->stream == NULL)
		o->stream = xcalloc(1, sizeof(*o->stream));
	return o->stream;
}

static void
close_source(struct source *s)
{
	struct s3 *o = s->state;

	s->state = NULL;
	if (o == NULL)
		return;
	if (o->stream != NULL) {
		s3_messages_release(o->stream);
		ledger_known_release(&o->stream->known);
	}
	free(o->stream);
	auth_free(o->sqs.auth);
	auth_free(o->s3.auth);
	for (size_t i = 0; i < 2; i++)
		free(o->bases[i]);
	free(o->queue_region);
	aws_free(o->aws);
	for (size_t i = 0; o->known != NULL && i < S3_KNOWN; i++) {
		free(o->known[i].key);
		s3_file_release(&o->known[i].file);
	}
	free(o->known);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

/* A service that requests are signed for. */
static struct api
make_api(struct source *s, int which, const char *region, const char *option)
{
	static const char *const names[] = { "sqs", "s3" };
	struct s3 *o = s->state;
	const struct auth_conf auth = { .scheme = AUTH_AWS_IDENTITY,
		.option = "aws.key",
		.aws = { .keys = o->aws,
		    .region = region,
		    .service = names[which],
		    .clock = s->clock } };

	return (struct api){ .base = o->bases[which],
		.option = option,
		.auth = auth_new(&auth),
		.rules = aws_rules };
}

static int
set_bases(struct s3 *o, struct err *err)
{
	const struct s3_conf *c = o->conf;
	struct buf url = BUF_INIT(URL_MAX);
	int rc = 0;

	if (c->queue_url != NULL) {
		o->queue_region = queue_region(c);
		rc = http_origin(c->queue_url, &url, err);
		o->bases[SQS] = buf_take(&url, NULL);
	}
	if (rc == 0 && c->queue_url != NULL && *o->queue_region == '\0')
		rc = err_set(err,
		    "aws.region: is missing; set it, or AWS_REGION");
	if (rc == 0 && *s3_region(c) == '\0')
		rc = err_set(err,
		    "aws.region: is missing; set it or bucket_region, or "
		    "AWS_REGION");
	if (rc == 0)
		rc = c->s3_url != NULL ? buf_adds(&url, c->s3_url)
				       : aws_endpoint(&url, "s3", s3_region(c));
	while (url.len > 0 && url.data[url.len - 1] == '/')
		url.data[--url.len] = '\0';
	o->bases[S3] = buf_take(&url, NULL);
	return rc;
}

static void
set_format(struct event_format *f, const struct s3_conf *c)
{
	static const char *const records[] = { "/Records", NULL };
	const bool trail = c->form == FORM_CLOUDTRAIL;

	*f = (struct event_format){
		.frame = c->form == FORM_TEXT ? FRAME_TEXT
		    : c->form == FORM_NDJSON  ? FRAME_LINES
					      : FRAME_JSON,
		.splitter = { .arrays = trail ? records : NULL,
		    .id = c->id != NULL ? c->id
			: trail         ? "eventID"
					: NULL,
		    .time = c->time != NULL ? c->time
			: trail             ? "eventTime"
					    : NULL,
		    .max = EVENT_MAX,
		    .pass_longer = true,
		    .repairs = true,
		    .object_is_element = c->form == FORM_JSON },
		.what = "object",
		.numbered = true,
	};
}

static int
open_source(struct source *s, struct err *err)
{
	struct s3 *o = xcalloc(1, sizeof(*o));

	s->state = o;
	o->conf = s->conf;
	(void)pthread_mutex_init(&o->lock, NULL);
	if (o->conf->digests)
		o->known = xcalloc(S3_KNOWN, sizeof(*o->known));
	o->aws = aws_new(&o->conf->aws);
	set_format(&o->format, o->conf);
	if (set_bases(o, err) != 0) {
		close_source(s);
		return -1;
	}
	o->sqs = make_api(s, SQS, o->queue_region, "queue_url");
	o->s3 = make_api(s, S3, s3_region(o->conf), "s3_url");
	return 0;
}

/* -- objects --------------------------------------------------------------- */

/* Is it one that is read? */
static bool
is_wanted(const struct s3_conf *c, const struct s3_object *object)
{
	const char *prefix = c->prefix != NULL ? c->prefix : "";
	size_t len = strlen(object->key);

	if (strncmp(object->key, prefix, strlen(prefix)) != 0)
		return false;
	/* What a console makes for a folder, and objects without a byte. */
	if (object->size == 0 || object->key[len - 1] == '/')
		return false;
	/* Digests say what is in other files. */
	return c->form != FORM_CLOUDTRAIL || c->digests ||
	    !s3_is_digest(object->key);
}

int
s3_add_uri(const struct s3_object *object, struct buf *uri)
{
	if (buf_addf(uri, "/%s/", object->bucket) != 0 ||
	    aws_encode(uri, object->key, true) != 0)
		return -1;
	if (object->version == NULL || strcmp(object->version, "null") == 0)
		return 0;
	return buf_adds(uri, "?versionId=") != 0 ||
		aws_encode(uri, object->version, false) != 0
	    ? -1
	    : 0;
}

int
s3_list_object(const struct s3 *o, struct ledger *l,
    const struct s3_object *object, int64_t now, struct buf *key,
    struct err *err)
{
	struct buf uri = BUF_INIT(URL_MAX);
	struct listed item = { .created = object->when };
	int rc;

	buf_clear(key);
	if (!is_wanted(o->conf, object))
		return 0;
	/* A file of CloudTrail is never written again; elsewhere the same name
	 * with other contents is another object. */
	rc = buf_addf(key, "%s/%s", object->bucket, object->key);
	if (rc == 0 && o->conf->form != FORM_CLOUDTRAIL && object->etag != NULL)
		rc = buf_addf(key, "#%s", object->etag);
	if (rc != 0 || s3_add_uri(object, &uri) != 0) {
		buf_release(&uri);
		return err_set(err, "%.200s: the name is too long",
		    object->key);
	}
	if (item.created == INT64_MIN || item.created > now)
		item.created = now;
	item.expires = item.created + o->conf->retention;
	/* Told of again so late, it is nevertheless to be read. */
	if (item.expires < now + CLOCK_DAY)
		item.expires = now + CLOCK_DAY;
	item.key = key->data;
	item.uri = uri.data;
	if (!ledger_has(l, (struct slice){ key->data, key->len }))
		rc = ledger_add(l, &item, err);
	buf_release(&uri);
	return rc;
}

static void
fetch(struct worker *w, struct stream *st, const struct item *it,
    struct outcome *r)
{
	struct s3 *o = w->source->state;
	char *url = xasprintf("%s%s", o->s3.base, it->uri);
	const struct http_pair headers[] = { { "Accept", "*/*" },
		{ NULL, NULL } };
	const struct request q = { .url = url,
		.headers = headers,
		.reserve = OBJECT_RESERVE,
		.feed = st->feed,
		.objects = true,
		.any = true,
		.file = true };
	struct event_format format = o->format;
	struct s3_reading reading;
	struct s3_file file;

	if (o->known != NULL && s3_is_digest(it->key)) {
		s3_digest_fetch(w, st, it, r);
	} else if (o->known != NULL) {
		s3_reading_begin(&reading);
		format.see = s3_reading_see;
		format.count = s3_reading_count;
		format.ctx = &reading;
		events_fetch(w, st, it, &format, &o->s3, &q, r);
		s3_reading_end(&reading, &file);
		if (r->class == REPLY_OK)
			s3_file_keep(o, it->key, &file);
		s3_file_release(&file);
	} else {
		events_fetch(w, st, it, &format, &o->s3, &q, r);
	}
	free(url);
}

/* -- polls ----------------------------------------------------------------- */

static bool
lists(const struct s3_conf *c)
{
	return c->reconcile > 0 && c->buckets != NULL && c->buckets[0] != NULL;
}

static enum poll_next
poll(struct worker *w, struct stream *st, struct outcome *r)
{
	const struct s3_conf *c = st->source->conf;
	struct s3_stream *ss = s3_state(st);

	(void)outcome_set(r, REPLY_OK, "nothing to list");
	if (lists(c) && clock_monotonic() >= ss->next_list) {
		(void)s3_list(w, st, r);
		ss->next_list = clock_monotonic() +
		    (r->class == REPLY_OK || c->reconcile < LIST_AGAIN
			    ? c->reconcile
			    : LIST_AGAIN);
	}
	if (c->queue_url == NULL || r->class == REPLY_STOPPED)
		return POLL_REST;
	/* The queue goes on where a listing fails. */
	if (r->class != REPLY_OK)
		st->source->trouble(st->source->ctx, st, r);
	return s3_queue_poll(w, st, r);
}

/* What is listed at once: folders of CloudTrail are days; elsewhere all is
 * listed anyway. */
static int64_t
longest(const struct s3_conf *c)
{
	return c->form == FORM_CLOUDTRAIL ? CLOCK_DAY : INT64_MAX;
}

static const char *
bounds(const void *conf, const char *stream, struct source_bounds *out)
{
	const struct s3_conf *c = conf;

	(void)stream;
	if (c->buckets == NULL || c->buckets[0] == NULL)
		return "its option buckets names none that could be listed";
	*out =
	    (struct source_bounds){ .kept = c->retention, .step = longest(c) };
	return NULL;
}

static void
backfill(struct worker *w, struct stream *st, const struct span *span,
    int64_t *to, struct outcome *r)
{
	const int64_t most = longest(st->source->conf);
	struct span part = *span;

	if (part.to - part.from > most)
		part.to = part.from + most;
	if (s3_list_span(w, st, &part, r) == REPLY_OK)
		*to = part.to;
}

static int
live(struct worker *w, struct buf *message, struct err *err)
{
	const struct s3_conf *c = w->source->conf;
	struct outcome r;

	if (c->queue_url != NULL && s3_queue_try(w, message, &r) != REPLY_OK)
		return err_set(err, "queue_url: %s", r.text);
	for (size_t i = 0; c->buckets != NULL && c->buckets[i] != NULL; i++) {
		if (s3_list_try(w, c->buckets[i], &r) != REPLY_OK)
			return err_set(err, "bucket %s: %s", c->buckets[i],
			    r.text);
		if (buf_addf(message, "bucket %s: can be listed\n",
			c->buckets[i]) != 0)
			return err_set(err, "too much to say");
	}
	return 0;
}

static const char *
account(const void *conf)
{
	return ((const struct s3_conf *)conf)->queue_url;
}

static const char before[] =
    "In the AWS account of the bucket:\n"
    "  1. An SQS queue, with a redrive policy to a dead-letter queue, whose\n"
    "     access policy lets s3.amazonaws.com send messages for this bucket.\n"
    "  2. Bucket > Properties > Event notifications: all object create events\n"
    "     to that queue (or to SNS or EventBridge, and from there to it).\n"
    "  3. An identity with sqs:ReceiveMessage, sqs:DeleteMessage,\n"
    "     sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the "
    "queue,\n"
    "     s3:GetObject on the objects, s3:ListBucket on the bucket, and\n"
    "     kms:Decrypt on the keys of both. On EC2, ECS or EKS a role needs no\n"
    "     access key here.\n"
    "For CloudTrail: a trail for all regions that writes to the bucket, with\n"
    "log file validation. More: https://docs.aws.amazon.com/awscloudtrail/\n";

const struct source_type source_aws_s3 = {
	.type.name = "aws-s3",
	.type.title = "AWS CloudTrail, and what else comes into an S3 bucket",
	.type.before = before,
	.type.settings = s3_settings,
	.type.conf_size = sizeof(struct s3_conf),
	.type.check = s3_check,
	.type.shape = s3_shape,
	.type.environment = aws_environment,
	.define = define,
	.open = open_source,
	.poll = poll,
	.fetch = fetch,
	.bounds = bounds,
	.backfill = backfill,
	.audit = &s3_audit,
	.live = live,
	.close = close_source,
	.account = account,
};
