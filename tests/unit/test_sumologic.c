/*
 * test_sumologic.c - HTTP sources of Sumo Logic: lines, headers, and that the
 * address, which is a secret, is in no text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/err.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define PATH "/receiver/v1/http/"
#define CODE "ZaVnC4dhaV2"
#define EVENT "{\"Id\":\"a-1\"}"

static void
set_up(void)
{
	rig_set_up(&output_sumologic);
}

START_TEST(lines)
{
	rig_expect(PATH, 200, "");
	rig_begin(2, EVENT,
	    "category: c/d, name: n, host: h, fields: {env: p, x: y}",
	    PATH CODE);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_int_eq(strncmp(rig_request(0), "POST " PATH CODE " HTTP",
			     strlen("POST " PATH CODE " HTTP")),
	    0);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nX-Sumo-Category: c/d\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0), "\r\nX-Sumo-Name: n\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0), "\r\nX-Sumo-Host: h\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nX-Sumo-Fields: env=p,x=y\r\n"));
	ck_assert_str_eq(rig_body(0), EVENT "\n{\"Id\":\"b\"}\n");
	rig_end();
}
END_TEST

START_TEST(sealed)
{
	rig_expect(PATH, 200, "");
	rig_begin(1, EVENT, "envelope: seal", PATH CODE);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nX-Sumo-Host: fra1\r\n"));
	ck_assert_ptr_null(strstr(rig_request(0), "X-Sumo-Category"));
	ck_assert_str_eq(rig_body(0),
	    "{\"feed\":\"contoso/Audit.Exchange\",\"index\":42,\"agent\":"
	    "\"fra1\",\"event\":" EVENT "}\n");
	rig_end();
}
END_TEST

#define SEALED(index, event)                                    \
	"{\"feed\":\"contoso/Audit.Exchange\",\"index\":" index \
	",\"agent\":\"fra1\",\"event\":" event "}\n"

/* zlib's format, which is what HTTP calls deflate. */
START_TEST(deflated)
{
	const char *envelope = _i == 0 ? "none" : "seal", *at;
	char options[64], plain[1024] = "";
	uLongf len = sizeof(plain) - 1;

	(void)snprintf(options, sizeof(options),
	    "compress: true, coding: deflate, envelope: %s", envelope);
	rig_expect(PATH, 200, "");
	rig_begin(2, EVENT, options, PATH CODE);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Encoding: deflate\r\n"));
	ck_assert_ptr_null(strstr(rig_request(0), "Content-Encoding: gzip"));
	at = strstr(rig_request(0), "\r\nContent-Length: ");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(uncompress((Bytef *)plain, &len,
			     (const Bytef *)rig_body(0),
			     strtoul(at + 18, NULL, 10)),
	    Z_OK);
	ck_assert_str_eq(plain,
	    _i == 0 ? EVENT "\n{\"Id\":\"b\"}\n"
		    : SEALED("42", EVENT) SEALED("43", "{\"Id\":\"b\"}"));
	rig_end();
}
END_TEST

/* Of three events. */
static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} answers[] = {
	{ 200, "", VERDICT_DELIVERED, NULL },
	{ 202, "", VERDICT_BLOCKED, "not 200" },
	{ 200, "<html><title>Login</title>", VERDICT_BLOCKED, "web page" },
	{ 301, "", VERDICT_BLOCKED, "another deployment" },
	{ 400, "", VERDICT_REFUSED, "400" },
	{ 401, "", VERDICT_BLOCKED, "copy the address" },
	{ 404, "", VERDICT_BLOCKED, "copy the address" },
	{ 408, "", VERDICT_RETRY, "408" },
	{ 413, "", VERDICT_REFUSED, "max_body" },
	{ 429, "", VERDICT_RETRY, "429" },
	{ 503, "", VERDICT_RETRY, "503" },
	{ 504, "", VERDICT_RETRY, "504" },
};

START_TEST(meanings)
{
	rig_expect(PATH, answers[_i].status, answers[_i].body);
	rig_begin(3, EVENT, "", PATH CODE);
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%d %s: %s",
	    answers[_i].status, answers[_i].body, intake_rig.c.why);
	if (answers[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	ck_assert_ptr_null(strstr(intake_rig.c.why, CODE));
	rig_end();
}
END_TEST

/* A server that sends the address back, and nobody at all. */
START_TEST(address_is_in_no_text)
{
	rig_expect_with(PATH, 302, "Location: http://h" PATH CODE, "");
	rig_begin(1, EVENT, "", PATH CODE);
	intake_rig.c.out.blocked = true;
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_BLOCKED);
	ck_assert_ptr_null(strstr(intake_rig.c.why, CODE));
	rig_end();
}
END_TEST

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fprintf(file, "%s\n", text), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* The address in a file, which is made anew. */
START_TEST(in_a_file)
{
	char name[] = "/tmp/unit-sumologic-XXXXXX", path[128];

	ck_assert_int_eq(close(mkstemp(name)), 0);
	write_file(name, CODE);
	rig_expect(PATH CODE, 401, "");
	rig_expect(PATH "other", 200, "");
	(void)snprintf(path, sizeof(path), PATH "${file:%s}", name);
	rig_begin(1, EVENT, "", path);
	write_file(name, "other");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_uint_eq(canned_count(intake_rig.server), 2);
	rig_end();
	(void)remove(name);
}
END_TEST

static const struct {
	int status;
	int rc;
	const char *says;
} probes[] = {
	{ 200, 0, "delivery is acknowledged" },
	{ 401, -1, "copy the address" },
	{ 503, -1, "503" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(PATH CODE, probes[_i].status, "");
	rig_begin(1, EVENT, "", PATH CODE);
	ck_assert_msg(output_sumologic.probe(&intake_rig.c.out, &message,
			  &err) == probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_ptr_null(strstr(said, CODE));
	ck_assert_str_eq(rig_body(0), "");
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_sumologic(void)
{
	Suite *s = suite_create("sumologic");
	TCase *tc = tcase_create("sumologic");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, lines);
	tcase_add_test(tc, sealed);
	tcase_add_loop_test(tc, deflated, 0, 2);
	tcase_add_loop_test(tc, meanings, 0, ROWS(answers));
	tcase_add_test(tc, address_is_in_no_text);
	tcase_add_test(tc, in_a_file);
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
