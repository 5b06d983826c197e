/*
 * intake_loki.c - Loki's push API, as grafana.com/docs/loki describes it: "Loki
 * HTTP API, Ingest logs", "Request validation and rate limit errors" with its
 * texts, and the defaults of limits_config.
 *
 * JSON with streams of string labels (at most 15), and of entries: a decimal
 * string of nanoseconds, the line, structured metadata of strings.  Refused
 * with 400, while the other entries are kept: older than a week, ten minutes
 * ahead, behind the newest of the stream by half of max_chunk_age, over 256
 * KiB.
 *
 * Options: token, for Authorization: Bearer; tenant, that has to be named;
 * behind, seconds (3600); plain, "1": no structured metadata.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/recv/intake.h"

#define LABELS_MAX 15
#define LINE_MAX_BYTES 262144

struct stream {
	struct stream *next;
	char *labels;
	long long newest; /* ns */
};

static struct stream *
stream_of(struct place *p, const json_t *labels)
{
	char *text = json_dumps(labels, JSON_SORT_KEYS);
	struct stream *s = p->state;

	while (s != NULL && strcmp(s->labels, text) != 0)
		s = s->next;
	if (s != NULL) {
		free(text);
		return s;
	}
	s = xcalloc(1, sizeof(*s));
	s->labels = text;
	s->next = p->state;
	p->state = s;
	return s;
}

static bool
all_strings(json_t *o)
{
	const char *name;
	json_t *value;

	if (!json_is_object(o))
		return false;
	json_object_foreach(o, name, value)
	{
		if (!json_is_string(value) || name[0] == '\0' ||
		    name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
			return false;
	}
	return true;
}

/* Are the types right?  Otherwise nothing of the request is looked at. */
static bool
is_push(const json_t *top)
{
	json_t *streams = json_object_get(top, "streams"), *s, *e;
	size_t i, k;

	if (!json_is_array(streams) || json_object_size(top) != 1)
		return false;
	json_array_foreach(streams, i, s)
	{
		json_t *values = json_object_get(s, "values");

		if (!all_strings(json_object_get(s, "stream")) ||
		    !json_is_array(values) || json_object_size(s) != 2)
			return false;
		json_array_foreach(values, k, e)
		{
			const char *time =
			    json_string_value(json_array_get(e, 0));
			size_t n = json_array_size(e);

			if (time == NULL || strlen(time) != 19 ||
			    time[strspn(time, "0123456789")] != '\0' ||
			    !json_is_string(json_array_get(e, 1)) || n > 3 ||
			    (n == 3 && !all_strings(json_array_get(e, 2))))
				return false;
		}
	}
	return true;
}

/* Why Loki would not keep the entry, NULL: it does. */
static const char *
fault_of(struct call *c, struct stream *s, const json_t *entry)
{
	char *behind = place_option(c->place, "behind", "3600");
	char *plain = place_option(c->place, "plain", "");
	long long when =
	    strtoll(json_string_value(json_array_get(entry, 0)), NULL, 10);
	long long now = clock_now() * 1000, second = 1000000000;
	const char *why = NULL;

	if (when < now - 7 * 86400 * second)
		why = "has timestamp too old";
	else if (when > now + 600 * second)
		why = "has timestamp too new";
	else if (json_string_length(json_array_get(entry, 1)) > LINE_MAX_BYTES)
		why = "Max entry size '262144' bytes exceeded";
	else if (json_array_size(entry) == 3 && plain[0] != '\0')
		why = "includes structured metadata, but this feature is "
		      "disallowed";
	else if (when < s->newest - strtoll(behind, NULL, 10) * second)
		why = "entry too far behind";
	if (why == NULL && when > s->newest)
		s->newest = when;
	free(behind);
	free(plain);
	return why;
}

/* Keep it; false: it is not wanted. */
static bool
keep(struct call *c, const json_t *labels, const json_t *entry)
{
	const json_t *text = json_array_get(entry, 1);
	const char *index =
	    json_string_value(json_object_get(json_array_get(entry, 2),
		"sealfeed_index"));
	const char *feed =
	    json_string_value(json_object_get(labels, "sealfeed_feed"));
	const char *agent =
	    json_string_value(json_object_get(labels, "sealfeed_agent"));

	if (feed == NULL || agent == NULL)
		recv_die("no stream of sealfeed");
	if (index == NULL) {
		place_store_line(c, json_string_value(text),
		    json_string_length(text));
		return true;
	}
	if (is_poison_event(c, feed, strtoull(index, NULL, 10)))
		return false;
	place_store(c, feed, agent, strtoull(index, NULL, 10),
	    json_string_value(text), json_string_length(text));
	return true;
}

static void
take_streams(struct call *c, const json_t *top)
{
	json_t *streams = json_object_get(top, "streams"), *s, *e;
	const char *why = NULL, *fault;
	bool half = false;
	size_t i, k;

	json_array_foreach(streams, i, s)
	{
		json_t *labels = json_object_get(s, "stream");
		struct stream *stream = stream_of(c->place, labels);

		if (json_object_size(labels) > LABELS_MAX)
			why = "has 16 label names; limit 15";
		json_array_foreach(json_object_get(s, "values"), k, e)
		{
			if (c->fault == PARTIAL && k % 2 == 1) {
				half = true;
				continue;
			}
			fault = fault_of(c, stream, e);
			if (fault == NULL && !keep(c, labels, e))
				fault = "Max entry size '1' bytes exceeded";
			why = fault != NULL ? fault : why;
		}
	}
	if (half)
		reply_text(c, 500, "at least 2 live replicas required\n");
	else if (why != NULL)
		reply_text(c, 400, "entry for stream '{…}' %s, user 'fake'\n",
		    why);
	else
		reply_text(c, 204, "%s", "");
}

static bool
authorized(struct call *c)
{
	char *token = place_option(c->place, "token", "abc");
	char *tenant = place_option(c->place, "tenant", "");
	char *want = xasprintf("Bearer %s", token);
	bool good = false;

	if (strcmp(recv_header(c->rq, "Authorization"), want) != 0)
		reply_text(c, 401, "the gateway does not know the token\n");
	else if (tenant[0] != '\0' &&
	    recv_header(c->rq, "X-Scope-OrgID")[0] == '\0')
		reply_text(c, 401, "no org id\n");
	else
		good = true;
	free(want);
	free(tenant);
	free(token);
	return good;
}

static void
take(struct call *c)
{
	json_t *top;

	if (strcmp(c->path, "/loki/api/v1/push") != 0) {
		reply_text(c, 404, "404 page not found\n");
		return;
	}
	if (strcmp(c->rq->method, "POST") != 0) {
		reply_text(c, 405, "%s", "");
		return;
	}
	if (!authorized(c))
		return;
	top = c->body->len == 0 ||
		strcmp(recv_header(c->rq, "Content-Type"),
		    "application/json") != 0
	    ? NULL
	    : json_loadb(c->body->data, c->body->len,
		  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (!is_push(top))
		reply_text(c, 400, "loghttp.PushRequest: cannot be read\n");
	else if (json_array_size(json_object_get(top, "streams")) == 0)
		reply_text(c, 422,
		    "error at least one valid stream is required for "
		    "ingestion\n");
	else
		take_streams(c, top);
	json_decref(top);
}

const struct intake_kind intake_loki = { "loki", take };
