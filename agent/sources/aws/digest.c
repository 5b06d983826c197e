/*
 * digest.c - CloudTrail's digests: are its files all there, and as they were?
 *
 * Every hour CloudTrail writes a file that names what it delivered, with the
 * SHA-256 of each, and the digest before; its signature stands in the object's
 * metadata (CloudTrail User Guide, "CloudTrail digest file structure" and
 * "Custom implementations of CloudTrail log file integrity validation").
 *
 * A digest is an item like others.  It is done when all files that it names are
 * read; one that is not known yet goes into the ledger.  What is not as it
 * should be is a gap, which says what.  And it is the trail's own account of
 * its time (store/attest.h): confirmed is what was read of files that are as
 * they were.
 */
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth.h"
#include "http/server_clock.h"
#include "sources/aws/s3.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"

#define FOLDER "/CloudTrail-Digest/"
#define TARGET                                                   \
	"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101" \
	".ListPublicKeys"
#define SIGNATURE_MAX 1024 /* bytes: a key of 8192 bits */
#define WAIT (5 * CLOCK_SECOND)

/* A digest as it is in the bucket. */
struct digest_file {
	json_t *top;
	char hash[2 * DIGEST_LEN + 1];
	char signature[2 * SIGNATURE_MAX + 1]; /* "" where it has none */
};

struct checking {
	struct worker *w;
	struct stream *st;
	const struct item *item;
	struct digest_file file;
	size_t pending;     /* files that are not read yet */
	struct hours hours; /* of the events of those that are as they were */
	char why[400];      /* "": nothing is wrong */
	char doubt[400];    /* … but not all can be confirmed */
};

bool
s3_is_digest(const char *key)
{
	return strstr(key, FOLDER) != NULL;
}

/* -- objects --------------------------------------------------------------- */

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* Get an object of a bucket, into q's function. */
static enum reply_class
get(struct checking *c, const char *bucket, const char *key, struct request *q,
    struct http_reply *reply, struct outcome *r)
{
	static const struct http_pair headers[] = { { "Accept", "*/*" },
		{ NULL, NULL } };
	const struct s3 *o = c->w->source->state;
	const struct s3_object object = { .bucket = bucket, .key = key };
	struct buf url = BUF_INIT(HTTP_HEADERS_MAX);

	if (buf_adds(&url, o->s3.base) != 0 || s3_add_uri(&object, &url) != 0) {
		(void)outcome_set(r, REPLY_RETRY,
		    "a name in the digest is too long");
	} else {
		q->url = url.data;
		q->headers = headers;
		q->feed = c->st->feed;
		q->objects = true;
		q->any = true;
		q->file = true;
		(void)request_send(c->w, &o->s3, q, reply, r);
	}
	buf_release(&url);
	return r->class;
}

static void
sha256(const char *data, size_t len, char hex[2 * DIGEST_LEN + 1])
{
	struct digest *digest = digest_new();
	uint8_t hash[DIGEST_LEN];

	digest_sha256(digest, NULL, 0, data, len, hash);
	text_hex(hex, hash, DIGEST_LEN);
	digest_free(digest);
}

/* Get a digest. */
static enum reply_class
load(struct checking *c, const char *bucket, const char *key,
    struct digest_file *f, struct outcome *r)
{
	struct buf body = BUF_INIT(S3_REPLY_MAX);
	struct request q = { .take = s3_take, .ctx = &body };
	struct http_reply reply;

	*f = (struct digest_file){ .top = NULL };
	http_reply_init(&reply);
	if (get(c, bucket, key, &q, &reply, r) == REPLY_OK) {
		sha256(body.data != NULL ? body.data : "", body.len, f->hash);
		if (!http_header(&reply, "x-amz-meta-signature", f->signature,
			sizeof(f->signature)))
			f->signature[0] = '\0';
		f->top = body.len > 0 ? json_loadb(body.data, body.len, 0, NULL)
				      : NULL;
		if (!json_is_object(f->top))
			(void)outcome_set(r, REPLY_RETRY,
			    "%.300s is no JSON object", key);
	}
	http_reply_release(&reply);
	buf_release(&body);
	return r->class;
}

/* A file that is read again. */
struct again {
	struct s3_reading reading;
	struct splitter *events;
};

/* splitter_fn */
static int
take_event(void *ctx, const struct element *el, struct err *err)
{
	int64_t when;

	(void)err;
	if (el->time.data != NULL &&
	    clock_parse(el->time.data, el->time.len, &when) == 0)
		s3_reading_count(ctx, when);
	return 0;
}

/* http_take_fn */
static int
take_again(void *ctx, const char *data, size_t len, struct err *err)
{
	struct again *a = ctx;
	struct err odd = ERR_INIT;

	(void)err;
	s3_reading_see(&a->reading, data, len);
	/* One that differs may be anything; its hash says so. */
	if (a->events != NULL &&
	    splitter_push(a->events, data, len, &odd) != 0) {
		splitter_free(a->events);
		a->events = NULL;
	}
	return 0;
}

/* What a file was when it was read, else what it is now. */
static enum reply_class
recall(struct checking *c, const char *bucket, const char *key,
    struct s3_file *file, struct outcome *r)
{
	struct s3 *o = c->w->source->state;
	char *name = xasprintf("%s/%s", bucket, key);
	struct http_reply reply;
	struct again a;

	(void)outcome_set(r, REPLY_OK, "it is known");
	if (!s3_file_recall(o, name, file)) {
		struct request q = { .take = take_again, .ctx = &a };

		s3_reading_begin(&a.reading);
		a.events =
		    splitter_new(&o->format.splitter, take_event, &a.reading);
		http_reply_init(&reply);
		(void)get(c, bucket, key, &q, &reply, r);
		http_reply_release(&reply);
		splitter_free(a.events);
		s3_reading_end(&a.reading, file);
	}
	free(name);
	return r->class;
}

/* -- the signature --------------------------------------------------------- */

/* The key of an answer with this fingerprint: base64 of a PKCS #1 key. */
static EVP_PKEY *
pick_key(const json_t *list, const char *fingerprint)
{
	struct buf der = BUF_INIT(16 * 1024);
	EVP_PKEY *key = NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *value = text(entry, "Value");
		const unsigned char *at;

		if (key != NULL ||
		    strcmp(text(entry, "Fingerprint"), fingerprint) != 0)
			continue;
		buf_clear(&der);
		if (text_unbase64(&der, value, strlen(value)) != 0)
			continue;
		at = (const unsigned char *)der.data;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.len);
	}
	buf_release(&der);
	return key;
}

/* The key that is configured. */
static EVP_PKEY *
own_key(const struct s3_conf *c, struct outcome *r)
{
	struct err err = ERR_INIT;
	char *pem = secret_resolve_pem(c->digest_key, &err);
	BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
	EVP_PKEY *key =
	    bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	if (key == NULL)
		(void)outcome_set(r, REPLY_CONFIG, "digests.key: %s",
		    pem == NULL ? err.text : "is no public key in PEM");
	BIO_free(bio);
	secret_free(pem);
	return key;
}

/* Ask CloudTrail in the region that is a part of the digest's key. */
static EVP_PKEY *
ask_key(struct checking *c, struct outcome *r)
{
	const struct s3 *o = c->w->source->state;
	const struct s3_conf *conf = c->w->source->conf;
	const char *at = strstr(c->item->key, FOLDER) + strlen(FOLDER);
	char *region = xstrndup(at, strcspn(at, "/"));
	const struct auth_conf auth = { .scheme = AUTH_AWS_IDENTITY,
		.option = "aws.key",
		.aws = { .keys = o->aws,
		    .region = region,
		    .service = "cloudtrail",
		    .clock = c->w->source->clock } };
	static const struct http_pair headers[] = { { "X-Amz-Target", TARGET },
		{ NULL, NULL } };
	struct buf base = BUF_INIT(2048), answer = BUF_INIT(S3_REPLY_MAX);
	struct api api = { .option = "digests.url", .rules = aws_rules };
	struct request q = { .type = "application/x-amz-json-1.1",
		.headers = headers,
		.feed = c->st->feed,
		.objects = true };
	int64_t from = 0, to = 0;
	json_t *top = NULL;
	EVP_PKEY *key = NULL;
	char *url, *body;

	(void)clock_parse(text(c->file.top, "digestStartTime"),
	    strlen(text(c->file.top, "digestStartTime")), &from);
	(void)clock_parse(text(c->file.top, "digestEndTime"),
	    strlen(text(c->file.top, "digestEndTime")), &to);
	if (conf->digest_url != NULL
		? buf_adds(&base, conf->digest_url) != 0
		: aws_endpoint(&base, "cloudtrail", region) != 0)
		mem_gone();
	url = xasprintf("%s/", base.data);
	body = xasprintf("{\"StartTime\":%lld,\"EndTime\":%lld}",
	    (long long)(from / CLOCK_SECOND), (long long)(to / CLOCK_SECOND));
	api.base = base.data;
	api.auth = auth_new(&auth);
	q.url = url;
	q.body = body;
	if (s3_ask(c->w, &api, &q, &answer, r) == REPLY_OK) {
		top = json_loadb(answer.data != NULL ? answer.data : "",
		    answer.len, 0, NULL);
		key = pick_key(json_object_get(top, "PublicKeyList"),
		    text(c->file.top, "digestPublicKeyFingerprint"));
		if (key == NULL)
			(void)outcome_set(r, REPLY_RETRY,
			    "CloudTrail does not tell the public key that the "
			    "digest names");
	}
	json_decref(top);
	auth_free(api.auth);
	free(url);
	free(body);
	free(region);
	buf_release(&base);
	buf_release(&answer);
	return key;
}

/* Is the digest signed with key? */
static bool
is_signed(const struct digest_file *f, EVP_PKEY *key)
{
	const json_t *top = f->top;
	const char *before = text(top, "previousDigestSignature");
	char *words = xasprintf("%s\n%s/%s\n%s\n%s", text(top, "digestEndTime"),
	    text(top, "digestS3Bucket"), text(top, "digestS3Object"), f->hash,
	    *before != '\0' ? before : "null");
	uint8_t signature[SIGNATURE_MAX];
	size_t len = 0;
	bool is_hex = OPENSSL_hexstr2buf_ex(signature, sizeof(signature), &len,
			  f->signature, '\0') == 1;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && is_hex && len > 0 &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, len, (const uint8_t *)words,
		strlen(words)) == 1;

	EVP_MD_CTX_free(ctx);
	free(words);
	return good;
}

/* -- what a digest says ---------------------------------------------------- */

/* Say so first in one of the texts of c. */
static void
say(char text[400], const char *what, const char *name)
{
	if (text[0] == '\0')
		(void)snprintf(text, 400, "%s: %.250s", what, name);
}

static void
wrong(struct checking *c, const char *what, const char *name)
{
	say(c->why, what, name);
}

/* Is it where it says it is, and by whom it says? */
static enum reply_class
check_signature(struct checking *c, struct outcome *r)
{
	const struct s3_conf *conf = c->w->source->conf;
	const json_t *top = c->file.top;
	char *name = xasprintf("%s/%s", text(top, "digestS3Bucket"),
	    text(top, "digestS3Object"));
	EVP_PKEY *key;

	if (strcmp(name, c->item->key) != 0)
		wrong(c, "the digest is not the one of this place, but", name);
	free(name);
	key = conf->digest_key != NULL ? own_key(conf, r) : ask_key(c, r);
	if (key == NULL)
		return r->class;
	if (strcmp(text(top, "digestSignatureAlgorithm"), "SHA256withRSA") !=
		0 ||
	    !is_signed(&c->file, key))
		wrong(c, "the signature of the digest is not CloudTrail's",
		    c->item->key);
	EVP_PKEY_free(key);
	return r->class;
}

/* Is the digest before as this one has it?  It is checked itself, too. */
static enum reply_class
check_chain(struct checking *c, struct ledger *l, struct outcome *r)
{
	const struct s3 *o = c->w->source->state;
	const json_t *top = c->file.top;
	const char *key = text(top, "previousDigestS3Object");
	const char *bucket = text(top, "previousDigestS3Bucket");
	const int64_t now = server_clock_now(c->w->source->clock);
	const struct s3_object object = { .bucket = bucket,
		.key = key,
		.when = c->item->created - CLOCK_HOUR,
		.size = -1 };
	struct digest_file before;
	struct buf known = BUF_INIT(S3_KEY_MAX);
	struct err err = ERR_INIT;

	(void)outcome_set(r, REPLY_OK, "it is the first");
	if (*key == '\0')
		return r->class;
	if (load(c, bucket, key, &before, r) == REPLY_GONE) {
		wrong(c, "the digest before is not in the bucket any more",
		    key);
		(void)outcome_set(r, REPLY_OK, "the chain is broken");
	} else if (r->class == REPLY_OK) {
		if (strcmp(before.hash, text(top, "previousDigestHashValue")) !=
			0 ||
		    strcmp(before.signature,
			text(top, "previousDigestSignature")) != 0)
			wrong(c, "the digest before is not as it was", key);
		/* So far back as listings look. */
		if (object.when > now - o->conf->look_back &&
		    s3_list_object(o, l, &object, now, &known, &err) != 0)
			(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	}
	json_decref(before.top);
	buf_release(&known);
	return r->class;
}

/* A file that was read: is it the one that the digest names? */
static enum reply_class
compare(struct checking *c, const struct s3_object *object, const char *hash,
    struct outcome *r)
{
	struct s3_file file;

	if (recall(c, object->bucket, object->key, &file, r) == REPLY_GONE) {
		/* What was read before it went is read. */
		say(c->doubt,
		    "a file is gone from the bucket, and what was read of it "
		    "cannot be compared any more",
		    object->key);
		(void)outcome_set(r, REPLY_OK, "it was read");
	} else if (r->class == REPLY_OK && strcmp(file.hex, hash) != 0) {
		wrong(c, "a file is not as CloudTrail delivered it",
		    object->key);
	} else if (r->class == REPLY_OK) {
		hours_sum(&c->hours, &file.hours);
	}
	s3_file_release(&file);
	return r->class;
}

/* One file that the digest names. */
static enum reply_class
check_file(struct checking *c, struct ledger *l, const json_t *file,
    struct outcome *r)
{
	const struct s3 *o = c->w->source->state;
	const struct s3_object object = { .bucket = text(file, "s3Bucket"),
		.key = text(file, "s3Object"),
		.when = c->item->created,
		.size = -1 };
	struct buf key = BUF_INIT(S3_KEY_MAX);
	enum item_state state = ITEM_LISTED;
	struct err err = ERR_INIT;
	int64_t attempts;
	int rc = buf_addf(&key, "%s/%s", object.bucket, object.key);

	(void)outcome_set(r, REPLY_OK, "as it should be");
	if (rc == 0)
		rc = item_find(c->st->feed, key.data, &state, &attempts, &err);
	if (rc < 0) {
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	} else if (rc == 0) {
		c->pending++;
		if (s3_list_object(o, l, &object,
			server_clock_now(c->w->source->clock), &key, &err) != 0)
			(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	} else if (state == ITEM_LISTED) {
		c->pending++;
	} else if (state == ITEM_DONE) {
		(void)compare(c, &object, text(file, "hashValue"), r);
	} else {
		say(c->doubt, "a file that the digest names is a gap",
		    object.key);
	}
	buf_release(&key);
	return r->class;
}

static enum reply_class
check_files(struct checking *c, struct ledger *l, struct outcome *r)
{
	const json_t *files = json_object_get(c->file.top, "logFiles"), *file;
	size_t i;

	(void)outcome_set(r, REPLY_OK, "it names none");
	if (!json_is_array(files))
		wrong(c, "the digest names no files", c->item->key);
	json_array_foreach(files, i, file)
	{
		if (check_file(c, l, file, r) != REPLY_OK)
			break;
	}
	return r->class;
}

/* Whose digests follow one another: one trail's of a region, as their names
 * have it, ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOMEREGION_TIME. */
static char *
chain_of(const char *key)
{
	const char *folder = strstr(key, FOLDER);
	const char *region = folder + strlen(FOLDER);
	const char *name = strrchr(key, '/') + 1, *end = strrchr(name, '_');

	if (end != NULL && strstr(name, "_CloudTrail-Digest_") != NULL)
		return xstrndup(name, (size_t)(end - name));
	while (folder > key && folder[-1] != '/')
		folder--;
	return xstrndup(folder,
	    (size_t)(region - folder) + strcspn(region, "/"));
}

/* Its time, which is half-open: all of it is confirmed, or none. */
static void
attest(struct checking *c, struct write_batch *p)
{
	const char *from = text(c->file.top, "digestStartTime");
	const char *to = text(c->file.top, "digestEndTime");
	char *chain = chain_of(c->item->key);
	struct attested a = { .chain = chain,
		.error = c->why[0] != '\0' ? c->why
		    : c->doubt[0] != '\0'  ? c->doubt
					   : NULL,
		.hours = c->hours.row,
		.n_hours = c->hours.n };

	if (clock_parse(from, strlen(from), &a.from) == 0 &&
	    clock_parse(to, strlen(to), &a.to) == 0 &&
	    a.to - a.from <= CLOCK_DAY)
		write_batch_attest(p, &a);
	free(chain);
}

/* It is checked: done, with a gap where something is wrong. */
static enum reply_class
finish(struct checking *c, struct outcome *r)
{
	const struct source *s = c->st->source;
	static const uint8_t chain[DIGEST_LEN];
	struct write_batch *p = write_batch_new(c->st->feed);
	struct gap_row *g = xcalloc(1, sizeof(*g));
	struct commit_result res;
	struct err err = ERR_INIT;

	g->item = c->item->id;
	g->part = true;
	g->from = g->to = c->item->created;
	(void)snprintf(g->key, sizeof(g->key), "%.255s", c->item->key);
	(void)snprintf(g->cause, sizeof(g->cause), "%s", c->why);
	if (c->why[0] != '\0')
		write_batch_gap(p, g);
	attest(c, p);
	write_batch_item(p, c->item->id, 0, chain, true);
	if (feed_commit(p, &res, &err) != 0) {
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	} else if (c->why[0] != '\0') {
		feed_count(c->st->feed, FEED_DIGESTS_WRONG, 1);
		(void)outcome_set(r, REPLY_GONE, "%.200s: %s", c->item->key,
		    c->why);
		s->trouble(s->ctx, c->st, r);
		(void)outcome_set(r, REPLY_OK, "told");
	} else {
		feed_count(c->st->feed, FEED_DIGESTS, 1);
	}
	free(g);
	write_batch_free(p);
	return r->class;
}

void
s3_digest_fetch(struct worker *w, struct stream *st, const struct item *it,
    struct outcome *r)
{
	struct checking *c = xcalloc(1, sizeof(*c));
	char *bucket = xstrndup(it->key, strcspn(it->key, "/"));
	struct ledger *l;
	struct err err = ERR_INIT;

	c->w = w;
	c->st = st;
	c->item = it;
	l = ledger_new(st, NULL, false);
	if (load(c, bucket, it->key + strlen(bucket) + 1, &c->file, r) ==
		REPLY_OK &&
	    check_signature(c, r) == REPLY_OK &&
	    check_chain(c, l, r) == REPLY_OK &&
	    check_files(c, l, r) == REPLY_OK) {
		if (ledger_flush(l, &err) != 0) {
			(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
		} else if (c->pending > 0) {
			(void)outcome_set(r, REPLY_RETRY,
			    "%zu of the files that the digest names are not "
			    "read yet",
			    c->pending);
			(void)snprintf(r->code, sizeof(r->code),
			    "digest-waits");
			r->wait = WAIT;
		} else {
			(void)finish(c, r);
		}
	}
	ledger_free(l);
	hours_release(&c->hours);
	json_decref(c->file.top);
	free(bucket);
	free(c);
}
