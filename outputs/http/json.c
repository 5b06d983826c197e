/*
 * json.c - lines as one JSON array a request, for receivers that do not read
 * NDJSON.
 */
#include <stddef.h>

#include "base/err.h"
#include "base/json_valid.h"
#include "base/text.h"
#include "delivery/chunk.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"
#include "store/line.h"

static const struct setting settings[] = { { .key = "where",
					       .type = SETTING_TABLE,
					       .table = http_target_settings },
	HTTP_MAX_BODY("1MiB", 64 << 20), HTTP_EXPECT,
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END };

/* Its input http answers "ok" to what it has taken, and with response_code 204
 * nothing (logstash-input-http, MessageProcessor.java). */
static const struct setting logstash_settings[] = {
	{ .key = "where",
	    .type = SETTING_TABLE,
	    .table = http_target_settings },
	HTTP_MAX_BODY("1MiB", 64 << 20),
	{ .key = "expect",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct http_output_conf, expect),
	    .def = "^(ok)?$",
	    .help = "Regular expression (extended, regex(7)) for the body of "
		    "each answer that counts as a receipt." },
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

/* What is not JSON would spoil the array: it goes as a string. */
static int
add_value(struct buf *body, const struct chunk_line *line, const char *agent)
{
	const struct line_name name = { agent, line->feed, line->via };
	const enum line_kind kind =
	    line->checkpoint ? LINE_CHECKPOINT : LINE_EVENT;
	struct buf text = BUF_INIT(6 * line->len + 2);
	int rc;

	if (json_valid(line->value, line->len))
		return line_add(body, kind, name, line->number, line->value,
		    line->len);
	rc = text_json_string(&text, line->value, line->len);
	if (rc == 0)
		rc = line_add(body, kind, name, line->number, text.data,
		    text.len);
	buf_release(&text);
	return rc;
}

static int
render(struct intake *in, const struct chunk_line *line, struct buf *body,
    struct err *err)
{
	if (add_value(body, line, in->out->agent) != 0)
		return err_set(err, "request: too large");
	return 0;
}

/* An array of none: nothing at all would be an event that cannot be read. */
static int
probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	(void)in;
	if (step > 0)
		return 1;
	return buf_adds(&r->body, "[]") == 0
	    ? 0
	    : err_set(err, "request: too large");
}

static const struct http_dialect json = {
	.content_type = "application/json",
	.prefix = "[",
	.separator = ",",
	.suffix = "]",
	.render = render,
	.probe = probe,
};

const struct output_type output_http_json = {
	.type.name = "http-json",
	.type.reach = CONFIG_REACHES_NAMED,
	.type.title = "a JSON array over HTTPS",
	.type.before = "A receiver that takes a JSON array by POST, and "
		       "answers 2xx once it has it.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct http_output_conf),
	.type.check = http_output_check,
	.dialect = &json,
	HTTP_TRANSPORT,
};

/* Logstash's input http reads an array by its codec for application/json. */
const struct output_type output_logstash = {
	.type.name = "logstash",
	.type.title = "Logstash (input http)",
	.type.before = "In Logstash: an input http with TLS, and a user and "
		       "password, or a client\n"
		       "certificate that it demands.\n",
	.type.settings = logstash_settings,
	.type.conf_size = sizeof(struct http_output_conf),
	.type.check = http_output_check,
	.dialect = &json,
	HTTP_TRANSPORT,
};
