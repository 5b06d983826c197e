/*
 * intake_google_secops.c - logs.import of the Chronicle API, as
 * docs.cloud.google.com/chronicle ("Method: logs.import", "Log") describes it.
 *
 * POST /VERSION/projects/P/locations/L/instances/I/logTypes/T/logs:import with
 * a bearer token and {"inlineSource":{"logs":[…],"forwarder":…}}; an empty
 * object is the receipt.  Unknown members are refused, as Google's front end
 * does; data is base64; logEntryTime and collectionTime are needed, the second
 * not before the first; the forwarder is one of the instance.  Errors are
 * google.rpc.Status.
 *
 * Options: token; max, bytes of a body.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

#define INSTANCE "projects/siem-1/locations/eu/instances/i-1"

static void
refuse(struct call *c, unsigned status, const char *name, const char *text)
{
	reply_text(c, status,
	    "{\"error\":{\"code\":%u,\"message\":\"%s\",\"status\":\"%s\"}}",
	    status, text, name);
}

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

/* Every member is one of names. */
static bool
only(json_t *o, const char *const *names)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value)
	{
		size_t i = 0;

		while (names[i] != NULL && strcmp(names[i], key) != 0)
			i++;
		if (names[i] == NULL)
			return false;
	}
	return json_is_object(o);
}

static const char *
label(const json_t *log, const char *name)
{
	return text_of(json_object_get(json_object_get(log, "labels"), name),
	    "value");
}

/* What is in a log's data; the caller frees it.  NULL: it is not base64. */
static char *
data_of(const json_t *log, size_t *len)
{
	const char *data = text_of(log, "data");
	size_t n = strlen(data);
	char *out = xcalloc(n + 4, 1);
	int got = n == 0 || n % 4 != 0
	    ? -1
	    : EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)data,
		  (int)n);

	if (got < 0) {
		free(out);
		return NULL;
	}
	*len = (size_t)got - (data[n - 1] == '=') - (data[n - 2] == '=');
	return out;
}

/* What is wrong with a log; NULL: nothing. */
static const char *
fault_of(json_t *log)
{
	static const char *const names[] = { "data", "logEntryTime",
		"collectionTime", "labels", "environmentNamespace", NULL };
	size_t len = 0;
	char *data = data_of(log, &len);

	free(data);
	if (!only(log, names))
		return "Invalid JSON payload received. Unknown name";
	if (data == NULL)
		return "Base64 decoding failed";
	if (text_of(log, "logEntryTime")[0] == '\0' ||
	    strcmp(text_of(log, "collectionTime"),
		text_of(log, "logEntryTime")) < 0)
		return "collection time is before entry time";
	return NULL;
}

static void
store(struct call *c, const json_t *log)
{
	size_t len = 0;
	char *data = data_of(log, &len);
	const char *index = label(log, "sealfeed_index");

	if (index[0] == '\0')
		place_store_line(c, data, len);
	else
		place_store(c, label(log, "sealfeed_feed"),
		    label(log, "sealfeed_agent"), strtoull(index, NULL, 10),
		    data, len);
	free(data);
}

static void
import(struct call *c)
{
	static const char *const tops[] = { "inlineSource", "hint", NULL },
				 *const sources[] = { "logs", "forwarder",
					 "sourceFilename", NULL };
	json_t *top = json_loadb(c->body->data, c->body->len, 0, NULL),
	       *source = json_object_get(top, "inlineSource"),
	       *logs = json_object_get(source, "logs");
	const char *why = !only(top, tops) || !only(source, sources)
	    ? "Invalid JSON payload received. Unknown name"
	    : json_array_size(logs) == 0 ? "logs must not be empty"
					 : NULL;
	size_t i;
	json_t *log;

	if (strcmp(text_of(source, "forwarder"), INSTANCE "/forwarders/f-1") !=
	    0)
		why = "forwarder is not one of the instance";
	json_array_foreach(logs, i, log) why =
	    why == NULL ? fault_of(log) : why;
	if (is_poison(c, c->body->data, c->body->len))
		why = "Request contains an invalid argument.";
	if (why != NULL) {
		refuse(c, 400, "INVALID_ARGUMENT", why);
	} else {
		json_array_foreach(logs, i, log) store(c, log);
		reply_text(c, 200, "{}\n");
	}
	json_decref(top);
}

static void
take(struct call *c)
{
	static const char *const heads[] = { "/v1/", "/v1beta/", "/v1alpha/" },
				 *const types[] = { "OFFICE_365", "SEALFEED" };
	char *max = place_option(c->place, "max", "4000000"), *path;
	bool found = false;

	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 2; k++) {
			path =
			    xasprintf("%s" INSTANCE "/logTypes/%s/logs:import",
				heads[i], types[k]);
			found = found || strcmp(c->path, path) == 0;
			free(path);
		}
	if (!has_access_token(c))
		refuse(c, 401, "UNAUTHENTICATED",
		    "Request had invalid authentication credentials. Expected "
		    "OAuth 2 access token");
	else if (!found)
		refuse(c, 404, "NOT_FOUND", "Requested entity was not found.");
	else if (strcmp(c->rq->method, "POST") != 0)
		reply_page(c, 405, "Error 405 (Method Not Allowed)!!1");
	else if (strncmp(recv_header(c->rq, "Content-Type"), "application/json",
		     16) != 0)
		refuse(c, 400, "INVALID_ARGUMENT", "Invalid JSON payload");
	else if (c->body->len > strtoull(max, NULL, 10))
		refuse(c, 400, "INVALID_ARGUMENT",
		    "Request payload size exceeds the limit: 4000000 bytes.");
	else
		import(c);
	free(max);
}

const struct intake_kind intake_google_secops = { .name = "google-secops",
	.take = take };
