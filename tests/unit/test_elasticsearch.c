/*
 * test_elasticsearch.c - the bulk API: documents, items of an answer, keys.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define EVENT "{\"Id\":\"a\\\"1\"}"
#define BULK "/es/_bulk"
#define CREATED "{\"create\":{\"status\":201}}"

static void
set_up(void)
{
	rig_set_up(&output_elasticsearch);
}

static void
begin(size_t n)
{
	rig_begin(n, EVENT, "api_key: abc", "/es");
}

START_TEST(documents)
{
	rig_expect(BULK, 200, "{\"items\":[" CREATED "]}");
	begin(1);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_eq(strstr(rig_request(0),
			     "POST /es/_bulk?filter_path=errors%2Citems.%2A."
			     "error%2Citems.%2A.failure_store%2Citems.%2A."
			     "status HTTP"),
	    rig_request(0));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nAuthorization: ApiKey abc\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/x-ndjson\r\n"));
	ck_assert_str_eq(rig_body(0),
	    "{\"create\":{\"_index\":\"logs-sealfeed.unknown-default\","
	    "\"_id\":\"fra1/contoso/Audit.Exchange/42\"}}\n"
	    "{\"@timestamp\":\"1970-01-02T00:00:00.000000Z\",\"event\":{"
	    "\"dataset\":\"sealfeed.unknown\",\"module\":\"sealfeed\","
	    "\"original\":\"{\\\"Id\\\":\\\"a\\\\\\\"1\\\"}\"},"
	    "\"tags\":[\"forwarded\",\"preserve_original_event\"],"
	    "\"sealfeed\":{\"feed\":\"contoso/Audit.Exchange\",\"index\":42,"
	    "\"agent\":\"fra1\"},\"data_stream\":{\"type\":\"logs\","
	    "\"dataset\":\"sealfeed.unknown\",\"namespace\":\"default\"}}\n");
	rig_end();
}
END_TEST

/* In the members that the integration's pipeline reads. */
static const struct {
	struct event_shape shape;
	const char *document;
} in_shape[] = {
	{ { .dataset = "okta.system", .text = "message" },
	    "\"event\":{\"dataset\":\"okta.system\",\"module\":\"okta\"},"
	    "\"message\":\"{\\\"Id\\\":\\\"a\\\\\\\"1\\\"}\",\"tags\":[" },
	{ { .dataset = "o365.audit", .record = "o365audit" },
	    "\"event\":{\"dataset\":\"o365.audit\",\"module\":\"o365\","
	    "\"original\":\"{\\\"Id\\\":\\\"a\\\\\\\"1\\\"}\"},\"tags\":[" },
	{ { .dataset = "o365.audit", .record = "o365audit" },
	    ",\"o365audit\":" EVENT "}\n" },
};

START_TEST(documents_of_an_integration)
{
	courier_shape = &in_shape[_i].shape;
	rig_expect(BULK, 200, "{\"items\":[" CREATED "]}");
	begin(1);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_msg(strstr(rig_body(0), in_shape[_i].document) != NULL, "%s",
	    rig_body(0));
	rig_end();
	courier_shape = NULL;
}
END_TEST

START_TEST(an_index_of_ones_own)
{
	rig_expect(BULK, 200, "{\"items\":[" CREATED "]}");
	rig_begin(1, EVENT, "index: audit", "/es/_bulk");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(strncmp(rig_body(0),
			     "{\"create\":{\"_index\":\"audit\",", 28),
	    0);
	ck_assert_ptr_null(strstr(rig_body(0), "data_stream"));
	rig_end();
}
END_TEST

#define ITEM(status, type)                                                \
	"{\"create\":{\"_index\":\"x\",\"status\":" status ",\"error\":{" \
	"\"type\":\"" type "\",\"reason\":\"because\"}}}"

/* Of three events: what becomes of the last two; the first is created. */
static const struct {
	const char *items;
	enum verdict verdict;
	enum chunk_mark marks[3];
	const char *why;
} answers[] = {
	{ CREATED "," CREATED "," CREATED, VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_DELIVERED, CHUNK_DELIVERED }, NULL },
	{ CREATED
	    "," ITEM("409", "version_conflict_engine_exception") "," CREATED,
	    VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_DELIVERED, CHUNK_DELIVERED }, NULL },
	{ CREATED "," ITEM("400", "document_parsing_exception") "," CREATED,
	    VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_REFUSED, CHUNK_DELIVERED }, NULL },
	{ CREATED "," ITEM("400", "mapper") "," ITEM("400", "mapper"),
	    VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_REFUSED, CHUNK_REFUSED }, NULL },
	{ CREATED
	    "," ITEM("429", "es_rejected_execution_exception") "," CREATED,
	    VERDICT_RETRY, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "es_rejected" },
	{ CREATED "," ITEM("503", "unavailable_shards_exception") "," CREATED,
	    VERDICT_RETRY, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "unavailable" },
	{ CREATED "," ITEM("403", "security_exception") "," CREATED,
	    VERDICT_BLOCKED, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "security_exception" },
	{ CREATED "," ITEM("404", "index_not_found_exception") "," CREATED,
	    VERDICT_BLOCKED, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "index_not_found" },
	/* No fault of the event. */
	{ CREATED "," ITEM("400", "index_closed_exception") "," CREATED,
	    VERDICT_BLOCKED, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "index_closed" },
	{ CREATED
	    ",{\"create\":{\"status\":400,\"error\":{\"type\":"
	    "\"validation_exception\",\"reason\":\"this action would add [2] "
	    "shards, but this cluster currently has [1000]/[1000] maximum "
	    "normal shards open;\"}}}," CREATED,
	    VERDICT_BLOCKED, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "maximum normal shards" },
	{ CREATED
	    ",{\"create\":{\"status\":400,\"error\":{\"type\":"
	    "\"illegal_argument_exception\",\"reason\":\"pipeline with id "
	    "[x] does not exist\"}}}," CREATED,
	    VERDICT_BLOCKED, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "pipeline" },
	{ CREATED
	    ",{\"create\":{\"status\":400,\"error\":{\"type\":"
	    "\"illegal_argument_exception\",\"reason\":\"Document ID is not "
	    "supported in create/index operation request\"}}}," CREATED,
	    VERDICT_BLOCKED, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "Document ID" },
	/* It is kept, but not where anybody looks. */
	{ CREATED ",{\"create\":{\"failure_store\":\"used\",\"status\":201}}"
		  "," CREATED,
	    VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_REFUSED, CHUNK_DELIVERED }, NULL },
	{ CREATED ",{\"create\":{\"failure_store\":"
		  "\"not_applicable_or_unknown\",\"status\":201}}," CREATED,
	    VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_DELIVERED, CHUNK_DELIVERED }, NULL },
	{ CREATED ",{\"create\":{\"status\":400,\"failure_store\":"
		  "\"failed\",\"error\":{\"type\":\"mapper\"}}}," CREATED,
	    VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_REFUSED, CHUNK_DELIVERED }, NULL },
	{ CREATED "," ITEM("409", "another_conflict") "," CREATED,
	    VERDICT_RETRY, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "another_conflict" },
	/* Fewer, and more, than there are. */
	{ CREATED, VERDICT_RETRY, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_OPEN },
	    "does not tell of all" },
	{ CREATED "," CREATED "," CREATED "," CREATED, VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_DELIVERED, CHUNK_DELIVERED }, NULL },
	/* Numbers as strings, or none that could be a status. */
	{ ITEM("\"201\"", "x") "," ITEM("\"400\"", "mapper") "," ITEM("\"409\"",
	      "version_conflict_engine_exception"),
	    VERDICT_DELIVERED,
	    { CHUNK_DELIVERED, CHUNK_REFUSED, CHUNK_DELIVERED }, NULL },
	{ CREATED "," ITEM("\"429\"", "busy") "," ITEM("200.0", "x"),
	    VERDICT_RETRY, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "ends in 429" },
	{ CREATED "," ITEM("4294967497", "x") "," ITEM("\"\"", "x"),
	    VERDICT_RETRY, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_OPEN },
	    "ends in 0" },
	/* Statuses of all kinds in one answer. */
	{ ITEM("200", "") "," ITEM("503", "unavailable") "," ITEM("409", ""),
	    VERDICT_RETRY, { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_DELIVERED },
	    "unavailable" },
	{ CREATED ",{\"create\":{}},7", VERDICT_RETRY,
	    { CHUNK_DELIVERED, CHUNK_OPEN, CHUNK_OPEN }, "ends in 0" },
};

START_TEST(items_of_an_answer)
{
	struct buf body = BUF_INIT(8192);

	ck_assert_int_eq(buf_addf(&body,
			     "{\"took\":3,\"errors\":false,\"items\":[%s]}",
			     answers[_i].items),
	    0);
	rig_expect(BULK, 200, body.data);
	begin(3);
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%s: %s",
	    answers[_i].items, intake_rig.c.why);
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(chunk_mark(intake_rig.c.chunk, i) ==
			    answers[_i].marks[i] ||
			(i == 0 && answers[_i].verdict == VERDICT_DELIVERED),
		    "%s: %zu", answers[_i].items, i);
	if (answers[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	buf_release(&body);
	rig_end();
}
END_TEST

static const struct {
	int status;
	const char *body;
	enum verdict verdict;
} others[] = {
	{ 200, "", VERDICT_BLOCKED },
	{ 200, "{\"errors\":false,\"items\":[]}", VERDICT_BLOCKED },
	{ 200, "{\"errors\":false}", VERDICT_BLOCKED },
	{ 200, "[]", VERDICT_BLOCKED },
	{ 200, "<html><title>Login</title>", VERDICT_BLOCKED },
	{ 401, "{\"error\":{\"type\":\"security_exception\"}}",
	    VERDICT_BLOCKED },
	{ 403, "{}", VERDICT_BLOCKED },
	{ 404, "{}", VERDICT_BLOCKED },
	{ 413, "<html>413", VERDICT_REFUSED },
	{ 400, "{}", VERDICT_REFUSED },
	{ 429, "{}", VERDICT_RETRY },
	{ 503, "{}", VERDICT_RETRY },
	/* Cut off in the middle: what it told counts. */
	{ 200, "{\"items\":[" CREATED "," CREATED, VERDICT_RETRY },
};

START_TEST(other_answers)
{
	rig_expect(BULK, others[_i].status, others[_i].body);
	begin(3);
	intake_rig.c.out.blocked = true;
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == others[_i].verdict, "%s: %s",
	    others[_i].body, intake_rig.c.why);
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	rig_end();
}
END_TEST

/* Value of a header of a request, up to the line's end. */
static struct slice
header_of(const char *request, const char *name)
{
	const char *at = strcasestr(request, name);

	ck_assert_ptr_nonnull(at);
	at += strlen(name);
	return (struct slice){ at, strcspn(at, "\r\n") };
}

static void
add_hex_sha256(struct buf *out, const char *s, size_t len)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];

	(void)SHA256((const unsigned char *)s, len, digest);
	text_hex(hex, digest, sizeof(digest));
	ck_assert_int_eq(buf_adds(out, hex), 0);
}

/* The canonical request: of headers those that are said to be signed. */
static void
canonical(const char *request, struct slice names, struct buf *out)
{
	const char *target = strchr(request, ' ') + 1, *body;
	size_t path = strcspn(target, "?"), len = strcspn(target, " ");
	char name[128];

	ck_assert_int_eq(buf_addf(out, "POST\n%.*s\n%.*s\n", (int)path, target,
			     (int)(len - path - 1), target + path + 1),
	    0);
	for (size_t i = 0; i < names.len;) {
		size_t n = strcspn(names.data + i, ";,");
		struct slice value;

		(void)snprintf(name, sizeof(name), "\r\n%.*s: ", (int)n,
		    names.data + i);
		value = header_of(request, name);
		ck_assert_int_eq(buf_addf(out, "%.*s:%.*s\n", (int)n,
				     names.data + i, (int)value.len,
				     value.data),
		    0);
		i += n + 1;
	}
	ck_assert_int_eq(buf_addf(out, "\n%.*s\n", (int)names.len, names.data),
	    0);
	body = strstr(request, "\r\n\r\n") + 4;
	add_hex_sha256(out, body, strlen(body));
}

/* The signature that AWS computes of what arrives: docs.aws.amazon.com, "Create
 * a signed AWS API request". */
static void
aws_signature(const char *request, const char *service, char hex[65])
{
	struct slice date = header_of(request, "\r\nX-Amz-Date: ");
	struct slice names = header_of(request, "SignedHeaders=");
	struct buf creq = BUF_INIT(65536), text = BUF_INIT(65536);
	unsigned char key[64] = "AWS4se+cret", next[64];
	const char *parts[] = { NULL, "eu-west-1", service, "aws4_request" };
	unsigned int len = (unsigned int)strlen((char *)key);
	char day[9];

	(void)snprintf(day, sizeof(day), "%.8s", date.data);
	parts[0] = day;
	names.len = strcspn(names.data, ",");
	canonical(request, names, &creq);
	ck_assert_int_eq(buf_addf(&text,
			     "AWS4-HMAC-SHA256\n%.*s\n%s/eu-west-1/%s/"
			     "aws4_request\n",
			     (int)date.len, date.data, day, service),
	    0);
	add_hex_sha256(&text, creq.data, creq.len);
	for (size_t i = 0; i < 4; i++) {
		(void)HMAC(EVP_sha256(), key, (int)len,
		    (const unsigned char *)parts[i], strlen(parts[i]), next,
		    &len);
		memcpy(key, next, len);
	}
	(void)HMAC(EVP_sha256(), key, (int)len, (unsigned char *)text.data,
	    text.len, next, &len);
	text_hex(hex, next, len);
	buf_release(&creq);
	buf_release(&text);
}

START_TEST(signed_for_aws)
{
	static const char *const services[] = { "es", "aoss" };
	char options[128], signature[65];

	rig_expect(BULK, 200, "{\"items\":[" CREATED "]}");
	(void)snprintf(options, sizeof(options),
	    "aws: {region: eu-west-1, service: %s, key: \"AKID:se+cret\", "
	    "token: tmp}",
	    services[_i]);
	rig_begin(1, EVENT, options, "/es");
	courier_deliver(&intake_rig.c);
	aws_signature(rig_request(0), services[_i], signature);
	ck_assert_ptr_nonnull(strstr(rig_request(0), signature));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nX-Amz-Security-Token: tmp\r\n"));
	ck_assert_int_eq(strstr(rig_request(0), "\r\nX-Amz-Content-Sha256: ") !=
		NULL,
	    _i == 1);
	rig_end();
}
END_TEST

/* Keys of a role that the machine has, from where containers get them. */
START_TEST(signed_with_keys_of_a_role)
{
	char url[128];

	rig_expect("/keys", 200,
	    "{\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"s\",\"Token\":"
	    "\"tmp\",\"Expiration\":\"2999-01-01T00:00:00Z\"}");
	rig_expect(BULK, 200, "{\"items\":[" CREATED "]}");
	rig_begin(1, EVENT, "aws: {region: eu-west-1}", "/es");
	(void)snprintf(url, sizeof(url), "%s/keys",
	    canned_url(intake_rig.server));
	ck_assert_int_eq(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1),
	    0);
	courier_deliver(&intake_rig.c);
	(void)unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_ptr_nonnull(strstr(rig_request(1), "Credential=ASIA1/"));
	ck_assert_ptr_nonnull(strstr(rig_request(1), "/eu-west-1/es/"));
	ck_assert_ptr_nonnull(strstr(rig_request(1),
	    "\r\nX-Amz-Security-Token: tmp\r\n"));
	rig_end();
}
END_TEST

#define ROOT                                                                   \
	"{\"version\":{\"number\":\"2.19.1\",\"distribution\":\"opensearch\"}" \
	"}"

/* check --live: the answers to its three steps. */
static const struct {
	int status[3];
	const char *body[3];
	int rc;
	const char *says;
} probes[] = {
	{ { 200, 400, 200 }, { ROOT, "{}", "{\"has_all_requested\":true}" }, 0,
	    "OpenSearch 2.19.1\nit may write" },
	{ { 200, 400, 400 }, { ROOT, "{}", "no handler" }, 0, "not tested" },
	{ { 403, 400, 404 }, { "{}", "{}", "{}" }, 0, "not tested" },
	{ { 401, 401, 401 },
	    { "{\"error\":{\"reason\":\"unable to authenticate\"}}", "{}",
		"{}" },
	    -1, "unable to authenticate; check api_key" },
	{ { 200, 403, 200 }, { ROOT, "{}", "{}" }, -1, "what they may do" },
	{ { 200, 400, 200 }, { ROOT, "{}", "{\"has_all_requested\":false}" },
	    -1, "create_doc" },
	{ { 200, 404, 200 }, { ROOT, "{}", "{}" }, -1, "check url" },
	{ { 200, 400, 200 }, { "<html><title>Kibana</title>", "{}", "{}" }, -1,
	    "Kibana" },
};

START_TEST(live)
{
	static const char *const paths[] = { "/es HTTP", BULK,
		"/es/_security/user/_has_privileges" };
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	for (int i = 0; i < 3; i++)
		rig_expect(i == 0 ? "/es" : paths[i], probes[_i].status[i],
		    probes[_i].body[i]);
	begin(1);
	ck_assert_msg(output_elasticsearch.probe(&intake_rig.c.out, &message,
			  &err) == probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_elasticsearch(void)
{
	Suite *s = suite_create("elasticsearch");
	TCase *tc = tcase_create("elasticsearch");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, documents);
	tcase_add_loop_test(tc, documents_of_an_integration, 0, ROWS(in_shape));
	tcase_add_test(tc, an_index_of_ones_own);
	tcase_add_loop_test(tc, items_of_an_answer, 0, ROWS(answers));
	tcase_add_loop_test(tc, other_answers, 0, ROWS(others));
	tcase_add_loop_test(tc, signed_for_aws, 0, 2);
	tcase_add_test(tc, signed_with_keys_of_a_role);
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
