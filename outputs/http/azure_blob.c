/*
 * azure_blob.c - objects in Azure Blob Storage.
 *
 * learn.microsoft.com/rest/api/storageservices: "Put Blob", "Authorize with
 * Shared Key", "Authorize with Microsoft Entra ID", "Blob service error codes".
 */
#include <curl/curl.h>
#include <openssl/hmac.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/errors.h"
#include "config/secret.h"
#include "http/auth_oauth2.h"
#include "outputs/http/entra.h"
#include "outputs/http/login.h"
#include "outputs/http/objects.h"
#include "outputs/http/transport.h"

/* The same in all clouds. */
#define SCOPE "https://storage.azure.com/.default"

#define API_VERSION "2023-11-03"

#define KEY_MAX 256
#define MD5_LEN 16

struct blob_conf {
	struct objects_conf objects; /* must stand first */
	struct entra_conf entra;
	char *account;
	char *key; /* secret text */
	char *tier;
};

static const struct rule token_rules[] = {
	OAUTH_API_RULES("check cloud and tenant: it must be the tenant of a "
			"subscription with Azure Storage",
	    "check cloud and tenant; the token is for Azure Storage"),
	{ .next = oauth_rules }
};

static void
blob_login(struct intake *in)
{
	const struct blob_conf *conf = in->conf;

	if (conf->key == NULL)
		objects_set_login(in,
		    entra_login(&conf->entra, SCOPE, token_rules, in->access));
}

static void
blob_logout(struct intake *in)
{
	login_free(objects_login(in));
}

static int
blob_headers(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct blob_conf *conf = in->conf;
	unsigned char md5[EVP_MAX_MD_SIZE];
	struct buf text = BUF_INIT(64);
	unsigned int n = 0;

	intake_header(r, "x-ms-blob-type", "BlockBlob");
	if (conf->tier != NULL)
		intake_header(r, "x-ms-access-tier", conf->tier);
	/* The store compares it with what arrives. */
	if (EVP_Digest(r->body.data == NULL ? "" : r->body.data, r->body.len,
		md5, &n, EVP_md5(), NULL) != 1)
		return 0;
	if (text_base64(&text, md5, MD5_LEN) != 0)
		return err_set(err, "request: too large");
	intake_header(r, "Content-MD5", text.data);
	buf_release(&text);
	return 0;
}

/* "Thu, 26 Nov 2026 21:00:00 GMT" */
static void
add_date(struct intake_request *r)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" },
				 *const months[] = { "Jan", "Feb", "Mar", "Apr",
					 "May", "Jun", "Jul", "Aug", "Sep",
					 "Oct", "Nov", "Dec" };
	time_t now = (time_t)(clock_now() / CLOCK_SECOND);
	struct tm tm;
	char date[64];

	(void)gmtime_r(&now, &tm);
	(void)snprintf(date, sizeof(date), "%s, %02d %s %d %02d:%02d:%02d GMT",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	intake_header(r, "x-ms-date", date);
	intake_header(r, "x-ms-version", API_VERSION);
}

/*
 * Shared Key.
 */

static int
by_name(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* The x-ms-… headers, by name, in lower case. */
static int
add_canonical_headers(const struct intake_request *r, struct buf *out)
{
	const char *list[16];
	size_t n = 0;
	int rc = 0;

	for (const struct curl_slist *h = r->headers; h != NULL && n < 16;
	     h = h->next)
		if (strncasecmp(h->data, "x-ms-", 5) == 0)
			list[n++] = h->data;
	qsort(list, n, sizeof(list[0]), by_name);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const char *colon = strchr(list[i], ':');

		for (const char *s = list[i]; s < colon && rc == 0; s++)
			rc = buf_addf(out, "%c",
			    *s >= 'A' && *s <= 'Z' ? *s | 0x20 : *s);
		if (rc == 0)
			rc = buf_addf(out, ":%s\n",
			    colon + 1 + strspn(colon + 1, " "));
	}
	return rc;
}

/* What is signed: the method, standard headers in their order, of which those
 * that are not there are empty, and what else tells requests apart. */
static int
add_string(const struct blob_conf *conf, const struct intake_request *r,
    struct buf *out)
{
	static const char *const standard[] = { "Content-MD5", "Content-Type",
		"Date", "If-Modified-Since", "If-Match", "If-None-Match",
		"If-Unmodified-Since", "Range" };
	const char *path = strstr(r->url.data, "://");
	int rc = buf_addf(out, "%s\n\n\n", r->method);

	if (rc == 0 && r->body.len > 0)
		rc = buf_addf(out, "%zu", r->body.len);
	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
		const char *value = objects_header(r, standard[i]);

		if (rc == 0)
			rc = buf_addf(out, "\n%s", value == NULL ? "" : value);
	}
	if (rc == 0)
		rc = buf_adds(out, "\n");
	if (rc == 0)
		rc = add_canonical_headers(r, out);
	path = path == NULL ? "" : path + 3;
	path += strcspn(path, "/");
	return rc == 0 ? buf_addf(out, "/%s%s", conf->account, path) : -1;
}

static int
add_signature(const struct blob_conf *conf, const struct buf *text,
    const char *key, struct intake_request *r, struct err *err)
{
	unsigned char raw[KEY_MAX], mac[DIGEST_LEN];
	struct buf value = BUF_INIT(512);
	size_t n = strlen(key);
	int len = n >= KEY_MAX
	    ? -1
	    : EVP_DecodeBlock(raw, (const unsigned char *)key, (int)n);
	int rc = -1;

	while (len > 0 && n > 0 && key[n - 1] == '=') {
		len--;
		n--;
	}
	if (len <= 0)
		return err_set(err,
		    "key: is not the base64 of a key of the storage account");
	if (HMAC(EVP_sha256(), raw, len, (const unsigned char *)text->data,
		text->len, mac, NULL) == NULL)
		mem_gone();
	if (buf_addf(&value, "SharedKey %s:", conf->account) == 0 &&
	    text_base64(&value, mac, DIGEST_LEN) == 0) {
		intake_header(r, "Authorization", value.data);
		rc = 0;
	}
	OPENSSL_cleanse(raw, sizeof(raw));
	buf_release(&value);
	return rc == 0 ? 0 : err_set(err, "request: too large");
}

static int
sign_with_key(const struct blob_conf *conf, struct intake_request *r,
    struct err *err)
{
	struct buf text = BUF_INIT(16384);
	char *key = secret_resolve(conf->key, err);
	int rc;

	if (key == NULL)
		return err_prefix(err, "key");
	rc = add_string(conf, r, &text) != 0
	    ? err_set(err, "request: too large")
	    : add_signature(conf, &text, key, r, err);
	secret_free(key);
	buf_release(&text);
	return rc;
}

static int
blob_sign(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct blob_conf *conf = in->conf;

	add_date(r);
	return conf->key != NULL ? sign_with_key(conf, r, err)
				 : login_sign(objects_login(in), in, r, err);
}

static void
blob_hear(struct intake *in, const struct intake_response *r)
{
	if (objects_login(in) != NULL)
		login_hear(objects_login(in), r);
}

static const struct explained meanings[] = {
	{ 400, "AccessTier", VERDICT_BLOCKED, "check tier" },
	{ 400, "Md5Mismatch", VERDICT_RETRY,
	    "the body was damaged on the way" },
	{ 400, "InvalidUri", VERDICT_BLOCKED, "check url, bucket and path" },
	{ 400, "InvalidResourceName", VERDICT_BLOCKED, "check bucket" },
	{ 401, NULL, VERDICT_BLOCKED,
	    "the access token is refused; check cloud, tenant and client_id" },
	{ 403, "AuthenticationFailed", VERDICT_BLOCKED,
	    "check account, the secret in key, and this machine's clock" },
	{ 403, "KeyBasedAuthenticationNotPermitted", VERDICT_BLOCKED,
	    "the account takes no shared key; use client_id and "
	    "client_secret" },
	{ 403, "AccountIsDisabled", VERDICT_BLOCKED,
	    "the storage account is disabled" },
	{ 403, NULL, VERDICT_BLOCKED,
	    "give the app the role Storage Blob Data Contributor on the "
	    "container, and check the account's network rules" },
	{ 404, "BlobNotFound", VERDICT_RETRY, "it is gone" },
	{ 404, NULL, VERDICT_BLOCKED,
	    "check bucket and url: there is no such container" },
	{ 409, "ContainerBeingDeleted", VERDICT_BLOCKED,
	    "the container is being deleted" },
	{ 409, "ContainerDisabled", VERDICT_BLOCKED,
	    "the container is disabled" },
	{ 409, NULL, VERDICT_RETRY, "somebody writes the same blob" },
	{ 413, NULL, VERDICT_REFUSED, "lower max_body" },
	{ .status = 0 },
};

/* What cannot be written again is there, too. */
static const char *const there[] = { "BlobAlreadyExists", "BlobImmutableDueTo",
	NULL };

static const struct object_store store = {
	.digest = "x-ms-meta-sealfeed_sha256",
	.guard = "If-None-Match",
	.guard_value = "*",
	.there = 409,
	.there_codes = there,
	.meanings = meanings,
	.open = blob_login,
	.close = blob_logout,
	.headers = blob_headers,
	.sign = blob_sign,
	.hear = blob_hear,
};

static int
blob_open(struct intake *in, struct err *err)
{
	(void)err;
	objects_open(in, &store);
	return 0;
}

static void
blob_check(const void *conf, const struct config_section *b)
{
	const struct blob_conf *c = conf;

	objects_check(conf, b);
	if (c->key == NULL)
		entra_check(&c->entra, b);
	else if (c->entra.client_id != NULL)
		config_error(b,
		    "key: client_id is set, too; keep one of the two");
	else if (c->account == NULL)
		config_error(b,
		    "account: is missing; key belongs to a storage account");
}

static const struct http_dialect blob = { OBJECTS_DIALECT(blob_open) };

#define OFFSET(member) offsetof(struct blob_conf, member)

static const struct setting settings[] = {
	HTTP_BASE_URL("Blob endpoint of the storage account, as "
		      "https://ACCOUNT.blob.core.windows.net,",
	    "The container"),
	{ .key = "bucket",
	    .type = SETTING_STRING,
	    .offset = OFFSET(objects.bucket),
	    .help = "Container, where url does not name it.",
	    .ask = "Container" },
	{ .key = "objects", .type = SETTING_TABLE, .table = objects_settings },
	{ .key = "login",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(entra),
	    .table = entra_settings },
	{ .key = "account",
	    .type = SETTING_STRING,
	    .offset = OFFSET(account),
	    .help = "Name of the storage account, with key." },
	{ .key = "key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(key),
	    .help = "Access key of the storage account (Shared Key), instead "
		    "of an app registration." },
	{ .key = "tier",
	    .type = SETTING_STRING,
	    .offset = OFFSET(tier),
	    .help = "Access tier: Hot, Cool, Cold or Archive. Default: the "
		    "account's." },
	HTTP_MAX_BODY("8MiB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_azure_blob = {
	.type.name = "azure-blob",
	.type.title = "Azure Blob Storage",
	.type.before = "In Azure: a storage account with a container (an "
		       "immutability policy works), and\n"
		       "an app registration with the role Storage Blob Data "
		       "Contributor on it.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct blob_conf),
	.type.check = blob_check,
	.dialect = &blob,
	HTTP_TRANSPORT,
};
