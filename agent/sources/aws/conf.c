/*
 * conf.c - options of the source aws-s3.
 */
#include <stdio.h>
#include <string.h>

#include "config/event_shape.h"
#include "sources/aws/s3.h"

static const char *const form_names[] = {
	[FORM_CLOUDTRAIL] = "cloudtrail",
	[FORM_JSON] = "json",
	[FORM_NDJSON] = "ndjson",
	[FORM_TEXT] = "text",
	[FORMS] = NULL,
};

#define FIELD(name) offsetof(struct s3_conf, name)

const struct setting s3_settings[] = {
	{ .key = "queue_url",
	    .type = SETTING_STRING,
	    .offset = FIELD(queue_url),
	    .ask = "URL of the SQS queue that the bucket notifies",
	    .help = "URL of the SQS queue that is told of new objects by S3 "
		    "itself, by SNS or by EventBridge. Without it only "
		    "listings find them, every reconcile.every." },
	{ .key = "buckets",
	    .type = SETTING_LIST,
	    .offset = FIELD(buckets),
	    .ask = "Name of the bucket, for listings that find what no "
		   "message told of",
	    .help = "Buckets to list; only they are read then, whatever a "
		    "message names." },
	{ .key = "prefix",
	    .type = SETTING_STRING,
	    .offset = FIELD(prefix),
	    .help = "Only objects whose keys begin so are read; of CloudTrail "
		    "what stands before \"AWSLogs/\"." },
	{ .key = "bucket_region",
	    .type = SETTING_STRING,
	    .offset = FIELD(bucket_region),
	    .help = "Region of the buckets, where it is not aws.region." },
	{ .key = "s3_url",
	    .type = SETTING_STRING,
	    .offset = FIELD(s3_url),
	    .help = "URL of S3, for a VPC endpoint or another store that "
		    "speaks it; a bucket is the first part of the path. "
		    "Default: that of the region." },
	{ .key = "format",
	    .type = SETTING_CHOICE,
	    .offset = FIELD(form),
	    .def = "cloudtrail",
	    .choices = form_names,
	    .help = "What is in an object, packed with gzip or not: "
		    "CloudTrail's {\"Records\":[…]}; json, an array of events "
		    "or a single one; ndjson, one a line; text, of which each "
		    "line becomes {\"message\":\"…\"}." },
	{ .key = "id",
	    .type = SETTING_STRING,
	    .offset = FIELD(id),
	    .help = "Key of an event's id, by which repeats in other objects "
		    "are found. Default: eventID of cloudtrail; else none." },
	{ .key = "time",
	    .type = SETTING_STRING,
	    .offset = FIELD(time),
	    .help = "Key of an event's time. Default: eventTime of "
		    "cloudtrail; else none." },
	{ .key = "visibility",
	    .type = SETTING_DURATION,
	    .offset = FIELD(visibility),
	    .def = "2m",
	    .min = 10 * CLOCK_SECOND,
	    .max = 12 * CLOCK_HOUR,
	    .help = "How long a message is invisible to others; extended "
		    "while its objects are read." },
	{ .key = "reconcile.every",
	    .type = SETTING_DURATION,
	    .offset = FIELD(reconcile),
	    .def = "1h",
	    .min = 0,
	    .max = CLOCK_DAY,
	    .help = "Time between two listings of the buckets, which find "
		    "what no message told of; 0: never. Of CloudTrail the "
		    "folders of the days are listed, else all objects below "
		    "prefix." },
	{ .key = "reconcile.back",
	    .type = SETTING_DURATION,
	    .offset = FIELD(look_back),
	    .def = "2d",
	    .min = CLOCK_HOUR,
	    .max = 3650 * CLOCK_DAY,
	    .help = "How far back a listing looks." },
	{ .key = "digests.validate",
	    .type = SETTING_BOOL,
	    .offset = FIELD(digests),
	    .def = "false",
	    .help = "Are CloudTrail's digests validated: the chain, the "
		    "signatures, and each file that they name, with its "
		    "SHA-256? What is missing is fetched, else a gap, and so "
		    "is what differs; sealfeed reconcile tells which hours "
		    "they confirm. Needs the action "
		    "cloudtrail:ListPublicKeys, or digests.key." },
	{ .key = "digests.key",
	    .type = SETTING_SECRET,
	    .offset = FIELD(digest_key),
	    .help = "Public key of the digests, a file or PEM text, instead of "
		    "those that CloudTrail tells." },
	{ .key = "digests.url",
	    .type = SETTING_STRING,
	    .offset = FIELD(digest_url),
	    .help = "URL of CloudTrail, for a VPC endpoint. Default: that of "
		    "the digest's region." },
	{ .key = "retention",
	    .type = SETTING_DURATION,
	    .offset = FIELD(retention),
	    .def = "30d",
	    .min = CLOCK_DAY,
	    .max = 3650 * CLOCK_DAY,
	    .help = "How long the bucket keeps objects, by its lifecycle "
		    "rules; an object that could not be read by then is a "
		    "gap. So long each is remembered, too." },
	{ .key = "parallel",
	    .type = SETTING_INTEGER,
	    .offset = FIELD(parallel),
	    .def = "4",
	    .min = 1,
	    .max = 64,
	    .help = "Objects that are read at once." },
	{ .key = "dedupe",
	    .type = SETTING_DURATION,
	    .offset = FIELD(dedupe),
	    .def = "7d",
	    .min = 0,
	    .max = 3650 * CLOCK_DAY,
	    .help = "How long an event is remembered, by its id and a hash of "
		    "its bytes, to drop repeats; 0: off. Other bytes under "
		    "the same id are a version of the first." },
	{ .key = "aws",
	    .type = SETTING_TABLE,
	    .offset = FIELD(aws),
	    .table = aws_settings },
	{ .key = "http",
	    .type = SETTING_TABLE,
	    .offset = FIELD(http),
	    .table = http_settings },
	SETTING_END,
};

static bool
has_buckets(const struct s3_conf *c)
{
	return c->buckets != NULL && c->buckets[0] != NULL;
}

/* Is it a region, as a part of host names? */
static bool
is_region(const char *s)
{
	return s == NULL ||
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static void
check_queue(const struct s3_conf *c, const struct config_section *b)
{
	const char *path;

	http_url_check_setting("queue_url", c->queue_url, b);
	path = c->queue_url != NULL ? strstr(c->queue_url, "://") : NULL;
	if (path != NULL && strchr(path + 3, '/') == NULL)
		config_error(b,
		    "queue_url: \"%s\" has no path with the account and the "
		    "name of the queue",
		    c->queue_url);
	if (c->queue_url == NULL && !has_buckets(c))
		config_error(b,
		    "queue_url: is missing; give the queue that tells of new "
		    "objects, or buckets to list");
	if (c->queue_url == NULL && has_buckets(c) && c->reconcile == 0)
		config_error(b,
		    "reconcile.every: 0 without queue_url finds nothing; set "
		    "one of them");
}

void
s3_check(const void *conf, const struct config_section *b)
{
	const struct s3_conf *c = conf;

	check_queue(c, b);
	for (size_t i = 0; c->buckets != NULL && c->buckets[i] != NULL; i++)
		if (strpbrk(c->buckets[i], "/:?# ") != NULL)
			config_error(b,
			    "buckets: \"%s\" is not the name of a bucket; "
			    "folders belong to prefix",
			    c->buckets[i]);
	if (!is_region(c->bucket_region))
		config_error(b,
		    "bucket_region: \"%s\" is not a region, as eu-central-1 is",
		    c->bucket_region);
	if (c->form == FORM_TEXT && (c->id != NULL || c->time != NULL))
		config_error(b,
		    "id: a line of text has no keys; leave out id and time, or "
		    "set format to ndjson");
	if (c->digests && c->form != FORM_CLOUDTRAIL)
		config_error(b,
		    "digests.validate: only CloudTrail has digests; leave it "
		    "out, or set format to cloudtrail");
	http_url_check_setting("digests.url", c->digest_url, b);
	http_url_check_setting("s3_url", c->s3_url, b);
	aws_conf_check(&c->aws, b);
	http_conf_check(&c->http, b);
}

const char *
s3_region(const struct s3_conf *c)
{
	return c->bucket_region != NULL ? c->bucket_region
					: aws_region(&c->aws);
}

/* As Splunk's add-on for AWS and Elastic's integration aws.cloudtrail have
 * it. */
const struct event_shape *
s3_shape(const void *conf, const char *stream)
{
	static const struct event_shape trail = { .id = "/eventID",
		.sourcetype = "aws:cloudtrail",
		.dataset = "aws.cloudtrail",
		.record = "json" };
	const struct s3_conf *c = conf;

	(void)stream;
	return c->form == FORM_CLOUDTRAIL ? &trail : NULL;
}
