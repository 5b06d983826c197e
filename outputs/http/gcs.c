/*
 * gcs.c - objects in Google Cloud Storage.
 *
 * docs.cloud.google.com/storage/docs/xml-api: "PUT Object", "HTTP headers";
 * "Request preconditions".
 */
#include <openssl/evp.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "config/errors.h"
#include "outputs/http/google.h"
#include "outputs/http/login.h"
#include "outputs/http/objects.h"
#include "outputs/http/transport.h"

#define SCOPE "https://www.googleapis.com/auth/devstorage.read_write"

#define MD5_LEN 16

struct gcs_conf {
	struct objects_conf objects; /* must stand first */
	struct google_conf google;
	char *storage_class;
};

static void
gcs_login(struct intake *in)
{
	const struct gcs_conf *conf = in->conf;

	objects_set_login(in, google_login(&conf->google, SCOPE, in->access));
}

static void
gcs_logout(struct intake *in)
{
	login_free(objects_login(in));
}

static int
gcs_headers(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct gcs_conf *conf = in->conf;
	unsigned char md5[EVP_MAX_MD_SIZE];
	struct buf text = BUF_INIT(64);
	unsigned int n = 0;

	if (conf->storage_class != NULL)
		intake_header(r, "x-goog-storage-class", conf->storage_class);
	/* The store compares it with what arrives. */
	if (EVP_Digest(r->body.data == NULL ? "" : r->body.data, r->body.len,
		md5, &n, EVP_md5(), NULL) != 1)
		return 0;
	if (buf_adds(&text, "md5=") != 0 ||
	    text_base64(&text, md5, MD5_LEN) != 0)
		return err_set(err, "request: too large");
	intake_header(r, "x-goog-hash", text.data);
	buf_release(&text);
	return 0;
}

static int
gcs_sign(struct intake *in, struct intake_request *r, struct err *err)
{
	return login_sign(objects_login(in), in, r, err);
}

static void
gcs_hear(struct intake *in, const struct intake_response *r)
{
	login_hear(objects_login(in), r);
}

static const struct explained meanings[] = {
	{ 400, "BadDigest", VERDICT_RETRY, "the body was damaged on the way" },
	{ 400, "InvalidBucketName", VERDICT_BLOCKED, "check bucket" },
	{ 400, "StorageClass", VERDICT_BLOCKED, "check storage_class" },
	{ 401, NULL, VERDICT_BLOCKED,
	    "the access token is refused; check key and the clock" },
	{ 403, "AccountProblem", VERDICT_BLOCKED,
	    "check billing of the project, which Google says is not in order" },
	{ 403, NULL, VERDICT_BLOCKED,
	    "give the service account storage.objects.create and "
	    "storage.objects.get on the bucket, as the roles Storage Object "
	    "Creator and Storage Object Viewer have them" },
	{ 404, "NoSuchKey", VERDICT_RETRY, "it is gone" },
	{ 404, NULL, VERDICT_BLOCKED,
	    "check bucket and url: there is no such bucket" },
	{ 409, NULL, VERDICT_RETRY, "somebody writes the same object" },
	{ 413, NULL, VERDICT_REFUSED, "lower max_body" },
	{ .status = 0 },
};

static const struct object_store store = {
	.digest = "x-goog-meta-sealfeed-sha256",
	.guard = "x-goog-if-generation-match",
	.guard_value = "0",
	.there = 412,
	.meanings = meanings,
	.open = gcs_login,
	.close = gcs_logout,
	.headers = gcs_headers,
	.sign = gcs_sign,
	.hear = gcs_hear,
};

static int
gcs_open(struct intake *in, struct err *err)
{
	(void)err;
	objects_open(in, &store);
	return 0;
}

static void
gcs_check(const void *conf, const struct config_section *b)
{
	const struct gcs_conf *c = conf;

	objects_check(conf, b);
	google_check(&c->google, b);
	if (c->objects.bucket == NULL)
		config_error(b, "bucket: is missing; name the bucket");
}

static const struct http_dialect gcs = { OBJECTS_DIALECT(gcs_open) };

#define OFFSET(member) offsetof(struct gcs_conf, member)

static const struct setting settings[] = {
	{ .key = "url",
	    .type = SETTING_STRING,
	    .offset = OFFSET(objects.http.url),
	    .def = "https://storage.googleapis.com",
	    .help = "Endpoint of the XML API." HTTP_ENDPOINT("The bucket") },
	{ .key = "bucket",
	    .type = SETTING_STRING,
	    .offset = OFFSET(objects.bucket),
	    .help = "Name of the bucket.",
	    .ask = "Bucket" },
	{ .key = "objects", .type = SETTING_TABLE, .table = objects_settings },
	{ .key = "login",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(google),
	    .table = google_settings },
	{ .key = "storage_class",
	    .type = SETTING_STRING,
	    .offset = OFFSET(storage_class),
	    .help = "Storage class, as NEARLINE. Default: the bucket's." },
	HTTP_MAX_BODY("8MiB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_gcs = {
	.type.name = "gcs",
	.type.title = "Google Cloud Storage",
	.type.before = "In Google Cloud: a bucket (retention policies work), "
		       "and a service account with\n"
		       "the roles Storage Object Creator and Storage Object "
		       "Viewer on it, and its JSON key.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct gcs_conf),
	.type.check = gcs_check,
	.dialect = &gcs,
	HTTP_TRANSPORT,
};
