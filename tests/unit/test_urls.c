/*
 * test_urls.c - where outputs over HTTP send what they are given: the URL as it
 * is configured, and the endpoint that each dialect appends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/shown.h"
#include "outputs/http/dialect.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define HEC "/services/collector/event"
#define ENTRA \
	"tenant: t1, client_id: c1, client_secret: s1, login_url: \"@/login\""
#define GOOGLE "token_url: \"@/login\", key: "
#define IMPORT                                                        \
	"/v1/projects/p/locations/l/instances/i/logTypes/OFFICE_365/" \
	"logs:import"
#define FILTER                                              \
	"filter_path=errors%2Citems.%2A.error%2Citems.%2A." \
	"failure_store%2Citems.%2A.status"

static const struct row {
	const struct output_type *type;
	const char *options;  /* that end in a colon: a key of Google follows */
	const char *endpoint; /* NULL: the URL stays as it is */
	const char *query;    /* of its own */
	bool names;           /* objects: names follow, and no query */
} rows[] = {
	{ &output_http, "", NULL, NULL, false },
	{ &output_http_json, "", NULL, NULL, false },
	{ &output_logstash, "", NULL, NULL, false },
	{ &output_panther, "", NULL, NULL, false },
	{ &output_sumologic, "", NULL, NULL, false },
	{ &output_splunk_hec, "token: t", HEC, NULL, false },
	{ &output_splunk_hec, "token: t, path: /in/it", "/in/it", NULL, false },
	{ &output_cribl, "token: t", HEC, NULL, false },
	{ &output_fluent_bit, "token: t", HEC, NULL, false },
	{ &output_vector, "token: t", HEC, NULL, false },
	{ &output_crowdstrike_logscale, "token: t", "/api/v1/ingest/hec", NULL,
	    false },
	{ &output_elasticsearch, "", "/_bulk", FILTER, false },
	{ &output_sentinel, "rule: r, stream: Custom-S_CL, " ENTRA,
	    "/dataCollectionRules/r/streams/Custom-S_CL",
	    "api-version=2023-01-01", false },
	{ &output_otlp, "", "/v1/logs", NULL, false },
	{ &output_axiom, "token: t, dataset: d", "/v1/logs", NULL, false },
	{ &output_new_relic, "license_key: k", "/v1/logs", NULL, false },
	{ &output_loki, "", "/loki/api/v1/push", NULL, false },
	{ &output_datadog, "api_key: k", "/api/v2/logs", NULL, false },
	{ &output_coralogix, "key: k", "/logs/v1/singles", NULL, false },
	{ &output_graylog, "", "/gelf", NULL, false },
	{ &output_google_secops,
	    "project: p, location: l, instance: i, forwarder: f, " GOOGLE,
	    IMPORT, NULL, false },
	{ &output_s3, "bucket: b, aws: {region: x, key: \"a:b\"}", "/b", NULL,
	    true },
	{ &output_azure_blob, "bucket: b, account: a, key: a2V5", "/b", NULL,
	    true },
	{ &output_gcs, "bucket: b, " GOOGLE, "/b", NULL, true },
};

/* What stands behind the host, % being the endpoint; joints[] has more. */
static const struct form {
	const char *given;
	const char *asked;
} forms[] = {
	{ "/", "%" },
	{ "/in//?x=1&y", "/in%?x=1&y" },
	{ "%", "%" },
	{ "/in%/", "/in%" },
};

/* text with what in the place of each %; the caller frees it. */
static char *
filled(const char *text, const char *what)
{
	char *all = xstrdup(""), *next;
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '%')) {
		n = strcspn(text, "%");
		next = xasprintf("%s%.*s%s", all, (int)n, text,
		    text[n] == '%' ? what : "");
		free(all);
		all = next;
	}
	return all;
}

/* The target that a row asks for. */
static char *
target_of(const struct row *row, const struct form *form)
{
	char *path = row->endpoint == NULL ? filled(form->given, "")
					   : filled(form->asked, row->endpoint);
	const char *join = row->query == NULL ? ""
	    : strchr(path, '?') == NULL       ? "?"
					      : "&";
	char *target = xasprintf("%s%s%s%s%s", path[0] == '/' ? "" : "/", path,
	    row->names ? "/" : "", join, row->query == NULL ? "" : row->query);

	free(path);
	return target;
}

/* Send an event that no answer takes; the request for it is the last one. */
static void
ask(const struct row *row, const char *path)
{
	size_t n = strlen(row->options);
	char *key = n > 5 && strcmp(row->options + n - 5, "key: ") == 0
	    ? rig_google_key()
	    : xstrdup("");
	char *options = xasprintf("%s%s", row->options, key);

	rig_set_up(row->type);
	rig_expect("/login", 200, "{\"access_token\":\"t\",\"expires_in\":9}");
	rig_expect("/", 503, "{}");
	rig_begin(1, "{\"Id\":\"a\"}", options, path);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	free(options);
	free(key);
}

/* The target of the request that was asked last. */
static const char *
asked(void)
{
	const char *request = rig_request(canned_count(intake_rig.server) - 1);

	return strchr(request, ' ') + 1;
}

START_TEST(one_rule_for_all)
{
	const struct row *row = &rows[_i];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *path, *target, *want;

		if (row->names && strchr(forms[i].given, '?') != NULL)
			continue;
		path = filled(forms[i].given,
		    row->endpoint == NULL ? "" : row->endpoint);
		target = target_of(row, &forms[i]);
		want = xasprintf("%s%s", target, row->names ? "" : " HTTP/1.1");
		ask(row, path);
		ck_assert_msg(strncmp(asked(), want, strlen(want)) == 0,
		    "%s with %s: %s, not %.80s", row->type->type.name, path,
		    want, asked());
		rig_end();
		free(want);
		free(target);
		free(path);
	}
}
END_TEST

START_TEST(all_types_are_here)
{
	for (size_t i = 0; output_types[i] != NULL; i++) {
		int n = output_type_of(output_types[i])->dialect == NULL;

		for (int row = 0; row < ROWS(rows); row++)
			n += &rows[row].type->type == output_types[i];
		ck_assert_msg(n > 0, "%s", output_types[i]->name);
	}
}
END_TEST

/* What Splunk calls the same endpoint, whole as it is; acknowledgements are
 * asked for beside it. */
static const struct {
	const char *given;
	const char *events;
	const char *acks;
} collectors[] = {
	{ "", HEC, "/services/collector/ack" },
	{ "/services/collector", "/services/collector",
	    "/services/collector/ack" },
	{ "/services/collector/?k=1", "/services/collector?k=1",
	    "/services/collector/ack?k=1" },
	{ "/a/services/collector/event/1.0", "/a/services/collector/event/1.0",
	    "/a/services/collector/ack" },
	{ "/api/v1/ingest/hec", "/api/v1/ingest/hec", "/api/v1/ingest/ack" },
	{ "/a?k=1", "/a" HEC "?k=1", "/a/services/collector/ack?k=1" },
};

START_TEST(collectors_have_other_names)
{
	char *events = xasprintf("POST %s HTTP", collectors[_i].events);
	char *acks = xasprintf("POST %s HTTP", collectors[_i].acks);

	rig_set_up(&output_splunk_hec);
	rig_expect(collectors[_i].acks, 200, "{\"acks\":{\"1\":true}}");
	rig_expect("/", 200, "{\"code\":0,\"ackId\":1}");
	rig_begin(1, "{\"Id\":\"a\"}", "token: t", collectors[_i].given);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_int_eq(strncmp(rig_request(0), events, strlen(events)), 0);
	ck_assert_int_eq(strncmp(rig_request(1), acks, strlen(acks)), 0);
	rig_end();
	free(acks);
	free(events);
}
END_TEST

/* Of the URL itself. */
static const struct {
	const char *url;
	const char *path;
	const char *query;
	const char *becomes;
} joints[] = {
	{ "http://h", "/e/f", NULL, "http://h/e/f" },
	{ "http://h/in//", "/e/f", NULL, "http://h/in/e/f" },
	{ "http://h?x=1", "/e/f", NULL, "http://h/e/f?x=1" },
	{ "http://h/e/f//?x=%2F", "/e/f", NULL, "http://h/e/f?x=%2F" },
	{ "http://h/e/f/more", "/e/f", NULL, "http://h/e/f/more/e/f" },
	{ "http://h/e", "/e/f", NULL, "http://h/e/e/f" },
	{ "http://h/a/e/f/", "/e/f/", NULL, "http://h/a/e/f" },
	/* The host is none of the path. */
	{ "http://gelf", "/gelf", NULL, "http://gelf/gelf" },
	{ "http://gelf/", "/gelf", NULL, "http://gelf/gelf" },
	{ "http://gelf?a=/gelf", "/gelf", NULL, "http://gelf/gelf?a=/gelf" },
	{ "http://h/agelf", "/gelf", NULL, "http://h/agelf/gelf" },
	{ "http://h/a/?b=c://d/e", "/gelf", NULL, "http://h/a/gelf?b=c://d/e" },
	/* What the user asks for stays. */
	{ "http://h?v=2", "/x", "v=1&w=3", "http://h/x?v=2&w=3" },
	{ "http://h?w&vv=2", "/x", "v=1&w=3", "http://h/x?w&vv=2&v=1" },
	{ "http://h/a/", NULL, "v=1", "http://h/a/?v=1" },
};

START_TEST(parts_are_joined)
{
	struct intake_request r = { .failed = false };

	ck_assert_int_eq(intake_request_begin(&r, joints[_i].url), 0);
	intake_url(&r, joints[_i].path, joints[_i].query);
	ck_assert(!r.failed);
	ck_assert_str_eq(r.url.data, joints[_i].becomes);
	intake_request_release(&r);
}
END_TEST

/* check --live of Elasticsearch asks at the root, too. */
START_TEST(beside_an_endpoint)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;

	rig_set_up(&output_elasticsearch);
	rig_expect("/es/_bulk", 400, "{\"error\":{\"type\":\"x\"}}");
	rig_expect("/es/_security", 200, "{\"has_all_requested\":true}");
	rig_expect("/es", 200, "{\"version\":{\"number\":\"8.15.0\"}}");
	rig_begin(1, "{}", "api_key: abc", "/es/_bulk/");
	(void)output_elasticsearch.probe(&intake_rig.c.out, &message, &err);
	ck_assert_msg(message.data != NULL &&
		strstr(message.data, "Elasticsearch 8.15.0") != NULL,
	    "%s", err.text);
	ck_assert_ptr_nonnull(strstr(canned_requests(intake_rig.server),
	    "POST /es/_bulk?"));
	buf_release(&message);
	rig_end();
}
END_TEST

/* Intakes as their vendors document them, with made up tokens. */
static const struct {
	const char *url, *shown; /* NULL: the same */
} shown[] = {
	/* What says which intake it is. */
	{ "https://splunk.example.com:8088/services/collector/event", NULL },
	{ "https://http-intake.logs.datadoghq.eu/api/v2/logs", NULL },
	{ "https://elastic.example.com:9200/_bulk", NULL },
	{ "https://es.example.com/logs-o365.audit-default-2024.01/_bulk",
	    NULL },
	{ "https://es.example.com/office365auditlogs2024/_doc", NULL },
	{ "https://a-b1c2.westeurope-1.ingest.monitor.azure.com/"
	  "dataCollectionRules/dcr-0f3a9c1de47b4a61b58e2d90c7f16a3b/streams/"
	  "Custom-SealfeedM365_CL?api-version=2023-01-01",
	    "https://a-b1c2.westeurope-1.ingest.monitor.azure.com/"
	    "dataCollectionRules/dcr-0f3a9c1de47b4a61b58e2d90c7f16a3b/streams/"
	    "Custom-SealfeedM365_CL" },
	{ "https://api.loganalytics.io/v1/workspaces/"
	  "6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42/query",
	    NULL },
	{ "https://chronicle.eu.rep.googleapis.com/v1/projects/acme-123456/"
	  "locations/eu/instances/6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42/"
	  "logTypes/OFFICE_365/logs:import",
	    NULL },
	{ "https://malachiteingestion-pa.googleapis.com/v2/"
	  "unstructuredlogentries:batchCreate",
	    NULL },
	{ "https://x/createUnstructuredLogEntries", NULL },
	{ "https://otel.example.com:4318/v1/logs", NULL },
	{ "https://loki.example.com/loki/api/v1/push", NULL },
	{ "https://cloud.humio.com/api/v1/ingest/hec", NULL },
	{ "https://cribl.example.com:10080/cribl/_bulk", NULL },
	{ "https://s3.eu-central-1.amazonaws.com/"
	  "audit-logs-123456789012-eu-central-1/m365audit-archive-2024/",
	    NULL },
	{ "https://sqs.eu-central-1.amazonaws.com/123456789012/cloudtrail",
	    NULL },
	{ "http://[::1]:8080", NULL },
	/* What lets in whoever knows it. */
	{ "https://endpoint4.collection.eu.sumologic.com/receiver/v1/http/"
	  "ZaVnC4dhaV1kx3Pq7Yt_0mWbR2sLf9-JuEoXgNh5vTiQcKz8D6yAlHwMpSrGj1eU==",
	    "https://endpoint4.collection.eu.sumologic.com/receiver/v1/http/"
	    "…" },
	{ "https://hooks.slack.com/services/T0A1B2C3D/B0E4F5G6H/"
	  "q8Zk2LxV9sWb4TnR7yUcJ1mD",
	    "https://hooks.slack.com/services/T0A1B2C3D/B0E4F5G6H/…" },
	{ "https://discord.com/api/webhooks/1029384756473829105/"
	  "kTJc-3fYx_9aB2dQw8ZrLm5NvPs7HgE1oUiX4yCbK6tRj0lFqWnVzSeMaDuGhI2p",
	    "https://discord.com/api/webhooks/1029384756473829105/…" },
	{ "https://logs.acme.runpanther.net/http/"
	  "6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42",
	    "https://logs.acme.runpanther.net/http/…" },
	{ "https://logs-01.loggly.com/inputs/"
	  "6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42/tag/http/",
	    "https://logs-01.loggly.com/inputs/…/tag/http/" },
	{ "https://acme.webhook.office.com/webhookb2/"
	  "6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42@"
	  "0873ee4d-d342-44f2-8961-74c442a2fad2/IncomingWebhook/"
	  "3c5d8e7fa0b14c2d9e6f1a2b3c4d5e6f",
	    "https://acme.webhook.office.com/webhookb2/…/IncomingWebhook/…" },
	{ "https://in.example.com/9f86d081884c7d65?key=hunter2#x",
	    "https://in.example.com/…" },
	/* What is no address, or has more in it than one should. */
	{ "https://logs:hunter2@in.example.com/in",
	    "https://…@in.example.com/in" },
	{ "https://in.example.com?to=a@b", "https://in.example.com" },
	{ "/login/q8Zk2LxV9sWb4TnR7yUcJ1mD?next=https://in.example.com/",
	    "/login/…" },
	{ "in.example.com:8080/in", NULL },
	{ "q8Zk2LxV9sWb4TnR7yUcJ1mD", "…" },
	{ "//a//", NULL },
	{ "", NULL },
};

START_TEST(tokens_are_not_shown)
{
	const char *url = shown[_i].url;
	char *text = http_shown(url);

	ck_assert_str_eq(text, shown[_i].shown == NULL ? url : shown[_i].shown);
	free(text);
}
END_TEST

#define TOKEN "q8Zk2LxV9sWb4TnR7yUcJ1mD"

START_TEST(what_repeats_a_token)
{
	struct buf text = BUF_INIT(200);

	http_hide("https://in.example.com/in/" TOKEN, &text);
	ck_assert_int_eq(buf_adds(&text,
			     "Cannot POST /in/" TOKEN ": " TOKEN "/no"),
	    0);
	http_hide("https://in.example.com/in/" TOKEN "?in=no", &text);
	ck_assert_str_eq(text.data,
	    "Cannot POST /in/************************: "
	    "************************/no");
	buf_release(&text);
}
END_TEST

Suite *
suite_urls(void)
{
	Suite *s = suite_create("urls");
	TCase *tc = tcase_create("urls");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, one_rule_for_all, 0, ROWS(rows));
	tcase_add_test(tc, all_types_are_here);
	tcase_add_loop_test(tc, collectors_have_other_names, 0,
	    ROWS(collectors));
	tcase_add_loop_test(tc, parts_are_joined, 0, ROWS(joints));
	tcase_add_test(tc, beside_an_endpoint);
	tcase_add_loop_test(tc, tokens_are_not_shown, 0, ROWS(shown));
	tcase_add_test(tc, what_repeats_a_token);
	suite_add_tcase(s, tc);
	return s;
}
