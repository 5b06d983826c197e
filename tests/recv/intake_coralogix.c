/*
 * intake_coralogix.c - Coralogix's intake for logs, as coralogix.com/docs
 * describes it: "Coralogix REST API /singles" and "Limitations".
 *
 * POST of a JSON array of at most 2 MB (413) with the key as Bearer; each log
 * has applicationName, subsystemName and text.  Stricter: other members than
 * the documented ones are refused.
 *
 * Options: token.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

#define BODY_MAX 2000000

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool
is_known(const char *key)
{
	static const char *const keys[] = { "timestamp", "applicationName",
		"subsystemName", "computerName", "severity", "category",
		"className", "methodName", "threadId", "hiResTimestamp",
		"text" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* Can every log be read?  Nothing is kept otherwise. */
static bool
all_good(struct call *c, json_t *logs)
{
	json_t *log, *value;
	const char *key;
	size_t i;

	json_array_foreach(logs, i, log)
	{
		const json_t *severity = json_object_get(log, "severity");
		const json_t *when = json_object_get(log, "timestamp");

		json_object_foreach(log, key, value)
		{
			if (!is_known(key))
				return false;
		}
		if (text_of(log, "text") == NULL ||
		    text_of(log, "applicationName") == NULL ||
		    text_of(log, "subsystemName") == NULL ||
		    (when != NULL && !json_is_number(when)) ||
		    json_integer_value(severity) < 1 ||
		    json_integer_value(severity) > 6 ||
		    is_poison_event(c, text_of(log, "subsystemName"),
			strtoull(text_of(log, "threadId"), NULL, 10)))
			return false;
	}
	return true;
}

static void
keep(struct call *c, const json_t *log)
{
	const json_t *text = json_object_get(log, "text");

	if (strcmp(text_of(log, "category"), "checkpoint") == 0)
		place_store_line(c, json_string_value(text),
		    json_string_length(text));
	else
		place_store(c, text_of(log, "subsystemName"),
		    text_of(log, "computerName"),
		    strtoull(text_of(log, "threadId"), NULL, 10),
		    json_string_value(text), json_string_length(text));
}

static void
take(struct call *c)
{
	char *token = place_option(c->place, "token", "abc");
	char *want = xasprintf("Bearer %s", token);
	json_t *logs = NULL, *log;
	size_t i;

	if (c->body->len > 0)
		logs = json_loadb(c->body->data, c->body->len, JSON_ALLOW_NUL,
		    NULL);
	if (strcmp(c->path, "/logs/v1/singles") != 0)
		reply_text(c, 404, "%s", "");
	else if (strcmp(c->rq->method, "POST") != 0)
		reply_text(c, 405, "%s", "");
	else if (strcmp(recv_header(c->rq, "Authorization"), want) != 0)
		reply_text(c, 403, "%s", "");
	else if (strcmp(recv_header(c->rq, "Content-Type"),
		     "application/json") != 0)
		reply_text(c, 415, "%s", "");
	else if (c->body->len > BODY_MAX)
		reply_text(c, 413, "%s", "");
	else if (!json_is_array(logs) || !all_good(c, logs))
		reply_text(c, 400, "{\"message\":\"invalid log\"}");
	else {
		json_array_foreach(logs, i, log)
		{
			if (c->fault != PARTIAL ||
			    2 * i < json_array_size(logs))
				keep(c, log);
		}
		reply_text(c, c->fault == PARTIAL ? 503 : 200, "{}");
	}
	json_decref(logs);
	free(want);
	free(token);
}

const struct intake_kind intake_coralogix = { .name = "coralogix",
	.take = take };
