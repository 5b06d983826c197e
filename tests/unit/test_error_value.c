/*
 * test_error_value.c - which JSON values say that something failed, of vendors
 * and of receivers that are judged by their bodies.
 */
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "http/error_value.h"
#include "outputs/http/receipt.h"
#include "tests/unit/unit.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *json;
	bool is;
} values[] = {
	/* What many have in every reply. */
	{ "null", false },
	{ "false", false },
	{ "0", false },
	{ "0.0", false },
	{ "200", false },
	{ "204", false },
	{ "\"\"", false },
	{ "\"0\"", false },
	{ "\"OK\"", false },
	{ "\"None\"", false },
	{ "\"No error\"", false },
	{ "[]", false },
	{ "{}", false },
	{ "[null, false, \"\", [], {}]", false },
	{ "{\"message\":\"\",\"details\":[]}", false },
	{ "{\"code\":0,\"message\":\"Success.\"}", false },
	{ "{\"errorCode\":\"0\",\"message\":\"all well\"}", false },
	{ "{\"status\":200,\"text\":\"done\"}", false },
	{ "[{\"code\":\"ok\"},{\"code\":\"success\"}]", false },
	/* What failed. */
	{ "true", true },
	{ "1", true },
	{ "-1", true },
	{ "199", true },
	{ "300", true },
	{ "401", true },
	{ "2000", true },
	{ "0.5", true },
	{ "\"unauthorized\"", true },
	{ "\"1\"", true },
	{ "[\"no\"]", true },
	{ "[null, {\"message\":\"shard 2\"}]", true },
	{ "{\"code\":401}", true },
	{ "{\"code\":\"\",\"message\":\"no\"}", true },
	{ "{\"code\":403,\"status\":200}", true },
	{ "{\"message\":\"no\"}", true },
	{ "{\"a\":{\"b\":[{\"c\":\"no\"}]}}", true },
	{ "[{\"code\":\"ok\"},{\"code\":\"no\"}]", true },
};

START_TEST(values_that_are_errors)
{
	json_t *v = json_loads(values[_i].json, JSON_DECODE_ANY, NULL);

	ck_assert_ptr_nonnull(v);
	ck_assert_msg(error_value(v) == values[_i].is, "%s", values[_i].json);
	json_decref(v);
}
END_TEST

/* Bodies under 200: what a receiver that nobody reads says by them, and one
 * whose dialect reads flags and counts. */
static const struct {
	const char *body;
	bool plain, read;
} bodies[] = {
	{ "", false, false },
	{ "ok", false, false },
	{ "{}", false, false },
	{ "{\"took\":3,\"errors\":false}", false, false },
	{ "{\"errors\":[]}", false, false },
	{ "{\"error\":null,\"errors\":0}", false, false },
	{ "{\"error\":\"none\"}", false, false },
	{ "{\"error\":{\"code\":0,\"message\":\"Success.\"}}", false, false },
	{ "{\"message\":\"error\"}", false, false },
	{ "{\"took\":3,\"errors\":true}", true, false },
	{ "{\"errors\":2}", true, false },
	{ "{\"errors\":[],\"error\":\"unauthorized\"}", true, true },
	{ "{\"error\":{\"code\":401}}", true, true },
	{ "{\"Errors\":[{\"title\":\"Forbidden\"}]}", true, true },
	{ "{\"Error\":\"no\"}", true, true },
	{ "{\"odata.error\":{\"code\":\"x\"}}", true, true },
	{ "{\"fault\":{\"faultstring\":\"Invalid ApiKey\"}}", true, true },
};

START_TEST(bodies_that_are_no_receipts)
{
	const char *body = bodies[_i].body;
	struct buf text = { .data = (char *)(uintptr_t)body,
		.len = strlen(body) };
	const struct receipt_body b = { .text = &text,
		.type = "application/json" };
	struct err err = ERR_INIT;
	struct receipt r;

	for (int plain = 0; plain < 2; plain++) {
		ck_assert_int_eq(receipt_init(&r, NULL, plain == 1, &err), 0);
		ck_assert_msg((receipt_fault(&r, &b) != NULL) ==
			(plain == 1 ? bodies[_i].plain : bodies[_i].read),
		    "%s: %d", body, plain);
		receipt_release(&r);
	}
}
END_TEST

Suite *
suite_error_value(void)
{
	Suite *s = suite_create("error_value");
	TCase *tc = tcase_create("error_value");

	tcase_add_loop_test(tc, values_that_are_errors, 0, ROWS(values));
	tcase_add_loop_test(tc, bodies_that_are_no_receipts, 0, ROWS(bodies));
	suite_add_tcase(s, tc);
	return s;
}
