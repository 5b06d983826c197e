/*
 * test_outputs.c - options, addresses, fingerprints, meanings of answers.
 */
#include <string.h>

#include "outputs/http/headers.h"
#include "outputs/http/status.h"
#include "outputs/syslog/conf.h"
#include "tests/unit/unit.h"

static const struct {
	const char *address;
	const char *host; /* NULL: not one */
	const char *port;
} addresses[] = {
	{ "siem.example.com:6514", "siem.example.com", "6514" },
	{ "127.0.0.1:1", "127.0.0.1", "1" },
	{ "[::1]:65535", "::1", "65535" },
	{ "::1:6514", NULL, NULL },
	{ "[::1:6514", NULL, NULL },
	{ "siem.example.com", NULL, NULL },
	{ "siem.example.com:", NULL, NULL },
	{ "siem.example.com:0", NULL, NULL },
	{ "siem.example.com:65536", NULL, NULL },
	{ "siem.example.com:6514x", NULL, NULL },
	{ ":6514", NULL, NULL },
	{ "", NULL, NULL },
};

START_TEST(address)
{
	char host[256], port[6];
	int rc = syslog_address(addresses[_i].address, host, port);

	if (addresses[_i].host == NULL) {
		ck_assert_int_eq(rc, -1);
		return;
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_str_eq(host, addresses[_i].host);
	ck_assert_str_eq(port, addresses[_i].port);
}
END_TEST

START_TEST(loopback)
{
	ck_assert(syslog_loopback("localhost"));
	ck_assert(syslog_loopback("127.0.0.1"));
	ck_assert(syslog_loopback("127.9.9.9"));
	ck_assert(syslog_loopback("::1"));
	ck_assert(!syslog_loopback("10.0.0.1"));
	ck_assert(!syslog_loopback("127.0.0.1.example.com"));
	ck_assert(!syslog_loopback("localhost.example.com"));
}
END_TEST

#define PAIRS15 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:"

START_TEST(fingerprint)
{
	static const char *const wrong[] = {
		"",
		"sha-256:",
		"sha-1:" PAIRS15 PAIRS15 "0F:ff",
		PAIRS15 PAIRS15 "0F:ff",
		"sha-256:" PAIRS15 PAIRS15 "0F",
		"sha-256:" PAIRS15 PAIRS15 "0F:ff:",
		"sha-256:" PAIRS15 PAIRS15 "0F:ff:00",
		"sha-256:" PAIRS15 PAIRS15 "0F:f",
		"sha-256:" PAIRS15 PAIRS15 "0F:fg",
		"sha-256:" PAIRS15 PAIRS15 "0F-ff",
	};
	uint8_t digest[32];

	ck_assert_int_eq(syslog_fingerprint("sha-256:" PAIRS15 PAIRS15 "0F:ff",
			     digest),
	    0);
	ck_assert_int_eq(digest[0], 0x00);
	ck_assert_int_eq(digest[14], 0xee);
	ck_assert_int_eq(digest[30], 0x0f);
	ck_assert_int_eq(digest[31], 0xff);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(syslog_fingerprint(wrong[i], digest), -1);
}
END_TEST

static const struct {
	int status;
	enum verdict verdict;
} verdicts[] = {
	{ 200, VERDICT_DELIVERED },
	{ 202, VERDICT_DELIVERED },
	{ 204, VERDICT_DELIVERED },
	{ 301, VERDICT_BLOCKED },
	{ 307, VERDICT_BLOCKED },
	{ 400, VERDICT_REFUSED },
	{ 401, VERDICT_BLOCKED },
	{ 403, VERDICT_BLOCKED },
	{ 404, VERDICT_BLOCKED },
	{ 407, VERDICT_BLOCKED },
	{ 408, VERDICT_RETRY },
	{ 413, VERDICT_REFUSED },
	{ 422, VERDICT_REFUSED },
	{ 425, VERDICT_RETRY },
	{ 429, VERDICT_RETRY },
	{ 500, VERDICT_RETRY },
	{ 503, VERDICT_RETRY },
	{ 599, VERDICT_RETRY },
	{ 0, VERDICT_RETRY },
	{ 999, VERDICT_RETRY },
};

START_TEST(status)
{
	ck_assert_int_eq(http_meaning(verdicts[_i].status)->verdict,
	    verdicts[_i].verdict);
}
END_TEST

START_TEST(header_value)
{
	static const char line[] = "ReTRY-After: \t120 \r\n";
	char out[64] = "", cut[3] = "";

	http_head_value("X: 1\r\n", 6, "retry-after", out, sizeof(out));
	ck_assert_str_eq(out, "");
	http_head_value("retry-after", 11, "retry-after", out, sizeof(out));
	ck_assert_str_eq(out, "");
	http_head_value(line, sizeof(line) - 1, "retry-after", out,
	    sizeof(out));
	ck_assert_str_eq(out, "120");
	http_head_value(line, sizeof(line) - 1, "retry-after", cut,
	    sizeof(cut));
	ck_assert_str_eq(cut, "12");
}
END_TEST

Suite *
suite_outputs(void)
{
	Suite *s = suite_create("outputs");
	TCase *tc = tcase_create("syslog");
	TCase *http = tcase_create("http");

	tcase_add_loop_test(tc, address, 0,
	    sizeof(addresses) / sizeof(addresses[0]));
	tcase_add_test(tc, loopback);
	tcase_add_test(tc, fingerprint);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(http, status, 0,
	    sizeof(verdicts) / sizeof(verdicts[0]));
	tcase_add_test(http, header_value);
	suite_add_tcase(s, http);
	return s;
}
