/*
 * intake_elasticsearch.c - the bulk API of Elasticsearch in front of data
 * streams, as elastic.co/docs ("Bulk index or delete documents", "Data
 * streams") describes it.
 *
 * The body is NDJSON of actions and documents whose last line ends in LF; no
 * chunked transfer.  A data stream takes only "create", and documents with
 * "@timestamp"; an id that is there is a conflict (409).  A document with a key
 * twice is refused (strict duplicate detection).  Each item has a result, in
 * their order.
 *
 * Options: token, the API key; max, bytes of a body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

/* Ids that are stored, of one receiver. */
struct ids {
	char **list;
	size_t n, size; /* a table of open addressing */
};

static size_t
slot_of(const struct ids *s, const char *id)
{
	size_t h = 5381;

	for (const char *p = id; *p != '\0'; p++)
		h = h * 33 + (unsigned char)*p;
	h %= s->size;
	while (s->list[h] != NULL && strcmp(s->list[h], id) != 0)
		h = (h + 1) % s->size;
	return h;
}

/* false: it is there already. */
static bool
add_id(struct ids *s, const char *id)
{
	struct ids old = *s;
	size_t at;

	if (2 * s->n >= s->size) {
		s->size = s->size == 0 ? 4096 : 2 * s->size;
		s->list = xcalloc(s->size, sizeof(*s->list));
		for (size_t i = 0; i < old.size; i++)
			if (old.list[i] != NULL)
				s->list[slot_of(s, old.list[i])] = old.list[i];
		free(old.list);
	}
	at = slot_of(s, id);
	if (s->list[at] != NULL)
		return false;
	s->list[at] = xstrdup(id);
	s->n++;
	return true;
}

static void
answer_error(struct call *c, unsigned status, const char *type,
    const char *reason)
{
	reply_text(c, status,
	    "{\"error\":{\"root_cause\":[{\"type\":\"%s\",\"reason\":\"%s\"}],"
	    "\"type\":\"%s\",\"reason\":\"%s\"},\"status\":%u}",
	    type, reason, type, reason, status);
}

static bool
authorized(struct call *c)
{
	char *token = place_option(c->place, "token", "abc");
	char *want = xasprintf("ApiKey %s", token);
	bool good = strcmp(recv_header(c->rq, "Authorization"), want) == 0;

	if (!good)
		answer_error(c, 401, "security_exception",
		    "unable to authenticate with provided credentials, token");
	free(token);
	free(want);
	return good;
}

/*
 * Items.
 */

/* What is wrong with a document, as type and reason; NULL: nothing. */
static const char *
fault_of(const struct call *c, const json_t *action, const char *kind,
    const json_t *doc, const char *text, size_t len, const char **reason)
{
	const char *index =
	    json_string_value(json_object_get(action, "_index"));
	const json_t *when = json_object_get(doc, "@timestamp");

	if (index == NULL || strncmp(index, "logs-", 5) != 0) {
		*reason = "no matching index template found for data stream";
		return "illegal_argument_exception";
	}
	if (strcmp(kind, "create") != 0) {
		*reason = "only write ops with an op_type of create are "
			  "allowed in data streams";
		return "illegal_argument_exception";
	}
	if (!json_is_object(doc) || is_poison(c, text, len)) {
		*reason = "failed to parse field [o365audit.Id] of type [long]";
		return "document_parsing_exception";
	}
	if (!json_is_string(when)) {
		*reason = "data stream timestamp field [@timestamp] is missing";
		return "document_parsing_exception";
	}
	return NULL;
}

/* Event and place out of the document. */
static void
store(struct call *c, const json_t *doc)
{
	const json_t *own = json_object_get(doc, "sealfeed");
	const json_t *text =
	    json_object_get(json_object_get(doc, "event"), "original");
	const char *feed = json_string_value(json_object_get(own, "feed"));
	const char *agent = json_string_value(json_object_get(own, "agent"));
	const json_t *index = json_object_get(own, "index");

	if (feed == NULL || agent == NULL || !json_is_string(text))
		recv_die("no event of sealfeed");
	if (index == NULL)
		place_store_line(c, json_string_value(text),
		    json_string_length(text));
	else
		place_store(c, feed, agent,
		    (unsigned long long)json_number_value(index),
		    json_string_value(text), json_string_length(text));
}

static unsigned
judge(struct call *c, const json_t *action, const char *kind, const char *text,
    size_t len, size_t n, const char **type, const char **reason)
{
	const char *id = json_string_value(json_object_get(action, "_id"));
	json_t *doc = json_loadb(text, len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	unsigned status = 201;

	if (doc == NULL) /* numbers that only jansson does not take */
		doc = json_loadb(text, len,
		    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL |
			JSON_DECODE_INT_AS_REAL,
		    NULL);
	*type = fault_of(c, action, kind, doc, text, len, reason);
	if (*type != NULL) {
		status = 400;
	} else if (c->fault == PARTIAL && n % 2 == 1) {
		status = 429;
		*type = "es_rejected_execution_exception";
		*reason = "rejected execution of coordinating operation";
	} else if (id == NULL || strlen(id) > 512) {
		status = 400;
		*type = "illegal_argument_exception";
		*reason = "id is too long";
	} else if (!add_id(c->place->state, id)) {
		status = 409;
		*type = "version_conflict_engine_exception";
		*reason = "document already exists";
	} else {
		store(c, doc);
	}
	json_decref(doc);
	return status;
}

/* One action with its document; *at moves behind them.  -1: they are none. */
static int
take_item(struct call *c, const char **at, size_t n, struct buf *out)
{
	const char *end = c->body->data + c->body->len;
	const char *lf = memchr(*at, '\n', (size_t)(end - *at)), *next;
	const char *type = NULL, *reason = NULL;
	json_t *top = json_loadb(*at, (size_t)(lf - *at), 0, NULL);
	void *iter = json_object_iter(top);
	const char *kind = iter == NULL ? "" : json_object_iter_key(iter);
	unsigned status;
	int rc = -1;

	next =
	    lf + 1 < end ? memchr(lf + 1, '\n', (size_t)(end - lf - 1)) : NULL;
	if (iter != NULL && json_object_size(top) == 1 && next != NULL) {
		status = judge(c, json_object_iter_value(iter), kind, lf + 1,
		    (size_t)(next - lf - 1), n, &type, &reason);
		rc = buf_addf(out, "%s{\"%s\":{\"status\":%u",
		    n == 0 ? "" : ",", kind, status);
		if (rc == 0 && type != NULL)
			rc = buf_addf(out,
			    ",\"error\":{\"type\":\"%s\",\"reason\":\"%s\"}",
			    type, reason);
		if (rc == 0)
			rc = buf_adds(out, "}}");
		*at = next + 1;
	}
	json_decref(top);
	return rc;
}

static void
take_bulk(struct call *c)
{
	struct buf items = BUF_INIT(RECV_BODY_MAX);
	const char *at = c->body->data, *end = at + c->body->len;

	for (size_t n = 0; at < end; n++)
		if (take_item(c, &at, n, &items) != 0) {
			answer_error(c, 400, "illegal_argument_exception",
			    "Malformed action/metadata line");
			buf_release(&items);
			return;
		}
	free(c->reply->text);
	c->reply->status = 200;
	c->reply->text = xasprintf("{\"errors\":%s,\"items\":[%s]}",
	    strstr(items.data, "error") == NULL ? "false" : "true", items.data);
	buf_release(&items);
}

static void
bulk(struct call *c)
{
	const char *type = recv_header(c->rq, "Content-Type");
	char *max = place_option(c->place, "max", "104857600");

	if (strncmp(type, "application/x-ndjson", 20) != 0 &&
	    strncmp(type, "application/json", 16) != 0)
		answer_error(c, 406, "media_type_header_exception",
		    "Content-Type header is not supported");
	else if (recv_header(c->rq, "Transfer-Encoding")[0] != '\0')
		answer_error(c, 400, "illegal_argument_exception", "chunked");
	else if (c->rq->body.len > strtoull(max, NULL, 10))
		reply_page(c, 413, "413 Request Entity Too Large");
	else if (c->body->len == 0 ||
	    strspn(c->body->data, "\r\n") == c->body->len)
		answer_error(c, 400, "parse_exception",
		    "request body is required");
	else if (c->body->data[c->body->len - 1] != '\n')
		answer_error(c, 400, "illegal_argument_exception",
		    "The bulk request must be terminated by a newline");
	else
		take_bulk(c);
	free(max);
}

static void
take(struct call *c)
{
	size_t n = strlen(c->path);

	if (c->place->state == NULL)
		c->place->state = xcalloc(1, sizeof(struct ids));
	if (!authorized(c))
		;
	else if (strcmp(c->path, "/") == 0 || n == 0)
		reply_text(c, 200,
		    "{\"name\":\"a\",\"cluster_name\":\"siem\",\"version\":{"
		    "\"number\":\"8.19.0\"},\"tagline\":\"You Know, for "
		    "Search\"}");
	else if (strcmp(c->path, "/_security/user/_has_privileges") == 0)
		reply_text(c, 200, "{\"has_all_requested\":true}");
	else if (n < 6 || strcmp(c->path + n - 6, "/_bulk") != 0)
		answer_error(c, 404, "index_not_found_exception",
		    "no such index");
	else if (strcmp(c->rq->method, "POST") != 0 &&
	    strcmp(c->rq->method, "PUT") != 0)
		answer_error(c, 405, "method", "Incorrect HTTP method");
	else
		bulk(c);
}

const struct intake_kind intake_elasticsearch = { .name = "elasticsearch",
	.take = take };
