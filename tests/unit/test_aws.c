/*
 * test_aws.c - signatures for AWS, after its published examples, and where keys
 * come from.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "http/aws.h"
#include "http/client.h"
#include "tests/unit/canned.h"
#include "tests/unit/unit.h"

/* The options are not const, but nobody writes to them. */
#define TEXT(s) ((char[]){ s })

/* -- signatures ------------------------------------------------------------ */

#define EXAMPLE "https://example.amazonaws.com"
#define BUCKET "https://examplebucket.s3.amazonaws.com"
#define TOKEN                                                                 \
	"AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW" \
	"LWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGd" \
	"QrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU" \
	"9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz" \
	"+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

/* Of the signing test suite, by the names there, and of "Authenticating
 * Requests" in the S3 API Reference. */
static const struct {
	const char *name;
	const char *method;
	const char *url;
	const char *header; /* NULL: none but host and date */
	const char *value;
	const char *body;
	const char *token;
	const char *signature;
} published[] = {
	{ "get-vanilla", "GET", EXAMPLE "/", NULL, NULL, NULL, NULL,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "without a path", "GET", EXAMPLE, NULL, NULL, NULL, NULL,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "the scheme's port", "GET", EXAMPLE ":443/", NULL, NULL, NULL, NULL,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "get-slash", "GET", EXAMPLE "//", NULL, NULL, NULL, NULL,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "get-slash-dot-slash", "GET", EXAMPLE "/./", NULL, NULL, NULL, NULL,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "get-relative", "GET", EXAMPLE "/example/..", NULL, NULL, NULL, NULL,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "get-relative-relative", "GET", EXAMPLE "/example1/example2/../..",
	    NULL, NULL, NULL, NULL,
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "get-vanilla-query-order-key-case", "GET",
	    EXAMPLE "/?Param2=value2&Param1=value1", NULL, NULL, NULL, NULL,
	    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf250"
	    "0" },
	{ "get-vanilla-query-order-value", "GET",
	    EXAMPLE "/?Param1=value2&Param1=value1", NULL, NULL, NULL, NULL,
	    "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c469"
	    "4" },
	{ "get-vanilla-query-unreserved", "GET",
	    EXAMPLE "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz=-._~0123456789"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
	    NULL, NULL, NULL, NULL,
	    "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a4019"
	    "7" },
	{ "get-vanilla-utf8-query", "GET", EXAMPLE "/?\xe1\x88\xb4=bar", NULL,
	    NULL, NULL, NULL,
	    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd0"
	    "4" },
	{ "the same, encoded", "GET", EXAMPLE "/?%e1%88%b4=bar", NULL, NULL,
	    NULL, NULL,
	    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd0"
	    "4" },
	{ "post-vanilla", "POST", EXAMPLE "/", NULL, NULL, "", NULL,
	    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6"
	    "b" },
	{ "post-vanilla-query", "POST", EXAMPLE "/?Param1=value1", NULL, NULL,
	    NULL, NULL,
	    "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f1"
	    "1" },
	{ "post-header-key-sort", "POST", EXAMPLE "/", "My-Header1", "value1",
	    NULL, NULL,
	    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852"
	    "c" },
	{ "post-header-value-case", "POST", EXAMPLE "/", "My-Header1",
	    " VALUE1  ", NULL, NULL,
	    "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7"
	    "d" },
	{ "post-sts-header-before", "POST", EXAMPLE "/", NULL, NULL, NULL,
	    TOKEN,
	    "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ea"
	    "d" },
	{ "S3: GET Object", "GET", BUCKET "/test.txt", "Range", "bytes=0-9",
	    NULL, NULL,
	    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb4"
	    "1" },
	{ "S3: GET Bucket Lifecycle", "GET", BUCKET "?lifecycle", NULL, NULL,
	    NULL, NULL,
	    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a013678354"
	    "3" },
	{ "S3: GET Bucket (List Objects)", "GET",
	    BUCKET "/?prefix=J&max-keys=2", NULL, NULL, NULL, NULL,
	    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f"
	    "7" },
};

START_TEST(signature)
{
	const bool s3 = strncmp(published[_i].name, "S3", 2) == 0;
	struct aws_key key = { .id = NULL };
	struct aws_key object = { .id = TEXT("AKIAIOSFODNN7EXAMPLE"),
		.secret = TEXT("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY") };
	struct aws_key suite = { .id = TEXT("AKIDEXAMPLE"),
		.secret = TEXT("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") };
	const struct http_pair headers[] = {
		{ published[_i].header, published[_i].value }, { NULL, NULL }
	};
	struct aws_request r = { .method = published[_i].method,
		.url = published[_i].url,
		.region = "us-east-1",
		.service = s3 ? "s3" : "service",
		.headers = headers,
		.body = published[_i].body };
	const char *when = s3 ? "2013-05-24T00:00:00Z" : "2015-08-30T12:36:00Z";
	struct aws_signature s;
	struct err err = ERR_INIT;
	char *token =
	    published[_i].token != NULL ? xstrdup(published[_i].token) : NULL;
	size_t n = 0;

	key = s3 ? object : suite;
	key.token = token;
	ck_assert_int_eq(clock_parse(when, strlen(when), &r.now), 0);
	ck_assert_int_eq(aws_sign(&r, &key, &s, &err), 0);
	while (s.headers[n].name != NULL)
		n++;
	ck_assert_str_eq(s.headers[n - 1].name, "Authorization");
	ck_assert_msg(strcmp(strstr(s.headers[n - 1].value, "Signature=") + 10,
			  published[_i].signature) == 0,
	    "%s: %s", published[_i].name, s.headers[n - 1].value);
	aws_signature_release(&s);
	free(token);
}
END_TEST

/* An object's name is encoded once, and stays as it is: "." and "//" are parts
 * of it.  Elsewhere the path is encoded twice. */
static const struct {
	const char *service;
	const char *path;
	const char *same_as; /* signs alike; NULL: unlike the row before */
} paths[] = {
	{ "s3", "/b/a%20b%2Bc%3D%C3%A4/..//./x", NULL },
	{ "s3", "/b/a b%2bc=%c3%a4/..//./x", "/b/a%20b%2Bc%3D%C3%A4/..//./x" },
	{ "s3", "/b/x", NULL },
	{ "es", "/a%20b", NULL },
	{ "es", "/./a%20b", "/a%20b" },
	{ "es", "/a b", NULL },
};

static char *
signed_path(const char *service, const char *path)
{
	struct aws_key key = { .id = TEXT("K"), .secret = TEXT("S") };
	char *url = xasprintf("https://h%s", path), *out;
	const struct aws_request r = {
		.method = "GET", .url = url, .region = "r", .service = service
	};
	struct aws_signature s;
	struct err err = ERR_INIT;
	size_t n = 0;

	ck_assert_int_eq(aws_sign(&r, &key, &s, &err), 0);
	while (s.headers[n + 1].name != NULL)
		n++;
	out = xstrdup(strstr(s.headers[n].value, "Signature="));
	aws_signature_release(&s);
	free(url);
	return out;
}

START_TEST(path)
{
	const char *other = paths[_i].same_as != NULL ? paths[_i].same_as
	    : _i > 0                                  ? paths[_i - 1].path
						      : "/";
	char *a = signed_path(paths[_i].service, paths[_i].path);
	char *b = signed_path(paths[_i].service, other);

	ck_assert_int_eq(strcmp(a, b) == 0, paths[_i].same_as != NULL);
	free(a);
	free(b);
}
END_TEST

START_TEST(no_url)
{
	struct aws_key key = { .id = TEXT("K"), .secret = TEXT("S") };
	struct aws_request r = { .method = "GET",
		.url = "nowhere",
		.region = "r",
		.service = "s3" };
	struct aws_signature s;
	struct err err = ERR_INIT;
	char *many = xmalloc(1000);

	ck_assert_int_eq(aws_sign(&r, &key, &s, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "not an absolute URL"));
	/* More of a query than anybody sends. */
	memset(many, '&', 999);
	many[999] = '\0';
	memcpy(many, "https://h/?", 11);
	r.url = many;
	err_clear(&err);
	ck_assert_int_eq(aws_sign(&r, &key, &s, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "too long"));
	free(many);
}
END_TEST

/* -- keys ------------------------------------------------------------------ */

#define OK(type) "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\n\r\n"
#define ROLE(action, id, until)                                         \
	OK("text/xml")                                                  \
	"<" action "Response xmlns=\"https://sts.amazonaws.com/doc/"    \
	"2011-06-15/\"><" action "Result><Credentials><AccessKeyId>" id \
	"</AccessKeyId><SecretAccessKey>sec/ret+" id                    \
	"</SecretAccessKey><SessionToken>tok-" id "</SessionToken>"     \
	"<Expiration>" until "</Expiration></Credentials></" action     \
	"Result></" action "Response>"
#define JSON(id, until)                                         \
	OK("application/json")                                  \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"" id           \
	"\",\"SecretAccessKey\":\"s-" id "\",\"Token\":\"t-" id \
	"\",\"Expiration\":\"" until "\"}"
#define SAYS(status, code, text)                                          \
	"HTTP/1.1 " status "\r\nDate: Mon, 02 Nov 2026 10:00:00 "         \
	"GMT\r\n\r\n<ErrorResponse><Error><Type>Sender</Type><Code>" code \
	"</Code><Message>" text "</Message></Error></ErrorResponse>"
#define FAR "2999-01-01T00:00:00Z"

static struct canned *server;
static struct http_conf http_conf;
static struct http_access *access_;
static struct http *http;
static struct aws_conf conf;
static struct aws *aws;
static struct aws_key key;
static struct outcome r;
static char region[] = "eu-west-1", session[] = "sealfeed";

/* Every variable that counts. */
static const char *const variables[] = { "AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
	"AWS_DEFAULT_REGION", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_DISABLED" };

static void
begin(const struct canned_reply *table)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		(void)unsetenv(variables[i]);
	http_conf = (struct http_conf){ .timeout = UNIT_TIMEOUT };
	server = canned_start(table);
	access_ = http_access_open(&http_conf, &err);
	ck_assert_msg(access_ != NULL, "%s", err.text);
	http = http_new(access_, NULL, NULL);
	conf = (struct aws_conf){ .region = region,
		.session = session,
		.sts_url = xasprintf("%s/sts", canned_url(server)),
		.metadata_url = xasprintf("%s/", canned_url(server)) };
	key = (struct aws_key){ .id = NULL };
}

static void
end(void)
{
	aws_key_release(&key);
	aws_free(aws);
	aws = NULL;
	free(conf.sts_url);
	free(conf.metadata_url);
	http_free(http);
	http_access_free(access_);
	canned_stop(server);
}

static enum reply_class
ask(void)
{
	if (aws == NULL)
		aws = aws_new(&conf);
	aws_key_release(&key);
	return aws_keys(aws, http, &key, &r);
}

static void
got(const char *id, const char *secret, const char *token)
{
	ck_assert_msg(ask() == REPLY_OK, "%s", r.text);
	ck_assert_str_eq(key.id, id);
	ck_assert_str_eq(key.secret, secret);
	if (token == NULL)
		ck_assert_ptr_null(key.token);
	else
		ck_assert_str_eq(key.token, token);
}

static bool
asked(const char *text)
{
	return strstr(canned_requests(server), text) != NULL;
}

static const struct canned_reply nothing[] = { { .path = NULL } };

START_TEST(options)
{
	begin(nothing);
	conf.key = TEXT("AKID:se:cret");
	conf.token = TEXT("${env:TEST_AWS_TOKEN}");
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "aws.token"));
	ck_assert_int_gt(r.wait, 0);
	aws_free(aws);
	aws = NULL;
	ck_assert_int_eq(setenv("TEST_AWS_TOKEN", "tok", 1), 0);
	got("AKID", "se:cret", "tok");
	/* One that is not accepted is read again, but not at once again. */
	ck_assert_int_eq(setenv("TEST_AWS_TOKEN", "new", 1), 0);
	got("AKID", "se:cret", "tok");
	ck_assert(aws_rejected(aws, "se:cret"));
	got("AKID", "se:cret", "new");
	ck_assert(!aws_rejected(aws, "se:cret"));
	aws_accepted(aws);
	ck_assert(aws_rejected(aws, "se:cret"));
	end();
}
END_TEST

START_TEST(environment)
{
	begin(nothing);
	conf.region = NULL;
	ck_assert_str_eq(aws_region(&conf), "");
	ck_assert_int_eq(setenv("AWS_DEFAULT_REGION", "eu-north-1", 1), 0);
	ck_assert_str_eq(aws_region(&conf), "eu-north-1");
	ck_assert_int_eq(setenv("AWS_REGION", "evil.example/", 1), 0);
	ck_assert_str_eq(aws_region(&conf), "eu-north-1");
	ck_assert_int_eq(setenv("AWS_REGION", "us-east-2", 1), 0);
	ck_assert_str_eq(aws_region(&conf), "us-east-2");
	ck_assert_int_eq(setenv("AWS_ACCESS_KEY_ID", "E", 1), 0);
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "AWS_SECRET_ACCESS_KEY"));
	aws_free(aws);
	aws = NULL;
	ck_assert_int_eq(setenv("AWS_SECRET_ACCESS_KEY", "S", 1), 0);
	got("E", "S", NULL);
	end();
}
END_TEST

/* One role after another, each with what the one before has given. */
START_TEST(roles)
{
	static const struct canned_reply table[] = {
		{ .path = "/sts", .bytes = ROLE("AssumeRole", "FIRST", FAR) },
		{ .path = "/sts", .bytes = ROLE("AssumeRole", "SECOND", FAR) },
		{ .path = NULL },
	};
	char *arns[] = { TEXT("arn:aws:iam::1:role/a"),
		TEXT("arn:aws:iam::2:role/b c"), NULL };
	char *ids[] = { TEXT("x&y=1"), NULL };

	begin(table);
	conf.key = TEXT("AKID:secret");
	conf.roles = arns;
	conf.external_ids = ids;
	got("SECOND", "sec/ret+SECOND", "tok-SECOND");
	ck_assert(asked("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws"
			"%3Aiam%3A%3A1%3Arole%2Fa&RoleSessionName=sealfeed"));
	ck_assert(asked("role%2Fb%20c&RoleSessionName=sealfeed&ExternalId="
			"x%26y%3D1"));
	ck_assert(!asked("role%2Fa&RoleSessionName=sealfeed&ExternalId"));
	ck_assert(asked("Credential=AKID/"));
	ck_assert(asked("/eu-west-1/sts/aws4_request, SignedHeaders="));
	ck_assert(asked("Credential=FIRST/"));
	ck_assert(asked("X-Amz-Security-Token: tok-FIRST\r\n"));
	ck_assert_uint_eq(canned_count(server), 2);
	got("SECOND", "sec/ret+SECOND", "tok-SECOND");
	ck_assert_uint_eq(canned_count(server), 2);
	end();
}
END_TEST

/* What STS may say instead, and what becomes of it. */
static const struct {
	const char *bytes;
	enum reply_class class;
	const char *says;
} refusals[] = {
	{ SAYS("403 Forbidden", "AccessDenied", "not authorized to perform"),
	    REPLY_CONFIG,
	    "role arn:aws:iam::1:role/a: status 403 AccessDenied" },
	{ SAYS("403 Forbidden", "InvalidClientTokenId", "The security token"),
	    REPLY_CREDENTIALS, "not accepted" },
	{ SAYS("403 Forbidden", "SignatureDoesNotMatch", "The request sig"),
	    REPLY_CREDENTIALS, "secret" },
	{ SAYS("403 Forbidden", "SignatureDoesNotMatch",
	      "Signature expired: 20261102T094000Z is now earlier than"),
	    REPLY_CLOCK, "clock" },
	{ SAYS("400 Bad Request", "Throttling", "Rate exceeded"),
	    REPLY_THROTTLED, "too many" },
	{ "HTTP/1.1 503 Oh\r\n\r\n", REPLY_RETRY, "503" },
	{ OK("text/html") "<html><title>Log in</title></html>", REPLY_RETRY,
	    "Log in" },
	{ OK("text/xml") "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
			 "<AccessKeyId>A</AccessKeyId>",
	    REPLY_RETRY, "no key for AWS" },
	{ OK("text/xml") "<!DOCTYPE x [<!ENTITY a 'b'>]><AssumeRoleResponse/>",
	    REPLY_RETRY, "no key for AWS" },
	{ ROLE("AssumeRole", "A\nB", FAR), REPLY_RETRY, "no key for AWS" },
	{ ROLE("AssumeRoleWithSAML", "A", FAR), REPLY_RETRY, "no key for AWS" },
};

START_TEST(refused)
{
	const struct canned_reply table[] = {
		{ .path = "/sts", .bytes = refusals[_i].bytes },
		{ .path = NULL },
	};
	char *arns[] = { TEXT("arn:aws:iam::1:role/a"), NULL };
	size_t n;

	begin(table);
	conf.key = TEXT("AKID:secret");
	conf.roles = arns;
	ck_assert_int_eq(ask(), refusals[_i].class);
	ck_assert_msg(strstr(r.text, refusals[_i].says) != NULL, "%s", r.text);
	ck_assert_ptr_null(strstr(r.text, "secret:"));
	ck_assert_int_gt(r.wait, 0);
	/* Nobody asks again at once. */
	n = canned_count(server);
	ck_assert_int_eq(ask(), refusals[_i].class);
	ck_assert_uint_eq(canned_count(server), n);
	end();
}
END_TEST

/* A wrong clock is told of once: the next request has the server's time. */
START_TEST(skew)
{
	static const struct canned_reply table[] = {
		{ .path = "/sts",
		    .bytes = SAYS("403 Forbidden", "SignatureDoesNotMatch",
			"Signature expired: it is now later") },
		{ .path = "/sts", .bytes = ROLE("AssumeRole", "A", FAR) },
		{ .path = NULL },
	};
	char *arns[] = { TEXT("arn:aws:iam::1:role/a"), NULL };

	begin(table);
	conf.key = TEXT("AKID:secret");
	conf.roles = arns;
	got("A", "sec/ret+A", "tok-A");
	ck_assert(asked("X-Amz-Date: 20261102T1000"));
	end();
}
END_TEST

START_TEST(identity)
{
	static const struct canned_reply table[] = {
		{ .path = "/sts",
		    .bytes = ROLE("AssumeRoleWithWebIdentity", "W",
			"2000-01-01T00:00:00Z") },
		{ .path = NULL },
	};
	char file[] = "/tmp/sealfeed-test-aws-XXXXXX";
	struct err err = ERR_INIT;
	int fd = mkstemp(file);

	begin(table);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(file_replace(file, "jwt.a.b\n", 8, 0600, &err), 0);
	ck_assert_int_eq(setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file, 1), 0);
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "AWS_ROLE_ARN"));
	ck_assert_int_eq(setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/w", 1), 0);
	ck_assert_int_eq(setenv("AWS_ROLE_SESSION_NAME", "pod", 1), 0);
	aws_free(aws);
	aws = NULL;
	got("W", "sec/ret+W", "tok-W");
	ck_assert(asked("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
			"RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fw&"
			"RoleSessionName=pod&WebIdentityToken=jwt.a.b"));
	ck_assert(!asked("Authorization"));
	ck_assert_int_eq(unlink(file), 0);
	aws_free(aws);
	aws = NULL;
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, file));
	end();
}
END_TEST

START_TEST(container)
{
	static const struct canned_reply table[] = {
		{ .path = "/creds", .bytes = JSON("C", FAR) },
		{ .path = NULL },
	};
	char *url;

	begin(table);
	url = xasprintf("%s/creds?x=1", canned_url(server));
	ck_assert_int_eq(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1),
	    0);
	ck_assert_int_eq(setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Auth 1",
			     1),
	    0);
	got("C", "s-C", "t-C");
	ck_assert(asked("GET /creds?x=1 "));
	ck_assert(asked("Authorization: Auth 1\r\n"));
	/* The token goes to nobody else. */
	ck_assert_int_eq(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI",
			     "http://192.0.2.1/creds", 1),
	    0);
	aws_free(aws);
	aws = NULL;
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "not encrypted"));
	ck_assert_int_eq(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1),
	    0);
	ck_assert_int_eq(setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
			     "/nonexistent/token", 1),
	    0);
	aws_free(aws);
	aws = NULL;
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "/nonexistent/token"));
	free(url);
	end();
}
END_TEST

START_TEST(instance)
{
	static const struct canned_reply table[] = {
		{ .path = "/latest/api/token",
		    .bytes = OK("text/plain") "SESSION==" },
		{ .path = "/latest/meta-data/iam/security-credentials/my",
		    .bytes = JSON("I1", "2000-01-01T00:00:00Z") },
		{ .path = "/latest/meta-data/iam/security-credentials/my",
		    .bytes = JSON("I2", FAR) },
		{ .path = "/latest/meta-data/iam/security-credentials/",
		    .bytes = OK("text/plain") "my-role\n" },
		{ .path = NULL },
	};

	begin(table);
	got("I1", "s-I1", "t-I1");
	ck_assert(asked("PUT /latest/api/token HTTP/1.1\r\n"));
	ck_assert(asked("X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
	ck_assert(asked("X-aws-ec2-metadata-token: SESSION==\r\n"));
	ck_assert(asked("GET /latest/meta-data/iam/security-credentials/"
			"my-role HTTP"));
	ck_assert_uint_eq(canned_count(server), 3);
	end();
}
END_TEST

START_TEST(no_instance)
{
	static const struct canned_reply table[] = {
		{ .path = "/latest/api/token",
		    .bytes = OK("text/plain") "SESSION" },
		{ .path = "/latest/meta-data",
		    .bytes = "HTTP/1.1 404 Not Found\r\n\r\n" },
		{ .path = "/old", .bytes = "HTTP/1.1 405 No\r\n\r\n" },
		{ .path = NULL },
	};
	char *own;

	begin(table);
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "no role"));
	aws_free(aws);
	aws = NULL;
	own = conf.metadata_url;
	/* One without session tokens is not asked in the old way. */
	conf.metadata_url = xasprintf("%s/old", canned_url(server));
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "IMDSv2"));
	ck_assert(!asked("GET /old"));
	aws_free(aws);
	aws = NULL;
	free(conf.metadata_url);
	conf.metadata_url = xstrdup("http://127.0.0.1:1");
	ck_assert_int_eq(ask(), REPLY_RETRY);
	ck_assert_ptr_nonnull(strstr(r.text, "hop limit"));
	aws_free(aws);
	aws = NULL;
	ck_assert_int_eq(setenv("AWS_EC2_METADATA_DISABLED", "true", 1), 0);
	ck_assert_int_eq(ask(), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(r.text, "aws.key"));
	free(conf.metadata_url);
	conf.metadata_url = own;
	end();
}
END_TEST

/* While the next key cannot be had the last one is good to its end. */
START_TEST(renewed)
{
	static const struct canned_reply table[] = {
		{ .path = "/creds",
		    .bytes = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Nov 2026 "
			     "10:00:00 GMT\r\n\r\n{\"AccessKeyId\":\"A\","
			     "\"SecretAccessKey\":\"s\",\"Expiration\":"
			     "\"2026-11-02T10:00:04Z\"}" },
		{ .path = "/creds", .bytes = "HTTP/1.1 500 Oh\r\n\r\n" },
		{ .path = NULL },
	};
	int64_t began;
	char *url;

	begin(table);
	url = xasprintf("%s/creds", canned_url(server));
	ck_assert_int_eq(setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1),
	    0);
	began = clock_monotonic();
	got("A", "s", NULL);
	ck_assert_uint_eq(canned_count(server), 1);
	while (canned_count(server) == 1 && ask() == REPLY_OK)
		(void)usleep(20000);
	/* A quarter of four seconds before the end. */
	ck_assert_int_ge(clock_monotonic() - began, 3 * CLOCK_SECOND);
	while (ask() == REPLY_OK)
		(void)usleep(20000);
	ck_assert_int_ge(clock_monotonic() - began, 4 * CLOCK_SECOND);
	ck_assert_ptr_nonnull(strstr(r.text, "500"));
	free(url);
	end();
}
END_TEST

START_TEST(endpoints)
{
	static const char *const rows[][2] = {
		{ "eu-central-1", "https://sqs.eu-central-1.amazonaws.com" },
		{ "us-gov-west-1", "https://sqs.us-gov-west-1.amazonaws.com" },
		{ "cn-north-1", "https://sqs.cn-north-1.amazonaws.com.cn" },
		{ "us-iso-east-1", "https://sqs.us-iso-east-1.c2s.ic.gov" },
		{ "eusc-de-east-1", "https://sqs.eusc-de-east-1.amazonaws.eu" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT(200);

		ck_assert_int_eq(aws_endpoint(&out, "sqs", rows[i][0]), 0);
		ck_assert_str_eq(out.data, rows[i][1]);
		buf_release(&out);
	}
}
END_TEST

Suite *
suite_aws(void)
{
	Suite *s = suite_create("aws");
	TCase *tc = tcase_create("aws");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, signature, 0,
	    sizeof(published) / sizeof(published[0]));
	tcase_add_loop_test(tc, path, 0, sizeof(paths) / sizeof(paths[0]));
	tcase_add_test(tc, no_url);
	tcase_add_test(tc, options);
	tcase_add_test(tc, environment);
	tcase_add_test(tc, roles);
	tcase_add_loop_test(tc, refused, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tc, skew);
	tcase_add_test(tc, identity);
	tcase_add_test(tc, container);
	tcase_add_test(tc, instance);
	tcase_add_test(tc, no_instance);
	tcase_add_test(tc, renewed);
	tcase_add_test(tc, endpoints);
	suite_add_tcase(s, tc);
	return s;
}
