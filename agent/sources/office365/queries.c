/*
 * queries.c - Microsoft's audit log, asked by another way than the feeds: the
 * audit log queries of Microsoft Graph.
 *
 * A query is made, takes minutes or hours, and then has its records on pages:
 * learn.microsoft.com/graph/api/resources/security-auditlogquery.  A query that
 * has "succeeded" may have stopped at a limit, which only
 * isRecordCountLimitExceeded says.  The record's auditData is what the feeds
 * call an event, with the same Id.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/splitter.h"
#include "base/text.h"
#include "http/error_value.h"
#include "sources/common/pages.h"
#include "sources/office365/office365.h"
#include "sources/rest/pick.h"
#include "store/feed.h"
#include "store/identity.h"

/* A query shorter than that would be one too many. */
#define SPAN_LEAST CLOCK_SECOND
/* Microsoft runs at least 50 of a tenant at a time, for all applications. */
#define AT_ONCE 10
#define URL_MAX (128 * 1024)
#define BODY_MAX 2048

const struct rule office365_graph_rules[] = {
	{ .status = 403,
	    .class = REPLY_CONFIG,
	    .cause = "the application may not query the audit log",
	    .hint = "give it the application permission "
		    "AuditLogsQuery.Read.All of Microsoft Graph, with admin "
		    "consent" },
	{ .status = 404,
	    .class = REPLY_GONE,
	    .cause = "there is no such query, or no such API; check "
		     "reconcile.version and graph_url" },
	{ .status = 429,
	    .class = REPLY_THROTTLED,
	    .cause = "too many audit log queries of this tenant's "
		     "applications" },
	{ .status = 0 },
};

static bool
bounds(const void *conf, struct source_audit *out)
{
	const struct office365_conf *c = conf;

	*out = (struct source_audit){ .via = VIA_AUDIT_QUERY,
		.every = c->reconcile.every,
		.settle = c->reconcile.settle,
		.span = c->reconcile.span,
		.least = SPAN_LEAST,
		.patience = c->reconcile.patience,
		.per_day = c->reconcile.queries,
		.at_once = AT_ONCE };
	return c->reconcile.every > 0;
}

static int64_t
since(const struct source *s, struct feed *feed)
{
	const struct office365 *o = s->state;
	struct window_cursor cursor;
	char *json = feed_cursor(feed);
	const int rc = window_cursor_read(&o->windows, json, &cursor);

	free(json);
	return rc != 0 || cursor.from == 0 ? INT64_MIN : cursor.from;
}

/* Append the URL of a query, or what is below it. */
static int
query_url(const struct office365 *o, const char *query, const char *below,
    struct buf *out)
{
	return buf_adds(out, o->graph_base) != 0 || buf_adds(out, "/") != 0 ||
		text_percent(out, query) != 0 || buf_adds(out, below) != 0
	    ? -1
	    : 0;
}

/* Send q, whose reply is an object; NULL: r says why there is none. */
static json_t *
call(struct worker *w, const struct request *q, const char *what,
    struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct http_reply reply;
	json_t *top = NULL;

	http_reply_init(&reply);
	if (request_send(w, &o->graph, q, &reply, r) == REPLY_OK) {
		if (reply.body.len > 0)
			top = json_loadb(reply.body.data, reply.body.len,
			    JSON_ALLOW_NUL, NULL);
		if (!json_is_object(top)) {
			rules_unexpected(office365_graph_rules, &reply, what,
			    r);
			json_decref(top);
			top = NULL;
		}
	}
	http_reply_release(&reply);
	return top;
}

static char *
make_body(const struct source *s, const struct span *span)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	json_t *top;
	char *text;

	(void)clock_format(span->from, 0, from);
	(void)clock_format(span->to, 0, to);
	top = json_pack("{s:s+++, s:s, s:s}", "displayName", "sealfeed ",
	    s->name, " ", from, "filterStartDateTime", from,
	    "filterEndDateTime", to);
	text = json_dumps(top, JSON_COMPACT);
	json_decref(top);
	return text;
}

static enum reply_class
ask(struct worker *w, const struct span *span, char query[AUDIT_QUERY],
    struct outcome *r)
{
	const struct office365 *o = w->source->state;
	char *body = make_body(w->source, span);
	const struct request q = {
		.url = o->graph_base, .body = body, .type = "application/json"
	};
	json_t *top = call(w, &q, "the audit log query", r);
	const char *id = json_string_value(json_object_get(top, "id"));

	free(body);
	if (r->class == REPLY_GONE)
		r->class = REPLY_CONFIG;
	if (top != NULL &&
	    (id == NULL || *id == '\0' || strlen(id) >= AUDIT_QUERY))
		(void)outcome_set(r, REPLY_RETRY,
		    "the audit log query that was made has no usable id");
	else if (top != NULL)
		(void)snprintf(query, AUDIT_QUERY, "%s", id);
	json_decref(top);
	return r->class;
}

/* What a status means; one that is not known will become one that is. */
static enum audit_state
state_of(const char *status, bool exceeded)
{
	if (strcasecmp(status, "failed") == 0 ||
	    strcasecmp(status, "cancelled") == 0)
		return AUDIT_FAILED;
	if (strcasecmp(status, "succeeded") != 0)
		return AUDIT_RUNNING;
	return exceeded ? AUDIT_TRUNCATED : AUDIT_READY;
}

static enum reply_class
look(struct worker *w, const char *query, enum audit_state *state,
    struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct buf url = BUF_INIT(URL_MAX);
	struct request q = { .url = NULL };
	json_t *top = NULL;
	const char *status;

	*state = AUDIT_RUNNING;
	if (query_url(o, query, "", &url) != 0) {
		(void)outcome_set(r, REPLY_CONFIG, "graph_url: too long");
	} else {
		q.url = url.data;
		top = call(w, &q, "the audit log query", r);
	}
	status = json_string_value(json_object_get(top, "status"));
	if (top != NULL && status == NULL) {
		(void)outcome_set(r, REPLY_RETRY,
		    "the audit log query has no status");
	} else if (top != NULL) {
		*state = state_of(status,
		    json_is_true(json_object_get(top,
			"isRecordCountLimitExceeded")));
		if (*state == AUDIT_FAILED)
			(void)snprintf(r->text, sizeof(r->text),
			    "the audit log query has %.64s", status);
	}
	json_decref(top);
	buf_release(&url);
	return r->class;
}

/* -- records ----------------------------------------------------------------
 */

enum { OF_TYPE, OF_NUMBER, OF_WORKLOAD, OF_ALL };

/* Which content type has a record, by how its record type, the number of that
 * or its workload begins; the first that fits.  The API reference, "Working
 * with the Office 365 Management Activity API". */
static const struct {
	int of;
	bool whole;
	const char *begin;
	const char *stream;
} kinds[] = {
	{ OF_TYPE, false, "complianceDLP", "DLP.All" },
	{ OF_TYPE, false, "dlp", "DLP.All" },
	{ OF_NUMBER, false, "complianceDLP", "DLP.All" },
	{ OF_NUMBER, false, "dlp", "DLP.All" },
	{ OF_NUMBER, true, "11", "DLP.All" },
	{ OF_NUMBER, true, "13", "DLP.All" },
	{ OF_NUMBER, true, "33", "DLP.All" },
	{ OF_NUMBER, true, "63", "DLP.All" },
	{ OF_NUMBER, true, "107", "DLP.All" },
	{ OF_WORKLOAD, false, "AzureActiveDirectory",
	    "Audit.AzureActiveDirectory" },
	{ OF_WORKLOAD, true, "Exchange", "Audit.Exchange" },
	{ OF_WORKLOAD, true, "SharePoint", "Audit.SharePoint" },
	{ OF_WORKLOAD, true, "OneDrive", "Audit.SharePoint" },
	{ OF_TYPE, false, "azureActiveDirectory",
	    "Audit.AzureActiveDirectory" },
	{ OF_TYPE, false, "exchange", "Audit.Exchange" },
	{ OF_TYPE, false, "sharePoint", "Audit.SharePoint" },
	{ OF_TYPE, false, "oneDrive", "Audit.SharePoint" },
};

static bool
is_collected(const struct office365_conf *c, const char *stream)
{
	for (size_t i = 0; c->content[i] != NULL; i++)
		if (strcmp(c->content[i], stream) == 0)
			return true;
	return false;
}

/* The feed that should have had it; NULL: it is not collected. */
static const char *
stream_of(const struct office365_conf *c, const struct slice what[OF_ALL])
{
	const char *stream = "Audit.General";
	bool known = false;

	for (size_t i = 0; i < OF_ALL; i++)
		known = known || what[i].len > 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct slice *s = &what[kinds[i].of];
		const size_t len = strlen(kinds[i].begin);

		if (s->data == NULL || s->len < len ||
		    (kinds[i].whole && s->len != len) ||
		    strncasecmp(s->data, kinds[i].begin, len) != 0)
			continue;
		stream = kinds[i].stream;
		break;
	}
	if (is_collected(c, stream))
		return stream;
	/* Nothing is lost for want of a name. */
	return known ? NULL : c->content[0];
}

struct reading {
	struct worker *w;
	struct splitter *splitter;
	audit_take_fn *take;
	void *ctx;
	struct buf text; /* of an auditData that is a string */
	size_t rows;     /* of this page */
};

/* The bytes of auditData, if they are an object: as it stands, or in a string.
 */
static struct slice
audit_data(struct reading *d, struct slice record)
{
	struct slice data = pick_raw(record, "/auditData");
	const struct slice none = { NULL, 0 };
	json_t *text;

	if (data.data == NULL || data.len == 0 || *data.data == '{')
		return data;
	text = json_loadb(data.data, data.len, JSON_DECODE_ANY, NULL);
	buf_clear(&d->text);
	if (json_is_string(text) &&
	    buf_add(&d->text, json_string_value(text),
		json_string_length(text)) != 0)
		buf_clear(&d->text);
	json_decref(text);
	data = (struct slice){ d->text.data, d->text.len };
	/* An event is one line. */
	if (data.len == 0 || *data.data != '{' || !pick_whole(data) ||
	    memchr(data.data, '\n', data.len) != NULL ||
	    memchr(data.data, '\r', data.len) != NULL)
		return none;
	return data;
}

static int64_t
time_of(struct slice text)
{
	int64_t when;

	return text.data != NULL && clock_parse(text.data, text.len, &when) == 0
	    ? when
	    : INT64_MIN;
}

/* splitter_fn: one record. */
static int
take_record(void *ctx, const struct element *el, struct err *err)
{
	struct reading *d = ctx;
	const struct slice record = { el->data, el->len };
	struct slice data = { NULL, 0 }, what[OF_ALL];
	struct audit_record a = { .event = record, .when = INT64_MIN };

	d->rows++;
	/* What cannot be read is counted, and the others go on. */
	if (el->data == NULL || el->bad != NULL || *el->data != '{') {
		a.event = data;
		return d->take(d->ctx, &a, err);
	}
	data = audit_data(d, record);
	a.id = pick(data, "/Id");
	if (identity_named(a.id)) {
		a.event = data;
		a.when = time_of(pick(data, "/CreationTime"));
	} else {
		a.id = pick(record, "/id");
		if (!identity_named(a.id))
			a.id = (struct slice){ NULL, 0 };
	}
	if (a.when == INT64_MIN)
		a.when = time_of(pick(record, "/createdDateTime"));
	what[OF_TYPE] = pick(record, "/auditLogRecordType");
	what[OF_NUMBER] = pick(data, "/RecordType");
	what[OF_WORKLOAD] = pick(data, "/Workload");
	if (what[OF_WORKLOAD].len == 0)
		what[OF_WORKLOAD] = pick(record, "/service");
	a.stream = stream_of(d->w->source->conf, what);
	return d->take(d->ctx, &a, err);
}

/* http_take_fn */
static int
take_page(void *ctx, const char *data, size_t len, struct err *err)
{
	struct reading *d = ctx;

	return splitter_push(d->splitter, data, len, err);
}

/* Does an error stand beside the records? */
static bool
has_failed(const struct reading *d, const struct http_reply *reply,
    struct outcome *r)
{
	const struct office365 *o = d->w->source->state;
	bool has = false;

	for (size_t i = 0; !has && error_places[i] != NULL; i++) {
		const struct slice v = splitter_value(d->splitter, 1 + i);

		has = v.data != NULL &&
		    rules_beside(o->graph.rules, reply, v.data, v.len, r);
	}
	return has;
}

/* pages.get */
static enum reply_class
get_page(void *ctx, struct page *page, struct outcome *r)
{
	struct reading *d = ctx;
	const struct office365 *o = d->w->source->state;
	const struct request q = { .url = page->link,
		.what = "@odata.nextLink",
		.take = take_page,
		.objects = true,
		.ctx = d };
	struct http_reply reply;
	struct err err = ERR_INIT;

	splitter_reset(d->splitter);
	d->rows = 0;
	http_reply_init(&reply);
	if (request_send(d->w, &o->graph, &q, &reply, r) == REPLY_OK) {
		if (splitter_end(d->splitter, &err) != 0)
			(void)outcome_unread(r, "the page of records",
			    err.text);
		else if (has_failed(d, &reply, r))
			r->class = REPLY_RETRY;
		else if (pages_token(splitter_value(d->splitter, 0),
			     page->next) != 0)
			(void)outcome_set(r, REPLY_RETRY,
			    "@odata.nextLink is no URL, or too long");
		else if (page->next->len > 0)
			(void)request_allowed(&o->graph, "@odata.nextLink",
			    page->next->data, r);
	}
	page->rows = d->rows;
	http_reply_release(&reply);
	return r->class;
}

static enum reply_class
read_records(struct worker *w, const char *query, audit_take_fn *take,
    void *ctx, struct outcome *r)
{
	static const char *const arrays[] = { "/value", NULL };
	static const char *const values[] = { "/@odata.nextLink", NULL };
	static const struct splitter_spec spec = { .arrays = arrays,
		.values = values,
		.asides = error_places,
		.max = EVENT_MAX,
		.pass_longer = true,
		.repairs = true };
	const struct office365 *o = w->source->state;
	struct reading d = {
		.w = w, .take = take, .ctx = ctx, .text = BUF_INIT(EVENT_MAX)
	};
	const struct pages pages = { .get = get_page,
		.ctx = &d,
		.what = "the list of records",
		.next_name = "@odata.nextLink" };
	struct buf first = BUF_INIT(URL_MAX);

	d.splitter = splitter_new(&spec, take_record, &d);
	if (query_url(o, query, "/records", &first) != 0)
		(void)outcome_set(r, REPLY_CONFIG, "graph_url: too long");
	else
		(void)pages_follow(w, w->stream, &pages, first.data, r);
	splitter_free(d.splitter);
	buf_release(&d.text);
	buf_release(&first);
	return r->class;
}

const struct audit_calls office365_audit = {
	.bounds = bounds,
	.since = since,
	.ask = ask,
	.look = look,
	.read = read_records,
};
