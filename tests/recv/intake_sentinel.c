/*
 * intake_sentinel.c - the Logs Ingestion API of Azure Monitor, as
 * learn.microsoft.com ("Logs Ingestion API in Azure Monitor", "Azure Monitor
 * service limits") describes it.
 *
 * POST /dataCollectionRules/RULE/streams/STREAM?api-version=2023-01-01 with a
 * bearer token and a JSON array of objects; 204 without a body.  1,048,576
 * bytes a call, packed and unpacked ("Maximum allowed content length: 1048576
 * bytes (1 MB)", 413 ContentLengthLimitExceeded).  A text of more than 64 KB is
 * cut: here that is an error, since a client must not let it happen.  Columns
 * have names of at most 45 letters, digits and underscores, and not those that
 * are reserved.  An empty body is a 500.
 *
 * Options: token; rule, stream, the ones that there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

#define CALL_MAX 1048576
#define FIELD_MAX 65536
#define RULE "dcr-00000000000000000000000000000007"

static void
refuse(struct call *c, unsigned status, const char *code, const char *text)
{
	reply_text(c, status,
	    "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, text);
}

/* "Column names … must start with a letter … reserved". */
static bool
is_column(const char *name)
{
	static const char *const reserved[] = { "_ResourceId", "id",
		"_SubscriptionId", "TenantId", "Type", "UniqueId", "Title" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcasecmp(name, reserved[i]) == 0)
			return false;
	return strlen(name) <= 45 &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_") == strlen(name) &&
	    strchr("0123456789_", name[0]) == NULL;
}

static bool
is_row(const struct call *c, json_t *row)
{
	const char *name;
	json_t *value;

	if (!json_is_object(row) ||
	    !json_is_string(json_object_get(row, "TimeGenerated")) ||
	    !json_is_string(json_object_get(row, "RawData")))
		return false;
	json_object_foreach(row, name, value)
	{
		if (!is_column(name) || json_is_object(value) ||
		    json_is_array(value) ||
		    json_string_length(value) > FIELD_MAX)
			return false;
	}
	(void)c;
	return true;
}

/* Event and place out of a row. */
static void
store(struct call *c, const json_t *row)
{
	struct buf text = BUF_INIT(RECV_BODY_MAX);
	const json_t *index = json_object_get(row, "sealfeed_index");
	const char *feed =
	    json_string_value(json_object_get(row, "sealfeed_feed"));
	const char *agent =
	    json_string_value(json_object_get(row, "sealfeed_agent"));
	char name[32] = "RawData";

	for (unsigned n = 2; json_object_get(row, name) != NULL; n++) {
		const json_t *part = json_object_get(row, name);

		if (buf_add(&text, json_string_value(part),
			json_string_length(part)) != 0)
			recv_die("an event beyond reason");
		(void)snprintf(name, sizeof(name), "RawData_%u", n);
	}
	if (feed == NULL || agent == NULL)
		recv_die("no event of sealfeed");
	if (index == NULL)
		place_store_line(c, text.data, text.len);
	else
		place_store(c, feed, agent,
		    (unsigned long long)json_integer_value(index), text.data,
		    text.len);
	buf_release(&text);
}

static void
upload(struct call *c)
{
	json_t *rows =
	    json_loadb(c->body->data, c->body->len, JSON_ALLOW_NUL, NULL);
	bool good = json_is_array(rows);

	for (size_t i = 0; i < json_array_size(rows); i++)
		good = good && is_row(c, json_array_get(rows, i));
	if (!good || is_poison(c, c->body->data, c->body->len)) {
		refuse(c, 400, "InvalidPayload",
		    "The payload does not match the declaration.");
	} else {
		for (size_t i = 0; i < json_array_size(rows); i++)
			store(c, json_array_get(rows, i));
		reply_text(c, 204, "%s", "");
	}
	json_decref(rows);
}

static void
take(struct call *c)
{
	char *rule = place_option(c->place, "rule", RULE);
	char *stream = place_option(c->place, "stream", "Custom-Sealfeed");
	char *head = xasprintf("/dataCollectionRules/%s/streams/", rule);
	size_t n = strlen(head);

	if (c->body->len == 0)
		reply_text(c, 500, "%s", "");
	else if (c->rq->body.len > CALL_MAX || c->body->len > CALL_MAX)
		refuse(c, 413, "ContentLengthLimitExceeded",
		    "Maximum allowed content length: 1048576 bytes (1 MB).");
	else if (!has_access_token(c))
		refuse(c, 401, "InvalidToken", "The access token is invalid.");
	else if (strcmp(c->rq->method, "POST") != 0 ||
	    strncmp(c->path, head, n) != 0)
		refuse(c, 404, "NotFound",
		    "Data collection rule with immutable Id 'x' not found.");
	else if (strcmp(call_query(c, "api-version"), "2023-01-01") != 0)
		refuse(c, 400, "InvalidApiVersion",
		    "The api-version is wrong.");
	else if (strcmp(c->path + n, stream) != 0)
		refuse(c, 400, "InvalidStream",
		    "The stream was not configured for the rule.");
	else if (strncmp(recv_header(c->rq, "Content-Type"), "application/json",
		     16) != 0)
		refuse(c, 415, "UnsupportedMediaType", "JSON only.");
	else
		upload(c);
	free(rule);
	free(stream);
	free(head);
}

const struct intake_kind intake_sentinel = { .name = "sentinel", .take = take };
