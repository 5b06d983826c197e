/*
 * ndjson.c - NDJSON lines over HTTP.
 *
 * With the envelope the wire wants what the store holds, gzip of lines, and
 * the store's bytes are sent as they are.
 */
#include <stddef.h>

#include "base/err.h"
#include "delivery/chunk.h"
#include "outputs/http/dialect.h"
#include "outputs/http/ndjson.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

const char *const ndjson_envelopes[] = { "seal", "none", NULL };

static const struct setting settings[] = { { .key = "where",
					       .type = SETTING_TABLE,
					       .table = http_target_settings },
	NDJSON_ENVELOPE("seal"), HTTP_MAX_BODY("1MiB", 64 << 20), HTTP_EXPECT,
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END };

int
ndjson_whole(struct intake *in, struct chunk *p, struct buf *body,
    struct err *err)
{
	const struct ndjson_conf *conf = in->conf;

	if (conf->envelope == NDJSON_NONE)
		return 0;
	if ((in->compress ? chunk_gzip : chunk_text)(p, body, err) != 0)
		return -1;
	return 1;
}

/* The event alone, without checkpoints. */
int
ndjson_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err)
{
	(void)in;
	if (!line->checkpoint &&
	    (buf_add(body, line->value, line->len) != 0 ||
		buf_add(body, "\n", 1) != 0))
		return err_set(err, "request: too large");
	return 0;
}

/* Panther's parsers find the vendor's records.  docs.panther.com, "HTTP
 * Source": a request has at most 1 MB with its headers, and tells by itself
 * that its stream type is Lines; nothing is said of the body of an answer. */
static const struct setting panther_settings[] = {
	{ .key = "where",
	    .type = SETTING_TABLE,
	    .table = http_target_settings },
	NDJSON_ENVELOPE("none"), HTTP_MAX_BODY("900KB", 1000000), HTTP_EXPECT,
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

static const struct http_dialect ndjson = {
	.content_type = "application/x-ndjson",
	.whole = ndjson_whole,
	.render = ndjson_render,
};

const struct output_type output_http = {
	.type.name = "http",
	.type.reach = CONFIG_REACHES_NAMED,
	.type.title = "NDJSON over HTTPS",
	.type.before = "A receiver that takes NDJSON by POST, and answers 2xx "
		       "once it has it.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct ndjson_conf),
	.type.check = http_output_check,
	.dialect = &ndjson,
	HTTP_TRANSPORT,
};

const struct output_type output_panther = {
	.type.name = "panther",
	.type.title = "Panther (HTTP source)",
	.type.before =
	    "In Panther: an HTTP source with the schemas of the vendors, and "
	    "Shared Secret\n"
	    "or Bearer as its authentication.\n",
	.type.settings = panther_settings,
	.type.conf_size = sizeof(struct ndjson_conf),
	.type.check = http_output_check,
	.dialect = &ndjson,
	HTTP_TRANSPORT,
};
