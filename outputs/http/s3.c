/*
 * s3.c - objects in Amazon S3, and in stores that speak its API.
 *
 * docs.aws.amazon.com/AmazonS3/latest/API: "PutObject", "Error responses";
 * user guide: "Conditional writes", "Checking object integrity".
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"
#include "config/errors.h"
#include "http/aws.h"
#include "outputs/http/aws_login.h"
#include "outputs/http/objects.h"
#include "outputs/http/transport.h"

struct s3_conf {
	struct objects_conf objects; /* must stand first */
	struct aws_conf aws;
	char *storage_class;
	char *encryption;
	char *kms_key;
};

static void
s3_login(struct intake *in)
{
	const struct s3_conf *conf = in->conf;

	objects_set_login(in, aws_login_new(&conf->aws, in->access));
}

static void
s3_logout(struct intake *in)
{
	aws_login_free(objects_login(in));
}

/* The store checks the body against its digest before it keeps it. */
static int
s3_headers(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct s3_conf *conf = in->conf;
	struct digest *d = digest_new();
	struct buf text = BUF_INIT(64);
	uint8_t digest[DIGEST_LEN];

	digest_sha256(d, NULL, 0, r->body.data == NULL ? "" : r->body.data,
	    r->body.len, digest);
	digest_free(d);
	if (text_base64(&text, digest, DIGEST_LEN) != 0)
		return err_set(err, "request: too large");
	intake_header(r, "x-amz-checksum-sha256", text.data);
	buf_release(&text);
	if (conf->storage_class != NULL)
		intake_header(r, "x-amz-storage-class", conf->storage_class);
	if (conf->encryption != NULL)
		intake_header(r, "x-amz-server-side-encryption",
		    conf->encryption);
	if (conf->kms_key != NULL)
		intake_header(r, "x-amz-server-side-encryption-aws-kms-key-id",
		    conf->kms_key);
	return 0;
}

static int
s3_sign(struct intake *in, struct intake_request *r, struct err *err)
{
	return aws_login_sign(objects_login(in), in, r, "s3", err);
}

static void
s3_hear(struct intake *in, const struct intake_response *r)
{
	static const char *const codes[] = { "InvalidAccessKeyId",
		"ExpiredToken", "InvalidToken", "SignatureDoesNotMatch" };
	bool refused = false;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		refused = refused || strstr(r->body, codes[i]) != NULL;
	aws_login_hear(objects_login(in), r->status >= 400 && refused);
}

static const struct explained meanings[] = {
	{ 301, NULL, VERDICT_BLOCKED,
	    "the bucket is in another region; check url and aws.region" },
	{ 307, NULL, VERDICT_RETRY, "the bucket is new" },
	{ 400, "ExpiredToken", VERDICT_BLOCKED,
	    "the session token has expired; check aws.token" },
	{ 400, "AuthorizationHeaderMalformed", VERDICT_BLOCKED,
	    "check aws.region: it must be the bucket's" },
	{ 400, "InvalidToken", VERDICT_BLOCKED, "check aws.token" },
	{ 400, "InvalidStorageClass", VERDICT_BLOCKED, "check storage_class" },
	{ 400, "KMS", VERDICT_BLOCKED, "check encryption and kms_key" },
	{ 400, "InvalidBucketName", VERDICT_BLOCKED, "check bucket" },
	{ 400, "KeyTooLong", VERDICT_BLOCKED,
	    "shorten path, or the names of agent and sources" },
	{ 400, "TokenRefreshRequired", VERDICT_BLOCKED, "check aws.token" },
	{ 400, "BadDigest", VERDICT_RETRY, "the body was damaged on the way" },
	{ 400, "ContentSHA256Mismatch", VERDICT_RETRY,
	    "the body was damaged on the way" },
	{ 400, "RequestTimeout", VERDICT_RETRY, "the transfer stalled" },
	{ 403, "RequestTimeTooSkewed", VERDICT_BLOCKED,
	    "set this machine's clock" },
	{ 403, "SignatureDoesNotMatch", VERDICT_BLOCKED,
	    "check the secret in aws.key, aws.region, and that nothing on the "
	    "way changes requests" },
	{ 403, "InvalidAccessKeyId", VERDICT_BLOCKED, "check aws.key" },
	{ 403, "AccountProblem", VERDICT_BLOCKED,
	    "ask AWS about the account, which has a problem" },
	{ 403, "AllAccessDisabled", VERDICT_BLOCKED,
	    "ask AWS why access to the bucket is disabled" },
	{ 403, NULL, VERDICT_BLOCKED,
	    "allow s3:PutObject and s3:GetObject on the bucket's objects, and "
	    "the use of the KMS key where there is one" },
	{ 404, "NoSuchKey", VERDICT_RETRY, "it is gone" },
	{ 404, NULL, VERDICT_BLOCKED,
	    "check bucket and url: there is no such bucket" },
	{ 409, NULL, VERDICT_RETRY, "somebody writes the same object" },
	{ 412, NULL, VERDICT_BLOCKED,
	    "a condition that is not ours failed; check the bucket's policy" },
	{ 413, NULL, VERDICT_REFUSED, "lower max_body" },
	{ 501, NULL, VERDICT_BLOCKED,
	    "the store does not know a header; set conditional: false" },
	{ .status = 0 },
};

static const struct object_store store = {
	.digest = "x-amz-meta-sealfeed-sha256",
	.guard = "If-None-Match",
	.guard_value = "*",
	.there = 412,
	.meanings = meanings,
	.open = s3_login,
	.close = s3_logout,
	.headers = s3_headers,
	.sign = s3_sign,
	.hear = s3_hear,
};

static int
s3_open(struct intake *in, struct err *err)
{
	const struct s3_conf *conf = in->conf;

	if (aws_region(&conf->aws)[0] == '\0')
		return err_set(err,
		    "aws.region: is missing, and so is AWS_REGION; requests "
		    "are signed for the bucket's region");
	objects_open(in, &store);
	return 0;
}

static void
s3_check(const void *conf, const struct config_section *b)
{
	const struct s3_conf *c = conf;

	objects_check(conf, b);
	aws_conf_check(&c->aws, b);
	if (c->kms_key != NULL && c->encryption == NULL)
		config_error(b,
		    "kms_key: is of no use without encryption: aws:kms");
}

static const struct http_dialect s3 = { OBJECTS_DIALECT(s3_open) };

#define OFFSET(member) offsetof(struct s3_conf, member)

static const struct setting settings[] = {
	HTTP_BASE_URL("Endpoint, as https://s3.eu-central-1.amazonaws.com; or "
		      "with the bucket in the host's name,",
	    "The bucket"),
	{ .key = "bucket",
	    .type = SETTING_STRING,
	    .offset = OFFSET(objects.bucket),
	    .help = "Bucket, where url does not name it.",
	    .ask = "Bucket" },
	{ .key = "objects", .type = SETTING_TABLE, .table = objects_settings },
	{ .key = "identity",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(aws),
	    .table = aws_settings },
	{ .key = "storage_class",
	    .type = SETTING_STRING,
	    .offset = OFFSET(storage_class),
	    .help = "Storage class, as STANDARD_IA. Default: the bucket's." },
	{ .key = "encryption",
	    .type = SETTING_STRING,
	    .offset = OFFSET(encryption),
	    .help = "Encryption by the store: AES256 or aws:kms. Default: the "
		    "bucket's." },
	{ .key = "kms_key",
	    .type = SETTING_STRING,
	    .offset = OFFSET(kms_key),
	    .help = "ID or ARN of the KMS key." },
	HTTP_MAX_BODY("8MiB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_s3 = {
	.type.name = "s3",
	.type.title = "Amazon S3, and stores that speak its API",
	.type.before =
	    "In AWS: a bucket (Object Lock and versioning work), and an "
	    "identity that may do\n"
	    "s3:PutObject and s3:GetObject on its objects and nothing else; "
	    "with a KMS key\n"
	    "of your own also kms:GenerateDataKey and kms:Decrypt.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct s3_conf),
	.type.check = s3_check,
	.type.environment = aws_environment,
	.dialect = &s3,
	HTTP_TRANSPORT,
};
