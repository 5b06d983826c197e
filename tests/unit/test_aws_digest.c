/*
 * test_aws_digest.c - CloudTrail's digests: what is signed, named and chained,
 * and what is not.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/reconcile.h"
#include "tests/unit/aws_help.h"
#include "tests/unit/unit.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define PLACE "AWSLogs/1/CloudTrail-Digest/eu-west-1/"
#define FILE_KEY "AWSLogs/1/CloudTrail/eu-west-1/a.json"
#define CONTENT                                            \
	"{\"Records\":[{\"eventID\":\"e1\",\"eventTime\":" \
	"\"2026-01-01T00:10:00Z\"}]}"
#define HOUR "2026-01-01T00:00:00Z"

static struct {
	EVP_PKEY *key;
	char *keys;   /* what ListPublicKeys answers */
	char *before; /* the digest before, with its head */
	char *digest;
	char hash[65]; /* of the digest before, and its signature */
	char signature[513];
} d;

static void
sha256(const char *s, char hex[65])
{
	struct digest *digest = digest_new();
	uint8_t hash[DIGEST_LEN];

	digest_sha256(digest, NULL, 0, s, strlen(s), hash);
	digest_free(digest);
	text_hex(hex, hash, DIGEST_LEN);
}

static void
sign(const char *words, char hex[513])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[256];
	size_t len = sizeof(signature);

	ck_assert_int_eq(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
			     d.key),
	    1);
	ck_assert_int_eq(EVP_DigestSign(ctx, signature, &len,
			     (const uint8_t *)words, strlen(words)),
	    1);
	EVP_MD_CTX_free(ctx);
	text_hex(hex, signature, len);
}

/* A digest at that place, which names a file with that hash, behind another
 * one if before is not NULL; with its head. */
static char *
make(const char *name, const char *file_hash, const char *before)
{
	char hash[65], signature[513], *chain, *body, *words, *whole;

	chain = before == NULL
	    ? xstrdup("null,\"previousDigestSignature\":null")
	    : xasprintf("\"" PLACE "%s\",\"previousDigestS3Bucket\":\"logs\","
			"\"previousDigestHashValue\":\"%s\","
			"\"previousDigestSignature\":\"%s\"",
		  before, d.hash, d.signature);
	body = xasprintf(
	    "{\"digestStartTime\":\"2026-01-01T00:00:00Z\",\"digestEndTime\":"
	    "\"2026-01-01T01:00:00Z\",\"digestS3Bucket\":\"logs\","
	    "\"digestS3Object\":\"" PLACE "%s\",\"digestPublicKeyFingerprint\":"
	    "\"f1\",\"digestSignatureAlgorithm\":\"SHA256withRSA\","
	    "\"previousDigestS3Object\":%s,\"logFiles\":[{\"s3Bucket\":\"logs\""
	    ",\"s3Object\":\"" FILE_KEY "\",\"hashValue\":\"%s\","
	    "\"hashAlgorithm\":\"SHA-256\"}]}",
	    name, chain, file_hash);
	sha256(body, hash);
	words = xasprintf("2026-01-01T01:00:00Z\nlogs/" PLACE "%s\n%s\n%s",
	    name, hash, before == NULL ? "null" : d.signature);
	sign(words, signature);
	whole = xasprintf(HEAD "x-amz-meta-signature: %s\r\n\r\n%s", signature,
	    body);
	if (before == NULL) {
		memcpy(d.hash, hash, sizeof(hash));
		memcpy(d.signature, signature, sizeof(signature));
	}
	free(chain);
	free(body);
	free(words);
	return whole;
}

static void
make_keys(void)
{
	unsigned char *der = NULL;
	struct buf b = BUF_INIT(4096);
	int len = i2d_PublicKey(d.key, &der);

	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(text_base64(&b, der, (size_t)len), 0);
	d.keys = xasprintf(HEAD "\r\n{\"PublicKeyList\":[{\"Fingerprint\":"
				"\"other\",\"Value\":\"AAAA\"},{\"Fingerprint\""
				":\"f1\",\"Value\":\"%s\"}]}",
	    b.data);
	buf_release(&b);
	OPENSSL_free(der);
}

/* What is wrong, and what is said of it. */
static const struct {
	const char *what;
	const char *says; /* NULL: nothing is wrong */
} faults[] = {
	{ "", NULL },
	{ "file", "a file is not as CloudTrail delivered it: " FILE_KEY },
	{ "signature", "the signature of the digest is not CloudTrail's" },
	{ "odd signature", "the signature of the digest is not CloudTrail's" },
	{ "content", "the signature of the digest is not CloudTrail's" },
	{ "before", "the digest before is not as it was" },
	{ "gone", "the digest before is not in the bucket any more" },
	{ "place", "the digest is not the one of this place" },
	{ "restart", NULL },
	{ "restart, file", "a file is not as CloudTrail delivered it: " },
	{ "gap", "a file that the digest names is a gap: " FILE_KEY },
};

/* Damage a document in the place of a text. */
static void
damage(char *document, const char *text)
{
	char *at = strstr(document, text);

	ck_assert_ptr_nonnull(at);
	at[strlen(text)] ^= 1;
}

static void
set_up(void)
{
	char hash[65];

	d.key = EVP_RSA_gen(2048);
	ck_assert_ptr_nonnull(d.key);
	make_keys();
	sha256(CONTENT, hash);
	d.before = make("1.json", hash, NULL);
	d.digest = make("2.json", hash, "1.json");
}

static void
tear_down(void)
{
	EVP_PKEY_free(d.key);
	free(d.keys);
	free(d.before);
	free(d.digest);
}

static void
break_documents(const char *what)
{
	if (strcmp(what, "signature") == 0)
		damage(d.digest, "x-amz-meta-signature: ");
	if (strcmp(what, "odd signature") == 0)
		strchr(strstr(d.digest, "x-amz-meta-signature: "), '\r')[-1] =
		    ' ';
	if (strcmp(what, "content") == 0)
		damage(d.digest, "T00:00:0");
	if (strcmp(what, "before") == 0)
		damage(d.before, "T00:00:0");
}

/* What the digest says of its hour. */
static void
check_hour(const char *says)
{
	struct hour_row h = { .hour = INT64_MIN };
	int64_t hour;
	bool known;

	ck_assert_int_eq(clock_parse(HOUR, strlen(HOUR), &hour), 0);
	ck_assert_int_eq(hour_state(aws_rig.s, "aws/x", hour, &known, h.error,
			     &aws_rig.err),
	    0);
	ck_assert_int_eq(known, says == NULL);
	if (says != NULL)
		ck_assert_msg(strstr(h.error, says) != NULL, "%s", h.error);
	ck_assert_int_eq(hour_state(aws_rig.s, "aws/x", hour + CLOCK_HOUR,
			     &known, h.error, &aws_rig.err),
	    0);
	ck_assert(!known);
	ck_assert_str_eq(h.error, "");
	ck_assert_int_eq(attest_lacks(aws_rig.s, "aws/x", hour + CLOCK_HOUR,
			     h.error, &aws_rig.err),
	    1);
	ck_assert_str_eq(h.error, "1/CloudTrail-Digest/eu-west-1");
	if (says != NULL)
		return;
	ck_assert_int_eq(hour_next(aws_rig.s, "aws", hour, hour + CLOCK_HOUR,
			     &h, &aws_rig.err),
	    1);
	ck_assert_uint_eq(h.collected, 1);
	ck_assert_uint_eq(h.confirmed, 1);
	ck_assert_uint_eq(h.only, 0);
}

/* What happens between a file and its digest. */
static void
come_between(const char *what)
{
	if (strstr(what, "restart") != NULL) {
		source_aws_s3.close(&aws_rig.source);
		ck_assert_int_eq(source_aws_s3.open(&aws_rig.source,
				     &aws_rig.err),
		    0);
	}
	if (strcmp(what, "gap") == 0) {
		db_lock(aws_rig.s);
		ck_assert_int_eq(db_run(aws_rig.s, &aws_rig.err,
				     "UPDATE item SET state = 2 WHERE key ="
				     " 'logs/" FILE_KEY "'",
				     ""),
		    0);
		db_unlock(aws_rig.s);
	}
}

/* A digest waits for the files that it names, has them fetched if need be, and
 * then says whether all is as it was. */
START_TEST(validated)
{
	const char *what = faults[_i].what;
	const bool gap = strcmp(what, "gap") == 0; /* told by whoever fetched */
	const bool told = faults[_i].says != NULL && !gap;
	const struct canned_reply table[] = {
		{ .path = "/trail/", .bytes = d.keys },
		{ .path = "/ ",
		    .bytes =
			HEAD "\r\n{\"Messages\":[{\"MessageId\":\"m\","
			     "\"ReceiptHandle\":\"h\",\"Body\":\"{\\\"s3Bucket"
			     "\\\":\\\"logs\\\",\\\"s3ObjectKey\\\":[\\\"" PLACE
			     "2.json\\\"]}\"}]}" },
		{ .path = "/ ", .bytes = HEAD "\r\n{}" },
		{ .path = "/logs/" PLACE "1.json",
		    .bytes = strcmp(what, "gone") == 0
			? "HTTP/1.1 404 No\r\n\r\n<Error><Code>NoSuchKey</Code>"
			  "</Error>"
			: d.before },
		{ .path = "/logs/" PLACE "2.json",
		    .bytes = strcmp(what, "place") == 0 ? d.before : d.digest },
		{ .path = "/logs/" FILE_KEY,
		    .bytes = strstr(what, "file") != NULL
			? HEAD "\r\n{\"Records\":[]}"
			: HEAD "\r\n" CONTENT },
		{ .path = NULL },
	};

	break_documents(what);
	aws_help_begin(table);
	aws_rig.conf.digests = true;
	aws_rig.conf.look_back = 0; /* the digest before is not an item */
	aws_rig.conf.digest_url =
	    xasprintf("%s/trail", canned_url(aws_rig.server));
	aws_help_start();
	ck_assert_msg(aws_help_poll() == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_int_eq(aws_help_fetch(), REPLY_RETRY);
	ck_assert_str_eq(aws_rig.r.code, "digest-waits");
	ck_assert_int_eq(aws_help_fetch(), REPLY_OK);
	come_between(what);
	ck_assert_msg(aws_help_fetch() == REPLY_OK, "%s", aws_rig.r.text);
	ck_assert_uint_eq(aws_help_count("SELECT count(*) FROM item WHERE"
					 " state = 1"),
	    gap ? 1 : 2);
	ck_assert_uint_eq(aws_help_count("SELECT count(*) FROM gap"), told);
	ck_assert_uint_eq(aws_rig.troubles, told);
	if (told)
		ck_assert_msg(strstr(aws_rig.told.text, faults[_i].says) !=
			NULL,
		    "%s", aws_rig.told.text);
	check_hour(faults[_i].says);
	ck_assert_uint_gt(aws_help_asked("CloudTrail_20131101.ListPublicKeys"),
	    0);
	ck_assert_uint_gt(aws_help_asked("/eu-west-1/cloudtrail/aws4_request"),
	    0);
	free(aws_rig.conf.digest_url);
	aws_help_end();
}
END_TEST

Suite *
suite_aws_digest(void)
{
	Suite *s = suite_create("aws_digest");
	TCase *tc = tcase_create("aws_digest");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, validated, 0,
	    sizeof(faults) / sizeof(faults[0]));
	suite_add_tcase(s, tc);
	return s;
}
