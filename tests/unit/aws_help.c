/*
 * aws_help.c - the source aws-s3 by script.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "store/db.h"
#include "tests/unit/aws_help.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

struct aws_rig aws_rig;

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

static bool
rest(void *ctx, int64_t us)
{
	(void)ctx;
	(void)us;
	return true;
}

static void
ignore(void *ctx, struct stream *st)
{
	(void)ctx;
	(void)st;
}

static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	(void)ctx;
	(void)st;
	aws_rig.told = *r;
	aws_rig.troubles++;
}

void
aws_help_begin(const struct canned_reply *table)
{
	static char key[] = "AKID:secret-secret", region[] = "eu-west-1",
		    session[] = "s";

	memset(&aws_rig, 0, sizeof(aws_rig));
	err_clear(&aws_rig.err);
	store_help_begin(aws_rig.dir, sizeof(aws_rig.dir), aws_rig.path,
	    sizeof(aws_rig.path));
	aws_rig.s = store_help_open(aws_rig.path, STORE_DURABLE);
	aws_rig.server = canned_start(table);
	aws_rig.conf = (struct s3_conf){
		.queue_url = xasprintf("%s/1/q", canned_url(aws_rig.server)),
		.s3_url = xstrdup(canned_url(aws_rig.server)),
		.visibility = CLOCK_MINUTE,
		.look_back = 2 * CLOCK_DAY,
		.retention = 30 * CLOCK_DAY,
		.parallel = 1,
		.dedupe = CLOCK_DAY,
		.aws = { .region = region, .key = key, .session = session },
		.http = { .timeout = 5 * CLOCK_SECOND },
	};
}

/* With the options as they are now. */
void
aws_help_start(void)
{
	aws_rig.source = (struct source){ .type = &source_aws_s3,
		.name = "aws",
		.conf = &aws_rig.conf,
		.access = http_access_open(&aws_rig.conf.http, &aws_rig.err),
		.rate = rate_new(600000, 600000),
		.clock = server_clock_new(),
		.stop = never,
		.rest = rest,
		.listed = ignore,
		.committed = ignore,
		.trouble = trouble };
	ck_assert_ptr_nonnull(aws_rig.source.access);
	source_aws_s3.define(&aws_rig.conf, &aws_rig.source.definition);
	ck_assert_msg(source_aws_s3.open(&aws_rig.source, &aws_rig.err) == 0,
	    "%s", aws_rig.err.text);
	aws_rig.stream = (struct stream){ .source = &aws_rig.source,
		.name = aws_rig.source.definition.streams[0],
		.feed = store_help_feed(aws_rig.s, "aws/x", CLOCK_DAY) };
	stream_begin(&aws_rig.stream);
	feed_hours(aws_rig.stream.feed);
	aws_rig.w = (struct worker){ .source = &aws_rig.source,
		.stream = &aws_rig.stream,
		.http = http_new(aws_rig.source.access, NULL, NULL) };
}

void
aws_help_end(void)
{
	write_batch_free(aws_rig.w.spare);
	http_free(aws_rig.w.http);
	feed_close(aws_rig.stream.feed);
	stream_end(&aws_rig.stream);
	source_aws_s3.close(&aws_rig.source);
	http_access_free(aws_rig.source.access);
	rate_free(aws_rig.source.rate);
	server_clock_free(aws_rig.source.clock);
	canned_stop(aws_rig.server);
	free(aws_rig.conf.queue_url);
	free(aws_rig.conf.s3_url);
	store_close(aws_rig.s);
	store_help_end(aws_rig.dir);
}

enum reply_class
aws_help_poll(void)
{
	struct s3_stream *ss = s3_state(&aws_rig.stream);

	ss->looked = 0; /* nobody waits here */
	(void)source_aws_s3.poll(&aws_rig.w, &aws_rig.stream, &aws_rig.r);
	return aws_rig.r.class;
}

/* Fetch what is due; how it went. */
enum reply_class
aws_help_fetch(void)
{
	struct item it;
	int64_t next;

	ck_assert_int_eq(item_claim(aws_rig.stream.feed, &it, &next,
			     &aws_rig.err),
	    1);
	aws_rig.w.gather = false;
	source_aws_s3.fetch(&aws_rig.w, &aws_rig.stream, &it, &aws_rig.r);
	ck_assert_int_eq(item_return(aws_rig.stream.feed, &it, 0,
			     aws_rig.r.class == REPLY_OK ? NULL
							 : aws_rig.r.text,
			     &aws_rig.err),
	    0);
	item_release(&it);
	return aws_rig.r.class;
}

uint64_t
aws_help_count(const char *sql)
{
	int64_t n = -1;

	db_lock(aws_rig.s);
	ck_assert_int_eq(db_number(aws_rig.s, &aws_rig.err, -1, &n, sql, ""),
	    0);
	db_unlock(aws_rig.s);
	return (uint64_t)n;
}

/* How often the server was asked so. */
size_t
aws_help_asked(const char *text)
{
	const char *s = canned_requests(aws_rig.server);
	size_t n = 0;

	while ((s = strstr(s, text)) != NULL) {
		s += strlen(text);
		n++;
	}
	return n;
}
