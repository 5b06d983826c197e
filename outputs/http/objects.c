/*
 * objects.c - events as objects of a store for objects.
 */
#include "outputs/http/objects.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/errors.h"
#include "delivery/chunk.h"
#include "http/aws_sign.h"
#include "http/rules.h"
#include "outputs/http/exchange.h"
#include "store/line.h"

#define LOOK_EVERY (CLOCK_SECOND / 10)

/* A name that is taken by something else is remembered, so many of them. */
#define TAKEN_MAX 64

/* Bytes that nothing refuses for their size. */
#define SMALL ((size_t)64 * 1024)

#define FEED_MAX 512
#define MD5_LEN 16

/* An object that is there already, and is looked at. */
struct found {
	struct found *next;
	uint64_t number;
	char *url;
	char digest[2 * DIGEST_LEN + 1]; /* of its lines as they should be */
	char etag[2 * MD5_LEN + 3];      /* likewise, as most stores make it */
};

struct objects {
	const struct object_store *store;
	void *login;
	struct gzip *gzip;
	/* The lines that are rendered. */
	struct {
		bool checkpoint;
		char feed[FEED_MAX];
		char source[64];
		uint64_t first;
		uint64_t last;
		int64_t when; /* of the first */
	} run;
	struct found *found;
	uint64_t numbers;
	uint64_t asked;
	char *taken[TAKEN_MAX]; /* URLs */
	size_t n_taken;
};

void *
objects_login(const struct intake *in)
{
	return ((const struct objects *)in->state)->login;
}

void
objects_set_login(struct intake *in, void *login)
{
	((struct objects *)in->state)->login = login;
}

/*
 * Opening.
 */

static void
found_free(struct found *f)
{
	free(f->url);
	free(f);
}

void
objects_close(struct intake *in)
{
	struct objects *o = in->state;

	o->store->close(in);
	while (o->found != NULL) {
		struct found *f = o->found;

		o->found = f->next;
		found_free(f);
	}
	for (size_t i = 0; i < o->n_taken; i++)
		free(o->taken[i]);
	gzip_free(o->gzip);
	free(o);
	in->state = NULL;
}

void
objects_open(struct intake *in, const struct object_store *store)
{
	struct objects *o = xcalloc(1, sizeof(*o));

	o->store = store;
	o->gzip = gzip_new();
	in->state = o;
	in->compress = false; /* the object is packed, not the transfer */
	in->poll_every = LOOK_EVERY;
	store->open(in);
}

/*
 * Objects.
 */

/* An object has lines of one feed without a gap, or one checkpoint. */
bool
objects_apart(struct intake *in, const struct chunk_line *line)
{
	const struct objects *o = in->state;

	return line->checkpoint || o->run.checkpoint ||
	    line->number != o->run.last + 1 ||
	    strcmp(line->feed, o->run.feed) != 0;
}

/* Where the events that a checkpoint is about begin. */
static uint64_t
begin_of(const struct chunk_line *line)
{
	static const char key[] = "\"from\":";
	const char *at = memmem(line->value, line->len, key, strlen(key));

	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

/* The body is still empty: the line is the first of an object. */
static void
begin_run(struct objects *o, const struct chunk_line *line)
{
	o->run.checkpoint = line->checkpoint;
	o->run.when = line->when == INT64_MIN ? clock_now() : line->when;
	o->run.first = line->checkpoint ? begin_of(line) : line->number;
	(void)snprintf(o->run.feed, FEED_MAX, "%s", line->feed);
	(void)snprintf(o->run.source, sizeof(o->run.source), "%s",
	    line->source_type);
}

int
objects_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err)
{
	const struct line_name name = { in->out->agent, line->feed, line->via };
	struct objects *o = in->state;

	if (body->len == 0)
		begin_run(o, line);
	o->run.last =
	    line->checkpoint ? line->number - (line->number > 0) : line->number;
	if (line_add(body, line->checkpoint ? LINE_CHECKPOINT : LINE_EVENT,
		name, line->number, line->value, line->len) != 0)
		return err_set(err, "object: too large");
	return 0;
}

static const char *const places[] = { "agent", "feed", "source", "day", NULL };

/* Append the configured path with its places filled in. */
static int
add_path(const struct intake *in, const struct objects *o, struct buf *url)
{
	const char *s = ((const struct objects_conf *)in->conf)->path;
	char when[CLOCK_TEXT], day[9];
	const char *values[] = { in->out->agent, o->run.feed, o->run.source,
		day };
	int rc = 0;

	(void)clock_format(o->run.when, 0, when);
	(void)snprintf(day, sizeof(day), "%.4s%.2s%.2s", when, when + 5,
	    when + 8);
	while (rc == 0 && *s != '\0') {
		size_t n = strcspn(s, "{"), i = 0;
		char *text = xasprintf("%.*s", (int)n, s);

		rc = aws_encode(url, text, true);
		free(text);
		s += n;
		for (; *s == '{' && places[i] != NULL; i++) {
			n = strlen(places[i]);
			if (strncmp(s + 1, places[i], n) != 0 ||
			    s[n + 1] != '}')
				continue;
			if (rc == 0)
				rc = aws_encode(url, values[i], true);
			s += n + 2;
			break;
		}
	}
	return rc;
}

static bool
is_taken(const struct objects *o, const char *url)
{
	for (size_t i = 0; i < o->n_taken; i++)
		if (strcmp(o->taken[i], url) == 0)
			return true;
	return false;
}

/* Begin r's URL with the bucket and a slash behind it. */
static int
begin_url(const struct intake *in, struct intake_request *r)
{
	const struct objects_conf *conf = in->conf;
	char *bucket =
	    conf->bucket == NULL ? NULL : xasprintf("/%s", conf->bucket);

	if (bucket != NULL)
		intake_url(r, bucket, NULL);
	else
		intake_base(r, "");
	free(bucket);
	return r->failed ? -1 : buf_adds(&r->url, "/");
}

static int
add_name(const struct intake *in, const struct objects *o, const char *mark,
    struct buf *url)
{
	const struct objects_conf *conf = in->conf;

	return buf_addf(url, "%012llu-%012llu%s%.16s.%s",
	    (unsigned long long)o->run.first, (unsigned long long)o->run.last,
	    mark == NULL ? "" : "-", mark == NULL ? "" : mark,
	    o->run.checkpoint         ? "manifest.json"
		: conf->http.compress ? "ndjson.gz"
				      : "ndjson");
}

static int
set_url(const struct intake *in, struct intake_request *r, const char *digest)
{
	const struct objects *o = in->state;
	size_t len;

	if (begin_url(in, r) != 0 || add_path(in, o, &r->url) != 0)
		return -1;
	len = r->url.len;
	if (add_name(in, o, NULL, &r->url) != 0)
		return -1;
	if (!is_taken(o, r->url.data))
		return 0;
	r->url.len = len;
	return add_name(in, o, digest, &r->url);
}

static void
hex_digest(const struct buf *b, char out[2 * DIGEST_LEN + 1])
{
	struct digest *d = digest_new();
	uint8_t digest[DIGEST_LEN];

	digest_sha256(d, NULL, 0, b->data == NULL ? "" : b->data, b->len,
	    digest);
	text_hex(out, digest, DIGEST_LEN);
	digest_free(d);
}

static int
pack(struct objects *o, struct buf *body, struct err *err)
{
	struct buf packed = BUF_INIT(EXCHANGE_BODY_MAX);
	int rc = gzip_pack(o->gzip, body->data == NULL ? "" : body->data,
	    body->len, &packed, err);

	buf_release(body);
	*body = packed;
	return rc;
}

int
objects_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct objects_conf *conf = in->conf;
	struct objects *o = in->state;
	bool packs = conf->http.compress && !o->run.checkpoint;
	char digest[2 * DIGEST_LEN + 1];

	hex_digest(&r->body, digest);
	if (set_url(in, r, digest) != 0)
		return err_set(err, "path: the name of an object is too long");
	if (packs && pack(o, &r->body, err) != 0)
		return -1;
	r->method = "PUT";
	intake_header(r, "Content-Type",
	    packs                   ? "application/gzip"
		: o->run.checkpoint ? "application/json"
				    : "application/x-ndjson");
	intake_header(r, o->store->digest, digest);
	if (conf->conditional)
		intake_header(r, o->store->guard, o->store->guard_value);
	if (o->store->headers(in, r, err) != 0)
		return -1;
	return o->store->sign(in, r, err);
}

/*
 * Answers.
 */

const char *
objects_header(const struct intake_request *r, const char *name)
{
	size_t n = strlen(name);

	for (const struct curl_slist *h = r->headers; h != NULL; h = h->next)
		if (strncasecmp(h->data, name, n) == 0 && h->data[n] == ':')
			return h->data + n + 1 + strspn(h->data + n + 1, " ");
	return NULL;
}

/* There is an object of that name: look at it before anything is believed. */
static void
look_at(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	struct objects *o = in->state;
	const struct intake_request *q = r->request;
	const char *digest = objects_header(q, o->store->digest);
	struct found *f = xcalloc(1, sizeof(*f));
	unsigned char md5[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	f->number = ++o->numbers;
	f->url = xstrdup(q->url.data);
	(void)snprintf(f->digest, sizeof(f->digest), "%s",
	    digest == NULL ? "" : digest);
	f->etag[0] = '"';
	if (EVP_Digest(q->body.data == NULL ? "" : q->body.data, q->body.len,
		md5, &n, EVP_md5(), NULL) == 1)
		text_hex(f->etag + 1, md5, MD5_LEN);
	strcat(f->etag, "\"");
	f->next = o->found;
	o->found = f;
	intake_pending(v, r->lines, f->number);
}

static bool
is_there(const struct objects *o, const struct intake_response *r)
{
	const char *const *code = o->store->there_codes;

	if (r->status != o->store->there || code == NULL)
		return r->status == o->store->there;
	while (*code != NULL && strstr(r->body, *code) == NULL)
		code++;
	return *code != NULL;
}

/* Has the answer a header that stores for objects give to what they keep, and
 * nobody else? */
static bool
is_of_a_store(const struct intake_response *r)
{
	static const char *const names[] = { "etag", "x-amz-request-id",
		"x-ms-request-id", "x-goog-generation", "x-goog-hash" };
	char value[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (intake_answer_header(r, names[i], value, sizeof(value)))
			return true;
	return false;
}

bool
objects_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	struct objects *o = in->state;
	struct reply_error e;

	o->store->hear(in, r);
	if (r->lines > 0 && is_there(o, r)) {
		look_at(in, r, v);
		return true;
	}
	if (r->status == 413 && r->lines == 1 &&
	    r->request->body.len <= SMALL) {
		intake_verdict(v, 1, VERDICT_RETRY,
		    "%s: answers 413 to so little; check what is on the way",
		    in->shown);
		return true;
	}
	if (r->status / 100 != 2) {
		if (r->lines == 0 && r->status == 404)
			intake_forget(in, "the object that was there is gone");
		return explain_judge(o->store->meanings, in, r, v);
	}
	if (r->lines > 0 && strstr(r->body, "<Error>") != NULL) {
		rules_error(r->body, r->len, &e);
		intake_verdict(v, r->lines, VERDICT_RETRY,
		    "%s: answers %d with an error under it: %s %s", in->shown,
		    r->status, e.code, e.message);
		return true;
	}
	if (r->lines == 0 || is_of_a_store(r))
		return false;
	intake_verdict(v, r->lines, VERDICT_BLOCKED,
	    "%s: answers %d without an ETag or a number of the request, which "
	    "a store for objects has, so "
	    "nothing counts as delivered; check url and what is on the way",
	    in->shown, r->status);
	return true;
}

int
objects_poll(struct intake *in, const uint64_t *numbers, size_t n,
    struct intake_request *r, struct err *err)
{
	struct objects *o = in->state;
	struct found **at = &o->found;

	/* Those that are not waited for any more are forgotten. */
	while (*at != NULL) {
		struct found *f = *at;
		size_t i = 0;

		while (i < n && numbers[i] != f->number)
			i++;
		if (i < n) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		found_free(f);
	}
	if (o->found == NULL)
		return err_set(err, "nothing is to be looked at");
	o->asked = o->found->number;
	buf_clear(&r->url);
	if (buf_adds(&r->url, o->found->url) != 0)
		return err_set(err, "url: too long");
	r->method = "GET";
	intake_header(r, "Range", "bytes=0-0");
	return o->store->sign(in, r, err);
}

/* Is what is there what should be there? */
static bool
is_same(const struct objects *o, const struct found *f,
    const struct intake_response *r)
{
	char value[256];

	if (intake_answer_header(r, o->store->digest, value, sizeof(value)))
		return strcmp(value, f->digest) == 0;
	return intake_answer_header(r, "etag", value, sizeof(value)) &&
	    strcasecmp(value, f->etag) == 0;
}

/* How far two texts are the same. */
static size_t
common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

void
objects_acknowledge(struct intake *in, const struct intake_response *r)
{
	const struct http_output_conf *conf = in->conf;
	struct objects *o = in->state;
	struct found *f = o->found;
	const char *name;
	char why[512];

	while (f != NULL && f->number != o->asked)
		f = f->next;
	if (f == NULL)
		return;
	if (is_same(o, f, r)) {
		intake_confirmed(in, f->number);
		return;
	}
	name = f->url + common(f->url, conf->url);
	(void)snprintf(why, sizeof(why),
	    "%.200s%.200s: has other contents already, which stay; the events "
	    "go under another name",
	    in->shown, name);
	if (o->n_taken == TAKEN_MAX)
		free(o->taken[--o->n_taken]);
	o->taken[o->n_taken++] = xstrdup(f->url);
	intake_forget(in, why);
}

/*
 * check --live: write a small object, where it is not there yet, and read it.
 */

int
objects_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	const struct objects_conf *conf = in->conf;
	struct objects *o = in->state;

	if (step > 1)
		return 1;
	r->plain = true;
	if (begin_url(in, r) != 0 ||
	    buf_addf(&r->url, "%s/sealfeed-check.json", in->out->agent) != 0)
		return err_set(err, "url: too long");
	if (step == 1) {
		r->method = "GET";
		intake_header(r, "Range", "bytes=0-0");
		return o->store->sign(in, r, err);
	}
	r->method = "PUT";
	if (buf_addf(&r->body, "{\"agent\":\"%s\"}\n", in->out->agent) != 0)
		return err_set(err, "request: too large");
	intake_header(r, "Content-Type", "application/json");
	if (conf->conditional)
		intake_header(r, o->store->guard, o->store->guard_value);
	if (o->store->headers(in, r, err) != 0)
		return -1;
	return o->store->sign(in, r, err);
}

int
objects_probed(struct intake *in, unsigned step,
    const struct intake_response *r, struct buf *message, struct err *err)
{
	struct objects *o = in->state;
	struct buf text = BUF_INIT(1024);
	int rc;

	if (step == 0 && is_there(o, r))
		return buf_adds(message, "sealfeed-check.json is there\n") == 0
		    ? 0
		    : err_set(err, "the result is too large");
	rc = explain_probe(o->store->meanings, in, r,
	    step == 0 ? "wrote sealfeed-check.json"
		      : "read it again; each object is acknowledged",
	    &text, err);

	if (rc == 0 && r->status / 100 != 2)
		rc = 1;
	if (rc == -1 && step == 1)
		(void)err_prefix(err, "reading, which tells what is there");
	if (rc == 0 && buf_adds(message, text.data) != 0)
		rc = err_set(err, "the result is too large");
	buf_release(&text);
	return rc;
}

/*
 * Options.
 */

#define OFFSET(member) offsetof(struct objects_conf, member)

const struct setting objects_settings[] = {
	{ .key = "path",
	    .type = SETTING_STRING,
	    .offset = OFFSET(path),
	    .def = "\"{agent}/{feed}/{day}/\"",
	    .help = "What names of objects begin with; {agent}, {feed}, "
		    "{source} (its type) and {day} (YYYYMMDD of the first "
		    "event) stand for those." },
	{ .key = "conditional",
	    .type = SETTING_BOOL,
	    .offset = OFFSET(conditional),
	    .def = "true",
	    .help = "Write only objects that are not there yet. false: for "
		    "stores that do not know the condition; an object that is "
		    "sent again replaces the first." },
	SETTING_END
};

static bool
is_place(const char *s)
{
	for (size_t i = 0; places[i] != NULL; i++)
		if (strncmp(s + 1, places[i], strlen(places[i])) == 0 &&
		    s[strlen(places[i]) + 1] == '}')
			return true;
	return false;
}

void
objects_check(const void *conf, const struct config_section *b)
{
	const struct objects_conf *c = conf;

	http_output_check(conf, b);
	if (c->http.url != NULL && strchr(c->http.url, '?') != NULL)
		config_error(b,
		    "url: has a query, which no object is written with; leave "
		    "it out and give the credentials in options of their own");
	for (const char *s = c->path; s != NULL && (s = strchr(s, '{')) != NULL;
	     s++)
		if (!is_place(s))
			config_error(b,
			    "path: \"%.40s\" is none of {agent}, {feed}, "
			    "{source} and {day}",
			    s);
	if (c->path != NULL && strstr(c->path, "{feed}") == NULL)
		config_error(b,
		    "path: needs {feed}, since feeds count their events "
		    "each for itself");
	if (c->path != NULL && c->path[0] == '/')
		config_error(b,
		    "path: must not begin with a slash; names of objects do "
		    "not");
	if (c->bucket != NULL &&
	    (c->bucket[0] == '\0' || strpbrk(c->bucket, "/?# ") != NULL))
		config_error(b, "bucket: \"%.60s\" is not the name of one",
		    c->bucket);
}
