/*
 * sumologic.c - HTTP sources of Sumo Logic.
 *
 * help.sumologic.com, "HTTP Logs and Metrics Source", "Upload Data to an HTTP
 * Source", "Troubleshooting HTTP Sources": lines of UTF-8, at most 1 MB before
 * compression, 200.  What is said of lines is said in headers, of all of a
 * request.  The address of a source is a secret, since whoever knows it may
 * write: no text has more of it than its host.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "delivery/chunk.h"
#include "http/access.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/exchange.h"
#include "outputs/http/ndjson.h"
#include "outputs/http/status.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

#define URL_MAX 8192
#define FIELDS_MAX 8192

#define NO_ADDRESS "is no https:// address; copy that of the HTTP source"

struct sumo_conf {
	struct ndjson_conf lines; /* must stand first */
	char *name;
	char *host;
	char *category;
	struct setting_pair *fields;
	int coding;
};

enum { CODING_GZIP, CODING_DEFLATE };

struct sumo {
	char *url; /* a secret */
	struct buf shown;
	struct buf fields; /* "k=v,k=v" */
	bool read;         /* url is what the file has now */
	bool deflates;     /* prepare() packs */
};

/*
 * Opening.
 */

static void
sumo_close(struct intake *in)
{
	struct sumo *s = in->state;

	secret_free(s->url);
	buf_release(&s->shown);
	buf_release(&s->fields);
	free(s);
	in->state = NULL;
}

/* What the address is, and the part of it that others may see; a bad one leaves
 * what was before. */
static int
read_url(struct intake *in, struct err *err)
{
	const struct http_output_conf *conf = in->conf;
	struct sumo *s = in->state;
	struct buf shown = BUF_INIT(URL_MAX);
	char *url = secret_resolve(conf->url, err);

	if (url == NULL)
		return err_prefix(err, "url");
	/* Whatever is wrong with it, the sentence would have the address. */
	if (strlen(url) > URL_MAX || http_url_check("url", url, err) != 0 ||
	    http_origin(url, &shown, err) != 0) {
		secret_free(url);
		buf_release(&shown);
		return err_set(err, "url: " NO_ADDRESS);
	}
	secret_free(s->url);
	s->url = url;
	buf_release(&s->shown);
	s->shown = shown;
	in->shown = s->shown.data;
	s->read = true;
	return 0;
}

static int
add_field(struct buf *b, const struct setting_pair *field, struct err *err)
{
	char *value = secret_resolve(field->value, err);
	int rc;

	if (value == NULL)
		return err_prefix(err, "fields.%s", field->name);
	rc = buf_addf(b, "%s%s=%s", b->len == 0 ? "" : ",", field->name, value);
	secret_free(value);
	return rc == 0 ? 0 : err_set(err, "fields: too long");
}

static int
sumo_open(struct intake *in, struct err *err)
{
	const struct sumo_conf *conf = in->conf;
	const struct setting_pair *f = conf->fields;
	struct sumo *s = xcalloc(1, sizeof(*s));
	int rc;

	in->state = s;
	s->deflates = in->compress && conf->coding == CODING_DEFLATE;
	if (s->deflates)
		in->compress = false;
	buf_init(&s->fields, FIELDS_MAX);
	rc = read_url(in, err);
	for (; rc == 0 && f != NULL && f->name != NULL; f++)
		rc = add_field(&s->fields, f, err);
	if (rc != 0)
		sumo_close(in);
	return rc;
}

/* The address was made anew, and is in the file. */
static void
sumo_renew(struct intake *in)
{
	((struct sumo *)in->state)->read = false;
}

/*
 * Requests.
 */

/* What HTTP calls deflate: the format of zlib (RFC 9110 section 8.4.1.2). */
static int
deflate_body(struct intake_request *r, struct err *err)
{
	struct buf packed = BUF_INIT(EXCHANGE_BODY_MAX);
	uLongf len = compressBound(r->body.len);
	char *room = buf_room(&packed, len);

	if (room == NULL ||
	    compress2((Bytef *)room, &len,
		(const Bytef *)(r->body.data == NULL ? "" : r->body.data),
		r->body.len, Z_BEST_SPEED) != Z_OK) {
		buf_release(&packed);
		return err_set(err, "request: cannot be packed");
	}
	packed.len = len;
	buf_release(&r->body);
	r->body = packed;
	intake_header(r, "Content-Encoding", "deflate");
	return 0;
}

static int
sumo_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct sumo_conf *conf = in->conf;
	struct sumo *s = in->state;

	if (!s->read && read_url(in, err) != 0)
		return -1;
	buf_clear(&r->url);
	if (buf_adds(&r->url, s->url) != 0)
		r->failed = true;
	intake_header(r, "X-Sumo-Host",
	    conf->host == NULL ? in->out->agent : conf->host);
	if (conf->name != NULL)
		intake_header(r, "X-Sumo-Name", conf->name);
	if (conf->category != NULL)
		intake_header(r, "X-Sumo-Category", conf->category);
	if (s->fields.len > 0)
		intake_header(r, "X-Sumo-Fields", s->fields.data);
	return s->deflates ? deflate_body(r, err) : 0;
}

/*
 * Answers.
 */

static bool
sumo_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	enum verdict verdict = http_meaning(r->status)->verdict;

	if (r->status == 401 || r->status == 404)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d: it does not know the token that url ends "
		    "with; copy the address of the HTTP source anew",
		    in->shown, r->status);
	else if (r->status >= 300 && r->status < 400)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d: the organisation is in another "
		    "deployment; "
		    "copy the address of the HTTP source anew",
		    in->shown, r->status);
	else if (verdict == VERDICT_DELIVERED && r->status != 200)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d and not 200, by which Sumo Logic receives, "
		    "so nothing counts as delivered; check url",
		    in->shown, r->status);
	else
		return false;
	return true;
}

/*
 * check --live.
 */

/* No lines. */
static int
sumo_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	return step > 0 ? 1 : sumo_prepare(in, r, err);
}

/*
 * Options.
 */

/* An address that stands in a file is looked at when it is read; no sentence
 * has it. */
static void
sumo_check(const void *conf, const struct config_section *b)
{
	struct http_output_conf c = *(const struct http_output_conf *)conf;
	const char *url = c.url;
	struct err err = ERR_INIT;

	c.url = NULL;
	http_output_check(&c, b);
	if (url != NULL && strstr(url, "${") == NULL &&
	    http_url_check("url", url, &err) != 0)
		config_error(b, "url: " NO_ADDRESS);
}

static const struct http_dialect sumo = {
	.content_type = "text/plain; charset=utf-8",
	.open = sumo_open,
	.close = sumo_close,
	.whole = ndjson_whole,
	.render = ndjson_render,
	.prepare = sumo_prepare,
	.judge = sumo_judge,
	.renew = sumo_renew,
	.probe = sumo_probe,
};

static const char *const codings[] = { "gzip", "deflate", NULL };

#define OFFSET(member) offsetof(struct sumo_conf, member)

static const struct setting settings[] = {
	{ .key = "url",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(lines.http.url),
	    .required = true,
	    .help = "Address of the HTTP source, https://…/receiver/v1/http/…; "
		    "whoever knows it may write." },
	NDJSON_ENVELOPE("none"),
	{ .key = "category",
	    .type = SETTING_STRING,
	    .offset = OFFSET(category),
	    .help = "Source category, for X-Sumo-Category. Default: that of "
		    "the source." },
	{ .key = "name",
	    .type = SETTING_STRING,
	    .offset = OFFSET(name),
	    .help = "Source name, for X-Sumo-Name. Default: that of the "
		    "source." },
	{ .key = "host",
	    .type = SETTING_STRING,
	    .offset = OFFSET(host),
	    .help = "Source host, for X-Sumo-Host. Default: the agent's "
		    "name." },
	{ .key = "fields",
	    .type = SETTING_SECRETS,
	    .offset = OFFSET(fields),
	    .help = "Fields of all lines, for X-Sumo-Fields, a map of names to "
		    "values." },
	{ .key = "coding",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(coding),
	    .def = "gzip",
	    .choices = codings,
	    .help = "How requests are packed where compress is set." },
	HTTP_HEADERS, HTTP_MAX_BODY("1MB", 1000000),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_sumologic = {
	.type.name = "sumologic",
	.type.title = "Sumo Logic",
	.type.before = "In Sumo Logic: a hosted collector with a source HTTP "
		       "Logs & Metrics, Multiline\n"
		       "Processing and One Message Per Request off. Its "
		       "address is a secret.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct sumo_conf),
	.type.check = sumo_check,
	.dialect = &sumo,
	HTTP_TRANSPORT,
};
