/*
 * test_aws_s3.c - the source aws-s3: what messages say, what becomes of them
 * and of their objects, and what listings find.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/aws/s3.h"
#include "sources/common/lines.h"
#include "store/commit.h"
#include "store/db.h"
#include "tests/unit/aws_help.h"
#include "tests/unit/canned.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

/* -- messages -------------------------------------------------------------- */

#define RECORD(key)                                                        \
	"{\"eventSource\":\"aws:s3\",\"eventName\":\"ObjectCreated:Put\"," \
	"\"eventTime\":\"2026-01-01T00:00:00.5Z\",\"s3\":{\"bucket\":{"    \
	"\"name\":\"logs\"},\"object\":{\"key\":\"" key                    \
	"\",\"size\":9,\"eTag\":\"e1\"}}}"
#define WRAP(text)                                                          \
	"{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"Message\":\"" text \
	"\"}"

static const struct {
	const char *body;
	const char *objects; /* "bucket/key …", NULL: it is odd … */
	const char *why;     /* … and that is why */
} messages[] = {
	{ "{\"Records\":[" RECORD("a/b+c%2Bd%3D%C3%A4.json.gz") "]}",
	    "logs|a/b c+d=\xc3\xa4.json.gz|e1 ", NULL },
	{ "{\"Records\":[" RECORD("x") "," RECORD("y") "]}",
	    "logs|x|e1 logs|y|e1 ", NULL },
	{ "{\"Records\":[]}", "", NULL },
	{ "{\"Records\":[{\"eventName\":\"ObjectRemoved:Delete\",\"s3\":{"
	  "\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":\"x\"}}}]}",
	    "", NULL },
	{ "{\"EventName\":\"s3:ObjectCreated:Put\",\"Records\":[{\"eventName\":"
	  "\"s3:ObjectCreated:Put\",\"s3\":{\"bucket\":{\"name\":\"logs\"},"
	  "\"object\":{\"key\":\"x%2Fy\"}}}]}",
	    "logs|x/y| ", NULL },
	{ WRAP("{\\\"Records\\\":[{\\\"eventName\\\":\\\"ObjectCreated:"
	       "Copy\\\","
	       "\\\"s3\\\":{\\\"bucket\\\":{\\\"name\\\":\\\"logs\\\"},"
	       "\\\"object\\\":{\\\"key\\\":\\\"a%20b\\\"}}}]}"),
	    "logs|a b| ", NULL },
	{ WRAP("{\\\"s3Bucket\\\":\\\"logs\\\",\\\"s3ObjectKey\\\":[\\\"a+"
	       "b\\\","
	       "\\\"c\\\"]}"),
	    "logs|a+b| logs|c| ", NULL },
	{ "{\"s3Bucket\":\"logs\",\"s3ObjectKey\":[\"k\"]}", "logs|k| ", NULL },
	{ "{\"detail-type\":\"Object "
	  "Created\",\"time\":\"2026-01-01T00:00:00Z\","
	  "\"detail\":{\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":"
	  "\"a+b%\",\"etag\":\"e2\",\"size\":1}}}",
	    "logs|a+b%|e2 ", NULL },
	{ "{\"detail-type\":\"Object Deleted\",\"detail\":{\"bucket\":{"
	  "\"name\":\"logs\"},\"object\":{\"key\":\"a\"}}}",
	    "", NULL },
	{ "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":"
	  "\"logs\"}",
	    "", NULL },
	{ WRAP("{\\\"Event\\\":\\\"s3:TestEvent\\\"}"), "", NULL },
	{ "", NULL, "no JSON" },
	{ "[]", NULL, "no JSON" },
	{ "hello", NULL, "no JSON" },
	{ "{}", NULL, "not a notification" },
	{ WRAP("hello"), NULL, "not one of S3" },
	{ "{\"Records\":[{\"dynamodb\":{}}]}", NULL, "not one of S3" },
	{ "{\"Records\":[" RECORD("") "]}", NULL, "no key" },
	{ "{\"Records\":[" RECORD("a%00b") "]}", NULL, "no key" },
	{ "{\"Records\":[" RECORD("a%2") "]}", NULL, "no key" },
	{ "{\"Records\":[" RECORD("%FF") "]}", NULL, "no key" },
	{ "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{"
	  "\"bucket\":{\"name\":\"../x\"},\"object\":{\"key\":\"a\"}}}]}",
	    NULL, "no bucket" },
	{ "{\"s3Bucket\":\"logs\",\"s3ObjectKey\":[7]}", NULL, "no key" },
	{ "{\"s3Bucket\":\"logs\",\"s3ObjectKey\":\"k\"}", NULL, "no list" },
};

/* notice_fn */
static int
note(void *ctx, const struct s3_object *o, struct err *e)
{
	(void)e;
	return buf_addf(ctx, "%s|%s|%s ", o->bucket, o->key,
	    o->etag != NULL ? o->etag : "");
}

START_TEST(message)
{
	struct buf out = BUF_INIT(10000);
	enum notice what;
	const char *why, *body = messages[_i].body;

	ck_assert_int_eq(buf_adds(&out, ""), 0);
	ck_assert_int_eq(notice_read(body, strlen(body), note, &out, &what,
			     &why, &aws_rig.err),
	    0);
	ck_assert_int_eq(what,
	    messages[_i].objects != NULL ? NOTICE_OBJECTS : NOTICE_ODD);
	if (messages[_i].objects != NULL)
		ck_assert_str_eq(out.data, messages[_i].objects);
	else
		ck_assert_msg(strstr(why, messages[_i].why) != NULL, "%s", why);
	buf_release(&out);
}
END_TEST

/* -- lines ----------------------------------------------------------------- */

static const struct {
	bool text;
	const char *document;
	const char *events; /* each with "|" behind it; "!" for what is bad */
} lines[] = {
	{ false, "{\"i\":1}\n{\"i\":2}\n", "1:{\"i\":1}|2:{\"i\":2}|" },
	{ false, "{\"i\":1}\r\n\n  \n {\"i\":2} ", "1:{\"i\":1}|2:{\"i\":2}|" },
	{ false, "", "" },
	{ false, "{\"i\":1}\n{\"i\":\n{\"i\":3},{}\n4\n",
	    "1:{\"i\":1}|!{\"i\":|!{\"i\":3},{}|:4|" },
	{ false, "{\"i\":1}\n0123456789012345678901234567890123456789\n",
	    "1:{\"i\":1}|40|" },
	{ true, "a \"b\"\\\r\n\nlast",
	    ":{\"message\":\"a \\\"b\\\"\\\\\\r\"}|:{\"message\":\"last\"}|" },
	{ true, "\xff\xfe\n", ":{\"message_base64\":\"//4=\"}|" },
};

/* splitter_fn */
static int
note_line(void *ctx, const struct element *el, struct err *e)
{
	(void)e;
	if (el->data == NULL)
		return buf_addf(ctx, "%zu|", el->len);
	if (el->bad != NULL)
		return buf_addf(ctx, "!%.*s|", (int)el->len, el->data);
	return buf_addf(ctx, "%.*s:%.*s|", (int)el->id.len,
	    el->id.data != NULL ? el->id.data : "", (int)el->len, el->data);
}

START_TEST(line)
{
	static const struct splitter_spec spec = { .id = "i", .max = 32 };
	const char *s = lines[_i].document;

	/* In one piece, and byte by byte. */
	for (size_t step = strlen(s) + 1; step > 0; step = step > 1) {
		struct buf out = BUF_INIT(10000);
		struct lines *l =
		    lines_new(&spec, lines[_i].text, note_line, &out);
		const size_t len = strlen(s);

		ck_assert_int_eq(buf_adds(&out, ""), 0);
		for (size_t i = 0; i < len; i += step)
			ck_assert_int_eq(lines_push(l, s + i,
					     step < len - i ? step : len - i,
					     &aws_rig.err),
			    0);
		ck_assert_int_eq(lines_end(l, &aws_rig.err), 0);
		ck_assert_str_eq(out.data, lines[_i].events);
		lines_free(l);
		buf_release(&out);
		if (step == 1)
			break;
	}
}
END_TEST

/* -- a queue and a bucket by script ---------------------------------------- */

#define OK(type) "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\n\r\n"
#define SQS OK("application/x-amz-json-1.0")
#define MESSAGE(id, body)                                     \
	"{\"MessageId\":\"" id "\",\"ReceiptHandle\":\"h-" id \
	"\",\"Body\":\"" body "\"}"
#define NAMES(key)                                                        \
	"{\\\"Records\\\":[{\\\"eventName\\\":\\\"ObjectCreated:Put\\\"," \
	"\\\"s3\\\":{\\\"bucket\\\":{\\\"name\\\":\\\"logs\\\"},"         \
	"\\\"object\\\":{\\\"key\\\":\\\"" key "\\\"}}}]}"

/* A message is deleted once its objects are in the store, and not before; what
 * the queue did not delete is deleted again. */
START_TEST(deleted_after_the_commit)
{
	static const struct canned_reply table[] = {
		{ .path = "/ ",
		    .bytes = SQS "{\"Messages\":[" MESSAGE("m1",
			NAMES("a")) "," MESSAGE("m2", NAMES("b")) "]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = "/ ",
		    .bytes = SQS "{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":"
				 "[{\"Id\":\"1\",\"Code\":\"InternalError\","
				 "\"SenderFault\":false}]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = "/ ",
		    .bytes = SQS "{\"Successful\":[{\"Id\":\"0\"}]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = "/logs/",
		    .bytes =
			OK("binary/octet-stream") "{\"Records\":[{\"eventID\":"
						  "\"1\"},{\"eventID\":\"2\"}"
						  "]}" },
		{ .path = NULL },
	};
	const struct s3_stream *ss;

	aws_help_begin(table);
	aws_help_start();
	ss = s3_state(&aws_rig.stream);
	ck_assert_msg(aws_help_poll() == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_uint_eq(ss->n, 2);
	ck_assert_uint_eq(aws_help_asked("AmazonSQS.ReceiveMessage"), 1);
	ck_assert_uint_eq(aws_help_asked("\"WaitTimeSeconds\":2,"), 1);
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(aws_help_asked("AmazonSQS.DeleteMessageBatch"), 0);
	ck_assert_msg(aws_help_fetch() == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_msg(aws_help_fetch() == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_int_eq(aws_help_poll(), REPLY_RETRY);
	ck_assert_ptr_nonnull(strstr(aws_rig.r.text, "1 of 2"));
	ck_assert_uint_eq(ss->n, 1);
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(ss->n, 0);
	ck_assert_uint_eq(aws_help_asked("AmazonSQS.DeleteMessageBatch"), 2);
	ck_assert_uint_eq(aws_help_asked("/eu-west-1/sqs/aws4_request"), 6);
	ck_assert_uint_eq(aws_help_asked("/eu-west-1/s3/aws4_request"), 2);
	ck_assert_uint_eq(aws_rig.troubles, 0);
	aws_help_end();
}
END_TEST

/* A message whose visibility ends is held on to; one that others may see by now
 * is forgotten. */
START_TEST(held)
{
	static const struct canned_reply table[] = {
		{ .path = "/ ",
		    .bytes =
			SQS "{\"Messages\":[" MESSAGE("m1", NAMES("a")) "]}" },
		{ .path = "/ ",
		    .bytes = SQS "{\"Successful\":[{\"Id\":\"0\"}]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = NULL },
	};
	struct s3_stream *ss;

	aws_help_begin(table);
	aws_help_start();
	ss = s3_state(&aws_rig.stream);
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(ss->n, 1);
	ss->messages[0].ends = clock_monotonic() + 20 * CLOCK_SECOND;
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(
	    aws_help_asked("AmazonSQS.ChangeMessageVisibilityBatch"), 1);
	ck_assert_uint_eq(aws_help_asked("\"VisibilityTimeout\":60}"), 1);
	ck_assert_int_gt(ss->messages[0].ends,
	    clock_monotonic() + 30 * CLOCK_SECOND);
	ss->messages[0].ends = clock_monotonic();
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(ss->n, 0);
	ck_assert_uint_eq(aws_help_asked("AmazonSQS.DeleteMessageBatch"), 0);
	aws_help_end();
}
END_TEST

/* What cannot be read, is another's bucket, or names an object that cannot be
 * had, is told of once and not deleted. */
START_TEST(let_go)
{
	static const struct canned_reply table[] = {
		{ .path = "/ ",
		    .bytes = SQS "{\"Messages\":[" MESSAGE("m1",
			"hello") "," MESSAGE("m2", NAMES("a")) "]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = "/logs/", .bytes = "HTTP/1.1 500 Oh\r\n\r\n" },
		{ .path = NULL },
	};
	static char other[] = "other", logs[] = "logs";
	char *buckets[] = { other, logs, NULL };
	struct s3_stream *ss;

	aws_help_begin(table);
	aws_rig.conf.buckets = buckets;
	aws_help_start();
	ss = s3_state(&aws_rig.stream);
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(aws_rig.troubles, 1);
	ck_assert_str_eq(aws_rig.told.code, REPLY_ODD_ROW);
	ck_assert_ptr_nonnull(strstr(aws_rig.told.text,
	    "message m1 of the queue is "
	    "not deleted"));
	ck_assert_uint_eq(ss->n, 1);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(aws_help_fetch(), REPLY_RETRY);
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(ss->n, 0);
	ck_assert_uint_eq(aws_rig.troubles, 2);
	ck_assert_ptr_nonnull(strstr(aws_rig.told.text,
	    "logs/a cannot be read"));
	ck_assert_uint_eq(aws_help_asked("AmazonSQS.DeleteMessageBatch"), 0);
	aws_help_end();
}
END_TEST

/* One that says nothing does not hold up those beside it. */
START_TEST(odd_beside_good)
{
	static const struct canned_reply table[] = {
		{ .path = "/ ",
		    .bytes = SQS
		    "{\"Messages\":[{\"MessageId\":\"m1\","
		    "\"ReceiptHandle\":\"h\",\"Body\":null},7,"
		    "{\"Body\":\"{}\"}," MESSAGE("m2", NAMES("a")) "]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = NULL },
	};
	const struct s3_stream *ss;

	aws_help_begin(table);
	aws_help_start();
	ss = s3_state(&aws_rig.stream);
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(ss->n, 1);
	ck_assert_str_eq(ss->messages[0].handle, "h-m2");
	ck_assert_ptr_nonnull(strstr(aws_rig.told.text,
	    "it has no ReceiptHandle or Body"));
	ck_assert_uint_eq(aws_help_asked("AmazonSQS.DeleteMessageBatch"), 0);
	aws_help_end();
}
END_TEST

START_TEST(foreign_bucket)
{
	static const struct canned_reply table[] = {
		{ .path = "/ ",
		    .bytes =
			SQS "{\"Messages\":[" MESSAGE("m1", NAMES("a")) "]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = NULL },
	};
	static char other[] = "other";
	char *buckets[] = { other, NULL };
	const struct s3_stream *ss;

	aws_help_begin(table);
	aws_rig.conf.buckets = buckets;
	aws_help_start();
	ss = s3_state(&aws_rig.stream);
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_eq(ss->n, 0);
	ck_assert_ptr_nonnull(strstr(aws_rig.told.text,
	    "bucket logs, which is not"));
	aws_help_end();
}
END_TEST

/* What S3 answers about an object, and what that means. */
static const struct {
	enum s3_form form;
	const char *bytes;
	enum reply_class class;
	size_t events;
	const char *says;
} objects[] = {
	{ FORM_CLOUDTRAIL,
	    OK("text/plain") "{\"x\":1,\"Records\" : [ {\"eventID\":\"1\"} ] }",
	    REPLY_OK, 1, "" },
	{ FORM_CLOUDTRAIL, OK("application/json") "{\"Records\":[]}", REPLY_OK,
	    0, "" },
	{ FORM_CLOUDTRAIL, OK("application/json") "{\"x\":[]}", REPLY_RETRY, 0,
	    "no array at \"Records\"" },
	{ FORM_CLOUDTRAIL, OK("application/json") "{\"Records\":[{},",
	    REPLY_RETRY, 1, "object cannot be parsed" },
	{ FORM_CLOUDTRAIL, OK("text/html") "<html><title>Hi</title>",
	    REPLY_RETRY, 0, "Hi" },
	{ FORM_CLOUDTRAIL,
	    "HTTP/1.1 404 No\r\n\r\n<?xml version=\"1.0\"?>\n<Error><Code>"
	    "NoSuchKey</Code><Message>It is not</Message></Error>",
	    REPLY_GONE, 0, "not in the bucket any more" },
	{ FORM_CLOUDTRAIL, "HTTP/1.1 404 No\r\n\r\n", REPLY_RETRY, 0, "404" },
	{ FORM_CLOUDTRAIL,
	    "HTTP/1.1 403 No\r\n\r\n<Error><Code>AccessDenied</Code></Error>",
	    REPLY_CONFIG, 0, "kms:Decrypt" },
	{ FORM_CLOUDTRAIL,
	    "HTTP/1.1 301 No\r\n\r\n<Error><Code>PermanentRedirect</Code>"
	    "</Error>",
	    REPLY_CONFIG, 0, "another region" },
	{ FORM_CLOUDTRAIL,
	    "HTTP/1.1 503 No\r\n\r\n<Error><Code>SlowDown</Code></Error>",
	    REPLY_THROTTLED, 0, "SlowDown" },
	{ FORM_JSON, OK("x/y") "[{\"a\":1},{\"a\":1},2]", REPLY_OK, 3, "" },
	{ FORM_JSON, OK("x/y") " {\"a\":[1]} ", REPLY_OK, 1, "" },
	{ FORM_NDJSON, OK("x/y") "{\"a\":1}\n{\"a\":1}\n", REPLY_OK, 2, "" },
	{ FORM_NDJSON, OK("x/y"), REPLY_OK, 0, "" },
	{ FORM_TEXT, OK("x/y") "same\nsame\n\n", REPLY_OK, 2, "" },
	{ FORM_TEXT, "HTTP/1.1 200 OK\r\nETag: \"x\"\r\n\r\n<html>\n</html>\n",
	    REPLY_OK, 2, "" },
	{ FORM_TEXT, OK("x/y") "<html>\n</html>\n", REPLY_RETRY, 0, "" },
};

START_TEST(object)
{
	const struct canned_reply table[] = {
		{ .path = "/ ",
		    .bytes = SQS "{\"Messages\":[" MESSAGE("m1",
			NAMES("a+b%2B..//%C3%A4")) "]}" },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = "/logs/a%20b%2B..//%C3%A4 ",
		    .bytes = objects[_i].bytes },
		{ .path = NULL },
	};

	aws_help_begin(table);
	aws_rig.conf.form = (int)objects[_i].form;
	aws_help_start();
	ck_assert_msg(aws_help_poll() == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_msg(aws_help_fetch() == objects[_i].class, "%s",
	    aws_rig.r.text);
	if (objects[_i].class != REPLY_OK)
		ck_assert_msg(strstr(aws_rig.r.text, objects[_i].says) != NULL,
		    "%s", aws_rig.r.text);
	ck_assert_uint_eq(aws_help_count("SELECT size FROM feed"),
	    objects[_i].events);
	aws_help_end();
}
END_TEST

/* -- listings -------------------------------------------------------------- */

#define LIST(rest)                                                       \
	OK("application/xml")                                            \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult " \
	"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>logs</" \
	"Name>" rest "</ListBucketResult>"
#define FOLDER(name) \
	"<CommonPrefixes><Prefix>" name "</Prefix></CommonPrefixes>"
#define FILE_ROW(key)                                                        \
	"<Contents><Key>" key "</Key><LastModified>2999-01-01T00:00:00.000Z" \
	"</LastModified><ETag>&quot;e1&quot;</ETag><Size>9</Size></Contents>"
#define QUERY(delimiter, prefix)                                          \
	"/logs?" delimiter "encoding-type=url&list-type=2&max-keys=1000&" \
	"prefix=" prefix " "
#define FOLDERS "delimiter=%2F&"

static const struct canned_reply bucket[] = {
	{ .path = QUERY(FOLDERS, "p%2FAWSLogs%2F"),
	    .bytes = LIST(FOLDER("p/AWSLogs/111122223333/")
		    FOLDER("p/AWSLogs/o-1a/")) },
	{ .path = QUERY(FOLDERS, "p%2FAWSLogs%2F111122223333%2F"),
	    .bytes = LIST(FOLDER("p/AWSLogs/111122223333/CloudTrail/")
		    FOLDER("p/AWSLogs/111122223333/CloudTrail-Digest/")
			FOLDER("p/AWSLogs/111122223333/"
			       "CloudTrail-Aggregated/")
			    FOLDER("p/AWSLogs/111122223333/Config/")) },
	{ .path = QUERY(FOLDERS, "p%2FAWSLogs%2Fo-1a%2F"),
	    .bytes = LIST(FOLDER("p/AWSLogs/o-1a/444455556666/")) },
	{ .path = QUERY(FOLDERS, "p%2FAWSLogs%2Fo-1a%2F444455556666%2F"),
	    .bytes = LIST(FOLDER("p/AWSLogs/o-1a/444455556666/"
				 "CloudTrail-NetworkActivity/")) },
	{ .path = "/logs?" FOLDERS
		  "encoding-type=url&list-type=2&max-keys=1000&prefix="
		  "p%2FAWSLogs%2F111122223333%2FCloudTrail%2F ",
	    .bytes = LIST(FOLDER("p/AWSLogs/111122223333/CloudTrail/"
				 "eu-west-1/")) },
	{ .path = "/logs?" FOLDERS
		  "encoding-type=url&list-type=2&max-keys=1000&prefix="
		  "p%2FAWSLogs%2F",
	    .bytes = LIST("") },
	{ .path = "/logs?continuation-token=t%3D%2B1&",
	    /* A size that is no number is none that is told. */
	    .bytes = LIST("<IsTruncated>false</IsTruncated><Contents><Key>"
			  "p/AWSLogs/c+d%2B.json.gz</Key><LastModified>"
			  "2999-01-01T00:00:00.000Z</LastModified><ETag>"
			  "&quot;e1&quot;</ETag><Size>x</Size></Contents>") },
	{ .path = "/logs?encoding-type=url&list-type=2&max-keys=1000&"
		  "prefix=p%2FAWSLogs%2F111122223333%2FCloudTrail%2F"
		  "eu-west-1%2F",
	    .bytes = LIST("<IsTruncated>true</IsTruncated>"
			  "<NextContinuationToken>t=+1"
			  "</NextContinuationToken>" FILE_ROW("p/AWSLogs/"
							      "a.json.gz")
			      FILE_ROW("p/AWSLogs/folder/")
				  FILE_ROW("elsewhere.json.gz")) },
	{ .path = "/logs?", .bytes = LIST("") },
	{ .path = NULL },
};

/* All folders of CloudTrail but that of digests, of an account and of an
 * organisation's, with all pages; and another name beside what is known. */
START_TEST(listed)
{
	static char logs[] = "logs", prefix[] = "p/";
	char *buckets[] = { logs, NULL };

	aws_help_begin(bucket);
	free(aws_rig.conf.queue_url);
	aws_rig.conf.queue_url = NULL;
	aws_rig.conf.buckets = buckets;
	aws_rig.conf.prefix = prefix;
	aws_rig.conf.reconcile = CLOCK_HOUR;
	aws_help_start();
	ck_assert_msg(aws_help_poll() == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_uint_eq(aws_help_count("SELECT count(*) FROM item"), 2);
	ck_assert_uint_eq(aws_help_count("SELECT count(*) FROM item "
					 "WHERE key ="
					 " 'logs/p/AWSLogs/c d+.json.gz'"),
	    1);
	ck_assert_uint_eq(aws_help_asked("CloudTrail-Digest"), 0);
	ck_assert_uint_eq(aws_help_asked("Config"), 0);
	ck_assert_uint_gt(aws_help_asked("CloudTrail-Aggregated%2F"), 0);
	ck_assert_uint_gt(aws_help_asked("o-1a%2F444455556666%2FCloudTrail-"
					 "NetworkActivity%2F"),
	    0);
	ck_assert_int_ne(aws_rig.stream.listed, 0);
	aws_help_end();
}
END_TEST

#define ROW_OF(name, when)                                        \
	"<Contents><Key>" name "</Key><LastModified>" when        \
	"</LastModified><ETag>&quot;e&quot;</ETag><Size>9</Size>" \
	"</Contents>"

/* Of the objects of a span those that were written in it, marked, whatever the
 * polls know; and what cannot be listed is not asked for. */
START_TEST(a_span_is_listed)
{
	static const struct canned_reply days[] = {
		{ .path = "/logs?",
		    .bytes = LIST(ROW_OF("old", "2026-11-20T23:59:59.000Z")
			    ROW_OF("first", "2026-11-21T00:00:00.000Z")
				ROW_OF("last", "2026-11-21T23:59:59.000Z")
				    ROW_OF("new",
					"2026-11-22T00:00:00.000Z")) },
		{ .path = NULL },
	};
	static char logs[] = "logs";
	char *buckets[] = { logs, NULL };
	const struct source_type *type = &source_aws_s3;
	struct stream beside;
	struct source_bounds b;
	struct span span;
	int64_t to = 0;

	ck_assert_int_eq(clock_parse("2026-11-21T00:00:00Z", 20, &span.from),
	    0);
	span.to = span.from + CLOCK_DAY;
	aws_help_begin(days);
	ck_assert_ptr_nonnull(type->bounds(&aws_rig.conf, "Objects", &b));
	aws_rig.conf.form = FORM_NDJSON;
	aws_rig.conf.buckets = buckets;
	ck_assert_ptr_null(type->bounds(&aws_rig.conf, "Objects", &b));
	ck_assert_int_eq(b.kept, aws_rig.conf.retention);
	aws_help_start();
	beside = aws_rig.stream;
	beside.via = VIA_BACKFILL;
	aws_rig.w.stream = &beside;
	type->backfill(&aws_rig.w, &beside, &span, &to, &aws_rig.r);
	ck_assert_msg(aws_rig.r.class == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_int_eq(to, span.to);
	ck_assert_uint_eq(aws_help_count("SELECT count(*) FROM item"), 2);
	ck_assert_uint_eq(aws_help_count("SELECT count(*) FROM item WHERE "
					 "via = 1 AND (key LIKE 'logs/first%'"
					 " OR key LIKE 'logs/last%')"),
	    2);
	aws_rig.w.stream = &aws_rig.stream;
	aws_help_end();
}
END_TEST

static const char *const bad_lists[] = {
	OK("application/xml") "<Wrong/>",
	OK("application/xml") "<ListBucketResult>",
	OK("application/xml") "<?xml version='1.0'?><!DOCTYPE html><html/>",
	OK("text/html") "<html>Log in</html>",
	OK("application/json") "{}",
	LIST("<IsTruncated>true</IsTruncated>"),
	LIST("<Contents><Size>1</Size></Contents>"),
	LIST("<Contents><Key>a</Key><Key>b</Key><Size>1</Size></Contents>"),
	LIST("<IsTruncated>true</IsTruncated><NextContinuationToken>a"
	     "</NextContinuationToken><NextContinuationToken>b"
	     "</NextContinuationToken>"),
	LIST(FOLDER("elsewhere/")),
	LIST(FOLDER("%zz")),
};

START_TEST(bad_list)
{
	const struct canned_reply table[] = {
		{ .path = "/logs?", .bytes = bad_lists[_i] },
		{ .path = "/ ", .bytes = SQS "{}" },
		{ .path = NULL },
	};
	static char logs[] = "logs", prefix[] = "p/";
	char *buckets[] = { logs, NULL };
	struct outcome r;

	aws_help_begin(table);
	aws_rig.conf.buckets = buckets;
	aws_rig.conf.prefix = prefix;
	aws_rig.conf.reconcile = CLOCK_HOUR;
	aws_help_start();
	/* Neither is an answer an empty list, nor does the queue wait. */
	ck_assert_int_eq(aws_help_poll(), REPLY_OK);
	ck_assert_uint_gt(aws_rig.troubles, 0);
	ck_assert_int_eq(aws_rig.told.class, REPLY_RETRY);
	ck_assert_uint_eq(aws_help_asked("AmazonSQS.ReceiveMessage"), 1);
	ck_assert_int_eq(s3_list_try(&aws_rig.w, logs, &r), REPLY_RETRY);
	aws_help_end();
}
END_TEST

Suite *
suite_aws_s3(void)
{
	Suite *s = suite_create("aws_s3");
	TCase *tc = tcase_create("aws_s3");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, message, 0,
	    sizeof(messages) / sizeof(messages[0]));
	tcase_add_loop_test(tc, line, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tc, deleted_after_the_commit);
	tcase_add_test(tc, held);
	tcase_add_test(tc, let_go);
	tcase_add_test(tc, odd_beside_good);
	tcase_add_test(tc, foreign_bucket);
	tcase_add_loop_test(tc, object, 0,
	    sizeof(objects) / sizeof(objects[0]));
	tcase_add_test(tc, listed);
	tcase_add_test(tc, a_span_is_listed);
	tcase_add_loop_test(tc, bad_list, 0,
	    sizeof(bad_lists) / sizeof(bad_lists[0]));
	suite_add_tcase(s, tc);
	return s;
}
