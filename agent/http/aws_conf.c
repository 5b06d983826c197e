/*
 * aws_conf.c - the options of an identity at AWS, where its services are, and
 * what they mean by their errors.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/access.h"
#include "http/aws.h"

#define FIELD(name) offsetof(struct aws_conf, name)

const struct setting aws_settings[] = {
	{ .key = "aws.region",
	    .type = SETTING_STRING,
	    .offset = FIELD(region),
	    .help = "Region, as eu-central-1. Default: the environment's "
		    "AWS_REGION or AWS_DEFAULT_REGION." },
	{ .key = "aws.key",
	    .type = SETTING_SECRET,
	    .offset = FIELD(key),
	    .help = "Access key, ID:SECRET; requests are signed with it "
		    "(Signature Version 4). Default: the first there is of "
		    "the environment (AWS_ACCESS_KEY_ID and "
		    "AWS_SECRET_ACCESS_KEY), a web identity, the "
		    "container's credentials (ECS, EKS Pod Identity) and "
		    "the instance's role (IMDSv2).",
	    .ask = "Access key, as ID:SECRET (Enter: the role of this machine)",
	    .unless = "api_key basic bearer" },
	{ .key = "aws.token",
	    .type = SETTING_SECRET,
	    .offset = FIELD(token),
	    .help = "Session token, where aws.key is a temporary one." },
	{ .key = "aws.role",
	    .type = SETTING_LIST,
	    .offset = FIELD(roles),
	    .help = "Roles to assume with those credentials, by their ARNs, "
		    "one after another: the first with the credentials, the "
		    "next with what the first has given." },
	{ .key = "aws.external_id",
	    .type = SETTING_LIST,
	    .offset = FIELD(external_ids),
	    .help = "External ids that the roles want, in their order; a "
		    "single one is the last role's, and \"\" stands for "
		    "none." },
	{ .key = "aws.session_name",
	    .type = SETTING_STRING,
	    .offset = FIELD(session),
	    .def = "sealfeed",
	    .help = "Name of the session, as CloudTrail tells it of an "
		    "assumed role." },
	{ .key = "aws.web_identity_file",
	    .type = SETTING_STRING,
	    .offset = FIELD(identity_file),
	    .reads = true,
	    .help = "File with the token of a web identity (OIDC), read again "
		    "whenever it is used. Default: "
		    "AWS_WEB_IDENTITY_TOKEN_FILE." },
	{ .key = "aws.web_identity_role",
	    .type = SETTING_STRING,
	    .offset = FIELD(identity_role),
	    .help = "ARN of the role that the web identity stands for. "
		    "Default: AWS_ROLE_ARN." },
	{ .key = "aws.sts_url",
	    .type = SETTING_STRING,
	    .offset = FIELD(sts_url),
	    .help = "URL of the Security Token Service, for a VPC endpoint. "
		    "Default: the region's." },
	{ .key = "aws.metadata_url",
	    .type = SETTING_STRING,
	    .offset = FIELD(metadata_url),
	    .help = "URL of the instance's metadata. Default: "
		    "AWS_EC2_METADATA_SERVICE_ENDPOINT, else "
		    "http://169.254.169.254." },
	SETTING_END,
};

static size_t
count(char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

/* A region is a part of host names. */
static bool
is_region(const char *region)
{
	return *region != '\0' &&
	    region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] ==
	    '\0';
}

static void
check_identity(const struct aws_conf *c, const struct config_section *b)
{
	if (c->token != NULL && c->key == NULL)
		config_error(b,
		    "aws.token: belongs to a temporary key; set aws.key, too");
	if (c->key != NULL && strstr(c->key, "${") == NULL &&
	    strchr(c->key, ':') == NULL)
		config_error(b,
		    "aws.key: must be the id of the access key, a colon and "
		    "the secret");
	if (c->key != NULL && c->identity_file != NULL)
		config_error(b,
		    "aws.web_identity_file: aws.key is set, too; keep one of "
		    "the two");
	if (c->identity_role != NULL && c->identity_file == NULL)
		config_error(b,
		    "aws.web_identity_role: needs aws.web_identity_file; to "
		    "assume a role with other credentials, set aws.role");
}

void
aws_conf_check(const struct aws_conf *c, const struct config_section *b)
{
	size_t ids = count(c->external_ids), roles = count(c->roles);

	if (c->region != NULL && !is_region(c->region))
		config_error(b,
		    "aws.region: \"%s\" is not a region, as eu-central-1 is",
		    c->region);
	check_identity(c, b);
	for (size_t i = 0; i < roles; i++)
		if (strncmp(c->roles[i], "arn:", 4) != 0)
			config_error(b,
			    "aws.role: \"%s\" is not an ARN, as "
			    "arn:aws:iam::123456789012:role/NAME is",
			    c->roles[i]);
	if (ids > 1 && ids != roles)
		config_error(b,
		    "aws.external_id: has %zu entries for %zu roles; give one "
		    "for each, or a single one for the last",
		    ids, roles);
	if (ids == 1 && roles == 0)
		config_error(b,
		    "aws.external_id: needs the role that wants it; set "
		    "aws.role");
	http_url_check_setting("aws.sts_url", c->sts_url, b);
	http_url_check_setting("aws.metadata_url", c->metadata_url, b);
}

const char *
aws_environment(const void *conf)
{
	(void)conf;
	return "AWS_";
}

const char *
aws_region(const struct aws_conf *c)
{
	static const char *const names[] = { "AWS_REGION",
		"AWS_DEFAULT_REGION" };
	const char *region = c->region;

	for (size_t i = 0;
	     region == NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		region = getenv(names[i]);
		if (region != NULL && !is_region(region))
			region = NULL;
	}
	return region != NULL ? region : "";
}

int
aws_endpoint(struct buf *out, const char *service, const char *region)
{
	/* By what their regions begin with. */
	static const struct {
		const char *begin;
		const char *domain;
	} partitions[] = {
		{ "cn-", "amazonaws.com.cn" },
		{ "us-iso-", "c2s.ic.gov" },
		{ "us-isob-", "sc2s.sgov.gov" },
		{ "us-isof-", "csp.hci.ic.gov" },
		{ "eu-isoe-", "cloud.adc-e.uk" },
		{ "eusc-", "amazonaws.eu" },
	};
	const char *domain = "amazonaws.com";

	for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++)
		if (strncmp(region, partitions[i].begin,
			strlen(partitions[i].begin)) == 0)
			domain = partitions[i].domain;
	return buf_addf(out, "https://%s.%s.%s", service, region, domain);
}

#define CLOCK_CAUSE "this machine's clock differs too much from AWS's"
#define CLOCK_HINT \
	"set this machine's clock; the next request has the time of AWS"
#define KEY_CAUSE "the access key or session token is not accepted"
#define KEY_HINT                                                              \
	"check aws.key and aws.token, and that the key is active; temporary " \
	"ones end"
#define SIGNED_CAUSE "the signature is not the one that AWS computes"
#define SIGNED_HINT                                                          \
	"check the secret in aws.key, and that no proxy in between changes " \
	"requests"
#define DENIED_CAUSE "the identity may not do this"
#define DENIED_HINT                                                          \
	"grant it the actions that sealfeed.yaml(5) names, and kms:Decrypt " \
	"where bucket or queue have a key of their own"
#define THROTTLED_CAUSE "too many requests"
#define REGION_CAUSE "the bucket is in another region"
#define REGION_HINT "set bucket_region"

const struct rule aws_rules[] = {
	{ .code = "RequestTimeTooSkewed",
	    .class = REPLY_CLOCK,
	    .cause = CLOCK_CAUSE,
	    .hint = CLOCK_HINT },
	{ .code = "RequestExpired",
	    .class = REPLY_CLOCK,
	    .cause = CLOCK_CAUSE,
	    .hint = CLOCK_HINT },
	{ .text = "Signature expired",
	    .class = REPLY_CLOCK,
	    .cause = CLOCK_CAUSE,
	    .hint = CLOCK_HINT },
	{ .text = "Signature not yet current",
	    .class = REPLY_CLOCK,
	    .cause = CLOCK_CAUSE,
	    .hint = CLOCK_HINT },
	{ .code = "SignatureDoesNotMatch",
	    .class = REPLY_CREDENTIALS,
	    .cause = SIGNED_CAUSE,
	    .hint = SIGNED_HINT },
	{ .code = "InvalidSignature*",
	    .class = REPLY_CREDENTIALS,
	    .cause = SIGNED_CAUSE,
	    .hint = SIGNED_HINT },
	{ .code = "IncompleteSignature*",
	    .class = REPLY_CREDENTIALS,
	    .cause = SIGNED_CAUSE,
	    .hint = SIGNED_HINT },
	{ .code = "ExpiredToken*",
	    .class = REPLY_UNAUTHORISED,
	    .cause = "the session token has expired",
	    .hint = KEY_HINT },
	{ .code = "InvalidClientTokenId",
	    .class = REPLY_UNAUTHORISED,
	    .cause = KEY_CAUSE,
	    .hint = KEY_HINT },
	{ .code = "InvalidAccessKeyId",
	    .class = REPLY_UNAUTHORISED,
	    .cause = KEY_CAUSE,
	    .hint = KEY_HINT },
	{ .code = "InvalidToken*",
	    .class = REPLY_UNAUTHORISED,
	    .cause = KEY_CAUSE,
	    .hint = KEY_HINT },
	{ .code = "TokenRefreshRequired",
	    .class = REPLY_UNAUTHORISED,
	    .cause = KEY_CAUSE,
	    .hint = KEY_HINT },
	{ .code = "UnrecognizedClient*",
	    .class = REPLY_UNAUTHORISED,
	    .cause = KEY_CAUSE,
	    .hint = KEY_HINT },
	{ .code = "InvalidObjectState",
	    .class = REPLY_CONFIG,
	    .cause = "the object is archived",
	    .hint = "restore it, or have the lifecycle rule archive later" },
	{ .code = "AccessDenied*",
	    .class = REPLY_CONFIG,
	    .cause = DENIED_CAUSE,
	    .hint = DENIED_HINT },
	{ .code = "AllAccessDisabled",
	    .class = REPLY_CONFIG,
	    .cause = DENIED_CAUSE,
	    .hint = DENIED_HINT },
	{ .code = "KMS*",
	    .class = REPLY_CONFIG,
	    .cause = "the key of bucket or queue cannot be used",
	    .hint = "grant kms:Decrypt on it, and see that it is enabled" },
	{ .code = "Kms*",
	    .class = REPLY_CONFIG,
	    .cause = "the key of bucket or queue cannot be used",
	    .hint = "grant kms:Decrypt on it, and see that it is enabled" },
	{ .code = "OptInRequired",
	    .class = REPLY_CONFIG,
	    .cause = "the account has not opted in to this service or region" },
	{ .code = "PermanentRedirect",
	    .class = REPLY_CONFIG,
	    .cause = REGION_CAUSE,
	    .hint = REGION_HINT },
	{ .code = "AuthorizationHeaderMalformed",
	    .class = REPLY_CONFIG,
	    .cause = REGION_CAUSE,
	    .hint = REGION_HINT },
	{ .code = "NoSuchBucket",
	    .class = REPLY_CONFIG,
	    .cause = "there is no such bucket",
	    .hint = "check its name, and that the queue belongs to this "
		    "source" },
	{ .code = "NoSuchKey",
	    .class = REPLY_GONE,
	    .cause = "the object is not in the bucket any more" },
	{ .code = "NoSuchVersion",
	    .class = REPLY_GONE,
	    .cause = "that version of the object is not in the bucket any "
		     "more" },
	{ .code = "QueueDoesNotExist*",
	    .class = REPLY_CONFIG,
	    .cause = "there is no such queue",
	    .hint = "check queue_url and aws.region" },
	{ .code = "AWS.SimpleQueueService.NonExistentQueue",
	    .class = REPLY_CONFIG,
	    .cause = "there is no such queue",
	    .hint = "check queue_url and aws.region" },
	{ .code = "InvalidIdentityToken*",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the token of the web identity is not accepted",
	    .hint = "check that the role trusts its issuer and audience" },
	{ .code = "IDPRejectedClaim",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the token of the web identity is not accepted",
	    .hint = "check that the role trusts its issuer and audience" },
	{ .code = "IDPCommunicationError",
	    .class = REPLY_RETRY,
	    .cause = "AWS cannot reach the issuer of the web identity" },
	{ .code = "RegionDisabled*",
	    .class = REPLY_CONFIG,
	    .cause = "the Security Token Service is off in this region",
	    .hint = "activate it in the account, or set aws.sts_url" },
	{ .code = "Throttling*",
	    .class = REPLY_THROTTLED,
	    .cause = THROTTLED_CAUSE },
	{ .code = "TooManyRequests*",
	    .class = REPLY_THROTTLED,
	    .cause = THROTTLED_CAUSE },
	{ .code = "RequestThrottled*",
	    .class = REPLY_THROTTLED,
	    .cause = THROTTLED_CAUSE },
	{ .code = "RequestLimitExceeded",
	    .class = REPLY_THROTTLED,
	    .cause = THROTTLED_CAUSE },
	{ .code = "SlowDown",
	    .class = REPLY_THROTTLED,
	    .cause = THROTTLED_CAUSE },
	{ .status = 403,
	    .class = REPLY_CONFIG,
	    .cause = DENIED_CAUSE,
	    .hint = DENIED_HINT },
	{ .status = 0 },
};
