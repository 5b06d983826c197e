/*
 * test_probes.c - check --live of outputs over HTTP: each explains a refusal in
 * the terms of its SIEM.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define CODE(n, text) "{\"text\":\"" text "\",\"code\":" #n "}"
#define S3(code)                                    \
	"<?xml version=\"1.0\"?><Error><Code>" code \
	"</Code><Message>m</Message>"               \
	"</Error>"
#define BUCKET "bucket: m365, aws: {region: eu-central-1, key: \"AKID:secret\"}"
#define AZURE(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"
#define SENTINEL                                                    \
	"rule: dcr-00000000000000000000000000000007, tenant: " GUID \
	", client_id: " GUID ", client_secret: s, login_url: \"@/login\""
#define BLOB "bucket: m365, account: a, key: a2V5"
#define GUID "0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11"
#define TOKEN "{\"access_token\":\"t\",\"expires_in\":3599}"

static const struct {
	const struct output_type *type;
	const char *options;
	const char *path; /* behind the URL */
	int status;
	const char *body;
	const char *says[2];
} rows[] = {
	{ &output_splunk_hec, "token: abc", "", 403, CODE(1, "Token disabled"),
	    { "the token is disabled", "Data inputs" } },
	{ &output_splunk_hec, "token: abc", "", 403, CODE(4, "Invalid token"),
	    { "not known", "check token" } },
	{ &output_splunk_hec, "token: abc, index: m365", "", 400,
	    CODE(7, "Incorrect index"), { "allowed indexes", "change index" } },
	{ &output_cribl, "token: abc", "", 401, "Unauthorized",
	    { "credentials", "token" } },
	{ &output_vector, "token: abc", "", 401,
	    CODE(3, "Invalid authorization"), { "malformed", "check token" } },
	{ &output_fluent_bit, "token: abc", "", 401, "error: unauthorized",
	    { "credentials", "token" } },
	{ &output_crowdstrike_logscale, "token: abc", "", 401,
	    "The supplied authentication is invalid",
	    { "credentials", "token" } },
	{ &output_logstash, "basic: \"u:p\"", "", 401, "", { "basic", "401" } },
	{ &output_panther, "bearer: a", "/http/1", 403, "{}",
	    { "credentials", "403" } },
	{ &output_axiom, "token: a, dataset: d", "", 404,
	    "{\"code\":404,\"message\":\"dataset not found\"}",
	    { "no such data set", "check dataset" } },
	{ &output_axiom, "token: a, dataset: d", "", 403,
	    "{\"message\":\"forbidden\"}", { "check token", "ingest" } },
	{ &output_new_relic, "license_key: a", "", 403, "{}",
	    { "check license_key", "region" } },
	{ &output_otlp, "", "", 415, "",
	    { "encoding: json", "compress: false" } },
	{ &output_loki, "", "", 401, "no org id",
	    { "no org id", "set tenant" } },
	{ &output_datadog, "api_key: a", "", 403,
	    "{\"errors\":[{\"title\":\"Forbidden\"}]}",
	    { "API key is not accepted", "site" } },
	{ &output_sumologic, "", "/receiver/v1/http/x", 401, "",
	    { "does not know the token", "copy the address" } },
	{ &output_graylog, "", "", 401, "", { "401", "check headers" } },
	{ &output_elasticsearch, "api_key: a", "", 401,
	    "{\"error\":{\"reason\":\"unable to authenticate\"}}",
	    { "unable to authenticate", "check api_key" } },
	{ &output_elasticsearch, "aws: {region: eu-west-1, key: \"A:b\"}", "",
	    403, "{\"error\":{\"reason\":\"Signature expired\"}}",
	    { "Signature expired", "clock" } },
	{ &output_s3, BUCKET, "", 403, S3("RequestTimeTooSkewed"),
	    { "RequestTimeTooSkewed", "set this machine's clock" } },
	{ &output_s3, BUCKET, "", 404, S3("NoSuchBucket"),
	    { "NoSuchBucket", "no such bucket" } },
	{ &output_s3, BUCKET, "", 301, S3("PermanentRedirect"),
	    { "another region", "aws.region" } },
	{ &output_s3, BUCKET, "", 400, S3("AuthorizationHeaderMalformed"),
	    { "AuthorizationHeaderMalformed", "aws.region" } },
	{ &output_s3, BUCKET, "", 403, S3("InvalidAccessKeyId"),
	    { "InvalidAccessKeyId", "aws.key" } },
	{ &output_s3, BUCKET, "", 403, S3("AccessDenied"),
	    { "AccessDenied", "s3:PutObject" } },
	{ &output_s3, BUCKET, "", 400, S3("KeyTooLongError"),
	    { "KeyTooLong", "shorten path" } },
	{ &output_s3, BUCKET, "", 403, S3("AllAccessDisabled"),
	    { "AllAccessDisabled", "ask AWS" } },
	{ &output_azure_blob, BLOB, "", 404, S3("ContainerNotFound"),
	    { "ContainerNotFound", "no such container" } },
	{ &output_azure_blob, BLOB, "", 403, S3("AuthorizationFailure"),
	    { "Storage Blob Data Contributor", "network rules" } },
	{ &output_azure_blob, BLOB, "", 403, S3("AuthenticationFailed"),
	    { "AuthenticationFailed", "clock" } },
	{ &output_coralogix, "key: a", "", 402, "", { "402", "quota" } },
	{ &output_coralogix, "key: a", "", 403, "{\"message\":\"Forbidden\"}",
	    { "Forbidden", "Send-Your-Data" } },
	{ &output_sentinel, SENTINEL, "", 404, AZURE("RuleNotFound"),
	    { "RuleNotFound", "check rule" } },
	{ &output_sentinel, SENTINEL, "", 400, AZURE("InvalidStream"),
	    { "InvalidStream", "check stream" } },
	{ &output_sentinel, SENTINEL, "", 403, AZURE("OperationFailed"),
	    { "Monitoring Metrics Publisher", "data collection rule" } },
};

START_TEST(refusals)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const struct output_type *type = rows[_i].type;

	rig_set_up(type);
	if (strstr(rows[_i].options, "/login") != NULL)
		rig_expect("/login", 200, TOKEN);
	rig_expect("", rows[_i].status, rows[_i].body);
	rig_begin(1, "{}", rows[_i].options, rows[_i].path);
	ck_assert_int_eq(type->probe(&intake_rig.c.out, &message, &err), -1);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(strstr(err.text, rows[_i].says[i]) != NULL,
		    "%s: \"%s\" is not in \"%s\"", type->type.name,
		    rows[_i].says[i], err.text);
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_probes(void)
{
	Suite *s = suite_create("probes");
	TCase *tc = tcase_create("probes");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, refusals, 0, ROWS(rows));
	suite_add_tcase(s, tc);
	return s;
}
