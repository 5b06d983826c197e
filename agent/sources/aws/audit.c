/*
 * audit.c - how hours of CloudTrail are confirmed: by its digests (digest.c),
 * which nobody has to ask for.
 */
#include "base/clock.h"
#include "sources/aws/s3.h"

/* A digest ends up to an hour behind an hour's end, and comes up to an hour
 * later. */
#define SETTLE (2 * CLOCK_HOUR)

static bool
covers(const void *conf, const char *stream)
{
	(void)conf;
	(void)stream;
	return false;
}

static bool
accounts(const void *conf, const char *stream)
{
	(void)stream;
	return ((const struct s3_conf *)conf)->form == FORM_CLOUDTRAIL;
}

static bool
bounds(const void *conf, struct source_audit *out)
{
	const struct s3_conf *c = conf;

	*out = (struct source_audit){
		.settle = c->queue_url != NULL ? SETTLE : SETTLE + c->reconcile
	};
	return c->digests;
}

const struct audit_calls s3_audit = {
	.covers = covers,
	.accounts = accounts,
	.bounds = bounds,
	.lacks = "no validated digest covers all of it",
};
