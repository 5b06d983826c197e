/*
 * test_presets.c - outputs that are another one with other defaults.
 */
#include <string.h>

#include "base/err.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define EVENT "{\"Id\":\"a-1\"}"

static const struct {
	const struct output_type *type;
	const char *options;
	const char *path;   /* behind the host of url */
	const char *target; /* that is asked */
	const char *header;
	const char *type_header;
	const char *body; /* begins so */
	const char *probe;
} presets[] = {
	{ &output_logstash, "basic: \"u:p\"", "", "/",
	    "\r\nAuthorization: Basic dTpw\r\n",
	    "\r\nContent-Type: application/json\r\n",
	    "[{\"feed\":\"contoso/Audit.Exchange\",\"index\":42,\"agent\":"
	    "\"fra1\",\"event\":" EVENT "}",
	    "[]" },
	{ &output_panther, "headers: {x-api-key: abc}", "/http/1", "/http/1",
	    "\r\nx-api-key: abc\r\n",
	    "\r\nContent-Type: application/x-ndjson\r\n",
	    EVENT "\n{\"Id\":\"b\"}\n", "" },
	{ &output_axiom, "token: abc, dataset: m365, encoding: json", "",
	    "/v1/logs",
	    "\r\nAuthorization: Bearer abc\r\n"
	    "X-Axiom-Dataset: m365\r\n",
	    "\r\nContent-Type: application/json\r\n", "{\"resourceLogs\":[",
	    "{\"resourceLogs\":[" },
	{ &output_new_relic, "license_key: abc, encoding: json", "/v1/logs",
	    "/v1/logs", "\r\napi-key: abc\r\n",
	    "\r\nContent-Type: application/json\r\n", "{\"resourceLogs\":[",
	    "{\"resourceLogs\":[" },
};

START_TEST(delivered)
{
	rig_set_up(presets[_i].type);
	rig_expect(presets[_i].target, 200, "{}");
	rig_begin(2, EVENT, presets[_i].options, presets[_i].path);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_msg(strstr(rig_request(0), presets[_i].header) != NULL, "%s",
	    rig_request(0));
	ck_assert_ptr_nonnull(strstr(rig_request(0), presets[_i].type_header));
	ck_assert_msg(strncmp(rig_body(0), presets[_i].body,
			  strlen(presets[_i].body)) == 0,
	    "%s", rig_body(0));
	rig_end();
}
END_TEST

/* How each dialect says by which way an event came. */
static const struct {
	const struct output_type *type;
	const char *options;
	const char *path;
	const char *target;
	const char *mark;
} ways[] = {
	{ &output_elasticsearch, "api_key: abc", "/es", "/es/_bulk",
	    "\"via\":\"backfill\"" },
	{ &output_splunk_hec, "token: abc", "", "/services/collector/event",
	    "\"sealfeed_via\":\"backfill\"" },
	{ &output_datadog, "api_key: abc", "", "/api/v2/logs",
	    "\"via\":\"backfill\"" },
	{ &output_loki, "encoding: json", "", "/loki/api/v1/push",
	    "\"sealfeed_via\":\"backfill\"" },
	{ &output_graylog, "parallel: 1", "", "/gelf",
	    "\"_sealfeed_via\":\"backfill\"" },
	{ &output_otlp, "encoding: json, bearer: abc", "", "/v1/logs",
	    "{\"key\":\"sealfeed.via\",\"value\":{\"stringValue\":"
	    "\"backfill\"}}" },
	{ &output_logstash, "basic: \"u:p\"", "", "/",
	    ",\"via\":\"backfill\",\"event\":" },
};

START_TEST(other_ways_are_said)
{
	courier_via = VIA_BACKFILL;
	rig_set_up(ways[_i].type);
	rig_expect(ways[_i].target, 200, "{}");
	rig_begin(1, EVENT, ways[_i].options, ways[_i].path);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(strstr(rig_body(0), ways[_i].mark) != NULL, "%s",
	    rig_body(0));
	courier_via = VIA_FEED;
	rig_end();
}
END_TEST

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const struct output_type *type = presets[_i].type;

	rig_set_up(type);
	rig_expect(presets[_i].target, 200, "{}");
	rig_begin(1, EVENT, presets[_i].options, presets[_i].path);
	ck_assert_msg(type->probe(&intake_rig.c.out, &message, &err) == 0, "%s",
	    err.text);
	ck_assert_ptr_nonnull(strstr(message.data, "acknowledged"));
	ck_assert_int_eq(strncmp(rig_body(0), presets[_i].probe,
			     strlen(presets[_i].probe)),
	    0);
	ck_assert_ptr_null(strstr(rig_body(0), "a-1"));
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_presets(void)
{
	Suite *s = suite_create("presets");
	TCase *tc = tcase_create("presets");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, delivered, 0, ROWS(presets));
	tcase_add_loop_test(tc, other_ways_are_said, 0, ROWS(ways));
	tcase_add_loop_test(tc, live, 0, ROWS(presets));
	suite_add_tcase(s, tc);
	return s;
}
