/*
 * graylog.c - GELF over HTTP, Graylog's own input.
 *
 * go2docs.graylog.org, "GELF Inputs": one message a request, or, where the
 * input has bulk receiving enabled, one a line.  An input that has not would
 * read the first message and drop the others, and nothing tells: its 202 comes
 * before anything is decoded.
 */
#include <stddef.h>

#include "base/err.h"
#include "delivery/chunk.h"
#include "outputs/gelf.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/status.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

#define GELF "/gelf"

struct graylog_conf {
	struct http_output_conf http; /* must stand first */
	bool bulk;
};

static int
graylog_open(struct intake *in, struct err *err)
{
	const struct graylog_conf *conf = in->conf;

	(void)err;
	in->state = gelf_new(in->out->agent);
	in->lines_max = conf->bulk ? 0 : 1;
	return 0;
}

static void
graylog_close(struct intake *in)
{
	gelf_free(in->state);
	in->state = NULL;
}

static int
graylog_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err)
{
	if (gelf_add(in->state, line, body) != 0)
		return err_set(err, "request: too large");
	return 0;
}

static int
graylog_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	(void)in;
	(void)err;
	intake_url(r, GELF, NULL);
	return 0;
}

static bool
graylog_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	enum verdict verdict = http_meaning(r->status)->verdict;

	if (r->status == 413)
		intake_verdict(v, r->lines, VERDICT_REFUSED,
		    "%s: answers 413: more than the input's \"Max. HTTP chunk "
		    "size\"; raise that, or lower max_body",
		    in->shown);
	else if (r->status == 401)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers 401: the input wants a header with another "
		    "value or token; check headers, bearer or basic",
		    in->shown);
	else if (verdict == VERDICT_DELIVERED && r->status != 202)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d and not 202, by which a GELF input "
		    "accepts, so nothing counts as delivered; check url",
		    in->shown, r->status);
	else
		return false;
	return true;
}

/*
 * check --live.
 */

/* An input takes whatever is posted, so nothing is: it refuses a GET, behind
 * its look at the credentials. */
static int
graylog_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	if (step > 0)
		return 1;
	r->method = "GET";
	return graylog_prepare(in, r, err);
}

static int
graylog_probed(struct intake *in, unsigned step,
    const struct intake_response *r, struct buf *message, struct err *err)
{
	const struct graylog_conf *conf = in->conf;

	(void)step;
	if (r->status != 405)
		return 1;
	(void)err;
	return buf_addf(message,
	    "a GELF input answers and accepts the credentials%s",
	    conf->bulk
		? "; bulk: true, which it has to have enabled: it would drop "
		  "all but the first message of a request, and not tell"
		: "; bulk: false, one event a request");
}

static const struct http_dialect graylog = {
	.content_type = "application/json",
	.open = graylog_open,
	.close = graylog_close,
	.render = graylog_render,
	.separator = "\n",
	.prepare = graylog_prepare,
	.judge = graylog_judge,
	.probe = graylog_probe,
	.probed = graylog_probed,
};

static const struct setting settings[] = {
	HTTP_BASE_URL("Address of the input,", GELF),
	{ .key = "login", .type = SETTING_TABLE, .table = http_login_settings },
	{ .key = "bulk",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct graylog_conf, bulk),
	    .def = "false",
	    .help = "Send many events a request, one a line. Set it only "
		    "where the input has \"Enable Bulk Receiving\": another "
		    "would drop all but the first, and not tell.",
	    .ask = "Has the input \"Enable Bulk Receiving\" (true or false)" },
	/* Graylog's own limit is 64 KiB. */
	HTTP_MAX_BODY("64KiB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_graylog = {
	.type.name = "graylog",
	.type.title = "Graylog (GELF over HTTPS)",
	.type.before = "In Graylog: an input GELF HTTP with TLS and an "
		       "authorization header; tick Enable\n"
		       "Bulk Receiving, and set Max. HTTP chunk size to the "
		       "largest event.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct graylog_conf),
	.type.check = http_output_check,
	.dialect = &graylog,
	HTTP_TRANSPORT,
};
