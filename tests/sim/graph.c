/*
 * graph.c - the audit log queries of Microsoft Graph, over the same events as
 * the feeds: POST …/security/auditLog/queries makes one, which takes its time;
 * GET …/{id} says how it is, GET …/{id}/records has its records on pages.
 */
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/sim/content.h"
#include "tests/sim/request.h"

#define PATH "/security/auditLog/queries"

struct query {
	char id[40];
	char from[32], to[32]; /* as they were asked for, to the second */
	int64_t made;          /* sim_ticks() */
	bool fails;
};

struct record {
	const char *line; /* of the ledger */
	size_t len;
	enum content content;
};

/* What a query finds, all of it. */
struct found {
	struct record *record;
	size_t n, room;
	char *ledger[CONTENTS];
};

static void
found_release(struct found *f)
{
	for (int c = 0; c < CONTENTS; c++)
		free(f->ledger[c]);
	free(f->record);
}

/* The text of a member of a line, up to the quote. */
static bool
member(const char *line, size_t len, const char *mark, char *out, size_t size)
{
	const char *p = memmem(line, len, mark, strlen(mark));

	if (p == NULL)
		return false;
	p += strlen(mark);
	(void)snprintf(out, size, "%.*s", (int)strcspn(p, "\""), p);
	return true;
}

static void
find_in(struct sim *s, const struct query *q, enum content c, struct found *f)
{
	const size_t len = (size_t)s->feed[c].ledger_end;
	size_t hidden = c == CONTENT_SHAREPOINT ? (size_t)s->graph.hidden : 0;
	char *text = f->ledger[c] = xcalloc(1, len + 1);

	if (pread(s->feed[c].ledger, text, len, 0) != (ssize_t)len)
		sim_die("a ledger can't be read");
	for (char *p = text, *end; p < text + len; p = end + 1) {
		char when[32];

		end = memchr(p, '\n', (size_t)(text + len - p));
		if (hidden > 0) {
			hidden--;
			continue;
		}
		if (!member(p, (size_t)(end - p), "\"CreationTime\":\"", when,
			20) ||
		    strncmp(when, q->from, 19) < 0 ||
		    strncmp(when, q->to, 19) >= 0)
			continue;
		if (f->n == f->room) {
			f->room = 2 * f->room + 256;
			f->record = xreallocarray(f->record, f->room,
			    sizeof(f->record[0]));
		}
		f->record[f->n++] = (struct record){
			.line = p, .len = (size_t)(end - p), .content = c
		};
	}
}

static void
find_all(struct sim *s, const struct query *q, struct found *f)
{
	*f = (struct found){ .n = 0 };
	for (int c = 0; c < CONTENTS; c++)
		find_in(s, q, (enum content)c, f);
}

static void
refuse(struct reply *r, int status, const char *code, const char *message)
{
	r->status = status;
	reply_printf(r,
	    "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"innerError\":"
	    "{\"date\":\"2026-11-22T04:00:00\",\"request-id\":\"0\"}}}",
	    code, message);
}

/* A fault that was asked for, one time less. */
static bool
strikes(int64_t *left)
{
	if (*left > 0)
		(*left)--;
	else
		return false;
	return true;
}

static struct query *
find_query(struct sim *s, const char *id, size_t len)
{
	for (size_t i = 0; i < s->graph.n; i++)
		if (strlen(s->graph.query[i].id) == len &&
		    strncmp(s->graph.query[i].id, id, len) == 0)
			return &s->graph.query[i];
	return NULL;
}

static void
describe(struct sim *s, const struct query *q, struct reply *r)
{
	const int64_t took = sim_ticks() - q->made;
	struct found f;
	size_t n;

	find_all(s, q, &f);
	n = f.n;
	found_release(&f);
	reply_printf(r,
	    "{\"@odata.context\":\"x\",\"id\":\"%s\",\"displayName\":\"q\","
	    "\"filterStartDateTime\":\"%sZ\",\"filterEndDateTime\":\"%sZ\","
	    "\"status\":\"%s\",\"isRecordCountLimitExceeded\":%s}",
	    q->id, q->from, q->to,
	    took < s->graph.time / 3   ? "notStarted"
		: took < s->graph.time ? "running"
		: q->fails             ? "failed"
				       : "succeeded",
	    took >= s->graph.time && !q->fails && s->graph.limit > 0 &&
		    n > (size_t)s->graph.limit
		? "true"
		: "false");
}

static void
make(struct request *rq, struct reply *r)
{
	struct sim *s = rq->sim;
	struct query *q;
	const char *body = rq->upload.len > 0 ? rq->upload.data : "";

	s->stat[STAT_QUERIES]++;
	s->graph.query = xreallocarray(s->graph.query, s->graph.n + 1,
	    sizeof(s->graph.query[0]));
	q = &s->graph.query[s->graph.n];
	*q = (struct query){ .made = sim_ticks(),
		.fails = strikes(&s->graph.failing) };
	if (!member(body, rq->upload.len, "\"filterStartDateTime\":\"", q->from,
		20) ||
	    !member(body, rq->upload.len, "\"filterEndDateTime\":\"", q->to,
		20) ||
	    strcmp(q->from, q->to) >= 0) {
		refuse(r, 400, "BadRequest", "the times are not valid");
		return;
	}
	(void)snprintf(q->id, sizeof(q->id), "168ec429-%04x-4b5e-8c8e-%012zx",
	    (unsigned)rng_below(&s->rng, 65536), ++s->graph.n);
	r->status = 201;
	describe(s, q, r);
}

static void
add_record(struct reply *r, const struct record *e, bool first)
{
	static const char *const types[CONTENTS] = {
		[CONTENT_AAD] = "azureActiveDirectory",
		[CONTENT_EXCHANGE] = "exchangeItem",
		[CONTENT_SHAREPOINT] = "sharePointFileOperation",
		[CONTENT_GENERAL] = "microsoftTeams",
		[CONTENT_DLP] = "complianceDLPSharePoint",
	};
	char id[64], when[32];

	(void)member(e->line, e->len, "\"Id\":\"", id, sizeof(id));
	(void)member(e->line, e->len, "\"CreationTime\":\"", when, 20);
	reply_printf(r,
	    "%s{\"id\":\"%s\",\"createdDateTime\":\"%sZ\","
	    "\"auditLogRecordType\":\"%s\",\"administrativeUnits\":[],"
	    "\"auditData\":%.*s}",
	    first ? "" : ",", id, when, types[e->content], (int)e->len,
	    e->line);
}

static void
list(struct request *rq, const struct query *q, struct reply *r)
{
	struct sim *s = rq->sim;
	const char *skip = request_argument(rq, "$skiptoken");
	size_t at = skip == NULL ? 0 : (size_t)strtoull(skip, NULL, 10);
	size_t n = 0;
	struct found f;
	char host[300];

	(void)snprintf(host, sizeof(host), "%s://%s",
	    s->opt.key != NULL ? "https" : "http", rq->host);
	if (strikes(&s->graph.foreign))
		(void)snprintf(host, sizeof(host), "http://127.0.0.1:%u/api",
		    (unsigned)s->control_port);
	s->stat[STAT_RECORD_PAGES]++;
	find_all(s, q, &f);
	reply_printf(r, "{\"@odata.context\":\"x\",\"value\":[");
	for (; at < f.n && n < (size_t)s->opt.page; at++, n++)
		add_record(r, &f.record[at], n == 0);
	reply_printf(r, "]");
	if (at < f.n)
		reply_printf(r,
		    ",\"@odata.nextLink\":\"%s/v1.0" PATH
		    "/%s/records?$skiptoken=%zu\"",
		    host, q->id, at);
	reply_printf(r, "}");
	found_release(&f);
}

bool
graph_is_asked(const struct request *rq)
{
	return strstr(rq->url, PATH) != NULL;
}

/* Under the lock. */
static void
serve(struct request *rq, struct reply *r)
{
	struct sim *s = rq->sim;
	const char *rest = strstr(rq->url, PATH) + strlen(PATH);
	const struct query *q = NULL;
	size_t len;

	rest += *rest == '/';
	len = strcspn(rest, "/");
	if (*rest != '\0')
		q = find_query(s, rest, len);
	if (s->graph.denied) {
		refuse(r, 403, "UnknownError",
		    "Authentication_RequestFromUnsupportedUserRole");
	} else if (strikes(&s->graph.throttled)) {
		reply_header(r, "Retry-After", "1");
		refuse(r, 429, "TooManyRequests", "too many queries");
	} else if (*rest == '\0' && strcmp(rq->method, "POST") == 0) {
		make(rq, r);
	} else if (q == NULL) {
		refuse(r, 404, "ResourceNotFound", "no such query");
	} else if (rest[len] == '\0') {
		s->stat[STAT_QUERY_LOOKS]++;
		describe(s, q, r);
	} else if (sim_ticks() - q->made < s->graph.time) {
		refuse(r, 400, "BadRequest", "the query is not complete");
	} else {
		list(rq, q, r);
	}
}

void
graph_answer(struct request *rq, struct reply *r)
{
	r->status = 200;
	r->type = "application/json";
	if (!login_check(rq)) {
		sim_count(rq->sim, STAT_UNAUTHORIZED, 1);
		refuse(r, 401, "InvalidAuthenticationToken",
		    "Access token is empty.");
		return;
	}
	(void)pthread_mutex_lock(&rq->sim->lock);
	serve(rq, r);
	(void)pthread_mutex_unlock(&rq->sim->lock);
}
