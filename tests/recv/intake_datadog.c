/*
 * intake_datadog.c - Datadog's intake for logs, as docs.datadoghq.com
 * describes it: "Send logs" (v2) has limits, codes and their meaning, "Log Date
 * Remapper" the times that are kept, "Pipelines" where they are looked for.
 *
 * A JSON array of at most 1,000 logs, 5 MB unpacked (413), 202.  A log over
 * 1 MB is cut, and one from more than 18 hours ago or two ahead is dropped,
 * both under 202: the first ends this program, the second is not stored.
 *
 * Options: token, for DD-API-KEY.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/recv/intake.h"

#define LOGS_MAX 1000
#define BODY_MAX 5000000
#define LOG_MAX 1000000

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* Is every one a log that can be read?  Nothing is kept otherwise. */
static bool
all_good(struct call *c, const json_t *logs)
{
	const json_t *log;
	size_t i;

	json_array_foreach(logs, i, log)
	{
		const json_t *own = json_object_get(log, "sealfeed");
		const json_t *index = json_object_get(own, "index");
		char *text = json_dumps(log, JSON_COMPACT);

		if (text != NULL && strlen(text) > LOG_MAX)
			recv_die("a log of %zu bytes is cut", strlen(text));
		free(text);
		if (text_of(log, "message") == NULL ||
		    text_of(log, "ddsource") == NULL ||
		    text_of(log, "service") == NULL ||
		    text_of(log, "hostname") == NULL ||
		    text_of(own, "feed") == NULL)
			return false;
		if (index != NULL &&
		    is_poison_event(c, text_of(own, "feed"),
			(unsigned long long)json_integer_value(index)))
			return false;
	}
	return true;
}

/* The time of a log's attribute; INT64_MIN: it has none there. */
static int64_t
time_of(const json_t *o, const char *key)
{
	const json_t *time = json_object_get(o, key);
	int64_t when = INT64_MIN;

	if (json_is_integer(time))
		return json_integer_value(time) * 1000;
	if (json_is_string(time) &&
	    clock_parse(json_string_value(time), json_string_length(time),
		&when) != 0)
		return INT64_MIN;
	return when;
}

static bool
is_in_time(const json_t *o, const char *key)
{
	int64_t when = time_of(o, key), now = clock_now();

	return when == INT64_MIN ||
	    (when > now - 18 * CLOCK_HOUR && when < now + 2 * CLOCK_HOUR);
}

/* By its timestamp, and by the dates in a message that is JSON, the last of
 * which is what Microsoft's pipeline takes. */
static bool
is_kept(const json_t *log)
{
	static const char *const dates[] = { "@timestamp", "timestamp",
		"_timestamp", "Timestamp", "eventTime", "date",
		"published_date", "CreationTime" };
	const json_t *text = json_object_get(log, "message");
	json_t *message = json_loadb(json_string_value(text),
	    json_string_length(text), JSON_ALLOW_NUL, NULL);
	bool kept = is_in_time(log, "timestamp");

	for (size_t i = 0; kept && i < sizeof(dates) / sizeof(dates[0]); i++)
		kept = is_in_time(message, dates[i]);
	json_decref(message);
	return kept;
}

static void
keep(struct call *c, const json_t *log)
{
	const json_t *own = json_object_get(log, "sealfeed");
	const json_t *text = json_object_get(log, "message");
	const json_t *index = json_object_get(own, "index");
	static const char line[] = "{\"feed\":";

	if (index == NULL ||
	    strncmp(json_string_value(text), line, strlen(line)) == 0)
		place_store_line(c, json_string_value(text),
		    json_string_length(text));
	else
		place_store(c, text_of(own, "feed"), text_of(own, "agent"),
		    (unsigned long long)json_integer_value(index),
		    json_string_value(text), json_string_length(text));
}

static void
take_logs(struct call *c, const json_t *logs)
{
	size_t i, n = json_array_size(logs);
	const json_t *log;

	json_array_foreach(logs, i, log)
	{
		if (is_kept(log) && (c->fault != PARTIAL || 2 * i < n))
			keep(c, log);
	}
	if (c->fault == PARTIAL)
		reply_text(c, 503, "{\"errors\":[{\"status\":\"503\"}]}");
	else
		reply_text(c, 202, "{}");
}

static void
reply_error(struct call *c, unsigned status, const char *title)
{
	reply_text(c, status,
	    "{\"errors\":[{\"status\":\"%u\",\"title\":\"%s\"}]}", status,
	    title);
}

static void
take(struct call *c)
{
	const char *key = recv_header(c->rq, "DD-API-KEY");
	char *token = place_option(c->place, "token", "abc");
	json_t *logs = NULL;

	if (c->body->len > 0)
		logs = json_loadb(c->body->data, c->body->len, JSON_ALLOW_NUL,
		    NULL);
	if (strcmp(c->path, "/api/v2/logs") != 0)
		reply_error(c, 404, "Not Found");
	else if (strcmp(c->rq->method, "POST") != 0)
		reply_error(c, 405, "Method Not Allowed");
	else if (key[0] == '\0')
		reply_error(c, 401, "Unauthorized");
	else if (strcmp(key, token) != 0)
		reply_error(c, 403, "Forbidden, no such token");
	else if (strcmp(recv_header(c->rq, "Content-Type"),
		     "application/json") != 0)
		reply_error(c, 415, "Unsupported Media Type");
	else if (c->body->len > BODY_MAX || json_array_size(logs) > LOGS_MAX)
		reply_error(c, 413, "Payload Too Large");
	else if (!json_is_array(logs) || !all_good(c, logs))
		reply_error(c, 400, "Bad Request");
	else
		take_logs(c, logs);
	json_decref(logs);
	free(token);
}

const struct intake_kind intake_datadog = { .name = "datadog", .take = take };
