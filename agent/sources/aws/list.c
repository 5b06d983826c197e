/*
 * list.c - listings of a bucket find what no message told of.
 *
 * Keys of a day do not come in their order: a file may be written late, before
 * others by its name.  So all of the days' folders are listed each time, and
 * the ledger knows what is new.  Of CloudTrail the folders are
 * [PREFIX/]AWSLogs/[o-ORG/]ACCOUNT/CloudTrail[-KIND]/REGION/YYYY/MM/DD/ (User
 * Guide, "Finding your CloudTrail log files"); their names are taken from the
 * bucket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/xml.h"
#include "http/server_clock.h"
#include "sources/aws/s3.h"
#include "sources/common/pages.h"
#include "store/feed.h"

#define PAGE_KEYS "1000"
#define FOLDERS_MAX 100000

struct listing {
	struct worker *w;
	struct stream *st;
	struct ledger *ledger; /* NULL: objects are not wanted */
	const char *bucket;
	const char *prefix; /* of the listing at hand … */
	bool folders;       /* … which stops at the next slash: */
	char **found;       /* folders below prefix, each with its slash */
	size_t n_found;
	int64_t now;
	int64_t from; /* older objects are not wanted, … */
	int64_t to;   /* … nor those from here on */
	size_t objects;
};

/* One row of a page. */
struct row {
	struct buf key;
	struct buf etag;
	int64_t when;
	int64_t size;
};

static void
row_clear(struct row *row)
{
	buf_clear(&row->key);
	buf_clear(&row->etag);
	row->when = INT64_MIN;
	row->size = -1;
}

/* A row is complete. */
static int
take_row(struct listing *l, struct row *row, struct err *err)
{
	const struct s3 *o = l->w->source->state;
	struct s3_object object = { .bucket = l->bucket,
		.key = row->key.data,
		.etag = row->etag.len > 0 ? row->etag.data : NULL,
		.when = row->when,
		.size = row->size };
	struct buf key = BUF_INIT(S3_KEY_MAX);
	int rc;

	l->objects++;
	if (row->key.len == 0)
		return err_set(err, "an object in the list has no key");
	if (l->ledger == NULL ||
	    (row->when != INT64_MIN &&
		(row->when < l->from || row->when >= l->to)))
		return 0;
	rc = s3_list_object(o, l->ledger, &object, l->now, &key, err);
	buf_release(&key);
	return rc;
}

static int
take_folder(struct listing *l, const char *name, struct err *err)
{
	struct buf plain = BUF_INIT(S3_KEY_MAX);

	if (l->n_found == FOLDERS_MAX || notice_decode(name, &plain) != 0 ||
	    strncmp(plain.data, l->prefix, strlen(l->prefix)) != 0) {
		buf_release(&plain);
		return err_set(err,
		    "the list has a folder that cannot be "
		    "one, or too many");
	}
	l->found = xreallocarray(l->found, l->n_found + 1, sizeof(*l->found));
	l->found[l->n_found++] = buf_take(&plain, NULL);
	return 0;
}

/* A number of bytes; -1, as if it were not told: it is none. */
static int64_t
size_of(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' ? n
									  : -1;
}

/* The text of a piece of a page. */
static int
take_text(struct listing *l, const struct xml *x, struct row *row,
    struct buf *next, bool *more, struct err *err)
{
#define ROOT "ListBucketResult/"
	const char *name = x->path + strlen(ROOT);
	const char *etag = x->text + (*x->text == '"');

	if (strcmp(name, "IsTruncated") == 0)
		*more = strcmp(x->text, "true") == 0;
	else if (strcmp(name, "NextContinuationToken") == 0)
		return next->len > 0 ? -1 : buf_adds(next, x->text);
	else if (strcmp(name, "CommonPrefixes/Prefix") == 0)
		return take_folder(l, x->text, err);
	else if (strcmp(name, "Contents/Key") == 0)
		return row->key.len > 0 ? -1
					: notice_decode(x->text, &row->key);
	else if (strcmp(name, "Contents/ETag") == 0)
		return buf_add(&row->etag, etag, strcspn(etag, "\""));
	else if (strcmp(name, "Contents/Size") == 0)
		row->size = size_of(x->text);
	else if (strcmp(name, "Contents/LastModified") == 0)
		return clock_parse(x->text, x->len, &row->when);
	return 0;
}

/* Read a page, and where it leads. */
static int
read_page(struct listing *l, const struct buf *body, struct buf *next,
    struct err *err)
{
	struct buf text = BUF_INIT(S3_KEY_MAX);
	struct row row = { .key = BUF_INIT(S3_KEY_MAX),
		.etag = BUF_INIT(S3_KEY_MAX) };
	enum xml_piece piece = XML_OPEN;
	bool more = false;
	struct xml x;
	int rc = 0;

	row_clear(&row);
	xml_begin(&x, body->data != NULL ? body->data : "", body->len, &text);
	while (rc == 0 && piece != XML_BAD && piece != XML_END) {
		piece = xml_next(&x);
		if (strncmp(x.path, "ListBucketResult", 16) != 0)
			rc = -1;
		else if (piece == XML_TEXT && strchr(x.path, '/') != NULL)
			rc = take_text(l, &x, &row, next, &more, err);
		else if (piece == XML_SHUT &&
		    strcmp(x.path, ROOT "Contents") == 0) {
			rc = take_row(l, &row, err);
			row_clear(&row);
		}
		if (piece == XML_END)
			rc = 0;
	}
	if (piece != XML_END || (more && next->len == 0))
		rc = err_set(err, "it is not what ListObjectsV2 answers");
	if (!more)
		buf_clear(next);
	buf_release(&row.key);
	buf_release(&row.etag);
	buf_release(&text);
	return rc;
}

/* pages.get; link: the token that continues. */
static enum reply_class
get_page(void *ctx, struct page *page, struct outcome *r)
{
	struct listing *l = ctx;
	const struct s3 *o = l->w->source->state;
	const struct {
		const char *name;
		const char *value;
	} query[] = {
		{ "continuation-token", page->link },
		{ "delimiter", l->folders ? "/" : "" },
		{ "encoding-type", "url" },
		{ "list-type", "2" },
		{ "max-keys", l->w->stream != NULL ? PAGE_KEYS : "1" },
		{ "prefix", l->prefix },
	};
	const struct http_pair headers[] = { { "Accept", "application/xml" },
		{ NULL, NULL } };
	struct buf url = BUF_INIT(HTTP_HEADERS_MAX),
		   body = BUF_INIT(S3_REPLY_MAX);
	struct request q = { .headers = headers,
		.feed = l->st != NULL ? l->st->feed : NULL,
		.objects = true,
		.any = true,
		.xml = true };
	struct err err = ERR_INIT;
	int rc = buf_addf(&url, "%s/%s", o->s3.base, l->bucket);

	for (size_t i = 0; i < sizeof(query) / sizeof(query[0]) && rc == 0;
	     i++) {
		if (*query[i].value == '\0')
			continue;
		rc = buf_addf(&url,
		    "%c%s=", strchr(url.data, '?') != NULL ? '&' : '?',
		    query[i].name);
		if (rc == 0)
			rc = aws_encode(&url, query[i].value, false);
	}
	q.url = url.data;
	page->rows = l->objects;
	if (rc != 0)
		(void)outcome_set(r, REPLY_CONFIG, "the URL is too long");
	else if (s3_ask(l->w, &o->s3, &q, &body, r) == REPLY_OK &&
	    (read_page(l, &body, page->next, &err) != 0 ||
		(l->ledger != NULL && ledger_flush(l->ledger, &err) != 0)))
		(void)outcome_set(r, REPLY_RETRY,
		    "the list of bucket %s cannot be read: %s", l->bucket,
		    err.text);
	page->rows = l->objects - page->rows;
	buf_release(&url);
	buf_release(&body);
	return r->class;
}

static void
free_found(char **found, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(found[i]);
	free(found);
}

/* List all below prefix, or the folders there. */
static enum reply_class
list_all(struct listing *l, const char *prefix, bool folders, struct outcome *r)
{
	const struct pages pages = { .get = get_page,
		.ctx = l,
		.what = "the list of the bucket",
		.next_name = "NextContinuationToken" };

	l->prefix = prefix;
	l->folders = folders;
	return pages_follow(l->w, l->st, &pages, "", r);
}

/* The last part of a folder's name, without its slash. */
static struct slice
last_part(const char *folder)
{
	size_t len = strlen(folder), from;

	len -= len > 0 && folder[len - 1] == '/';
	for (from = len; from > 0 && folder[from - 1] != '/'; from--)
		;
	return (struct slice){ folder + from, len - from };
}

static bool
begins(struct slice s, const char *with)
{
	return s.len >= strlen(with) && memcmp(s.data, with, strlen(with)) == 0;
}

/* The days of a region. */
static enum reply_class
list_days(struct listing *l, const char *region, struct outcome *r)
{
	char day[CLOCK_TEXT], *folder;

	(void)outcome_set(r, REPLY_OK, "no day");
	/* A day ahead, since a folder's day is UTC by AWS's clock. */
	const int64_t last = (l->to < l->now ? l->to : l->now) + CLOCK_HOUR;

	for (int64_t at = l->from;
	     at < last + CLOCK_DAY && r->class == REPLY_OK; at += CLOCK_DAY) {
		int64_t when = at < last ? at : last;

		(void)clock_format(when, 0, day);
		folder = xasprintf("%s%.4s/%.2s/%.2s/", region, day, day + 5,
		    day + 8);
		(void)list_all(l, folder, false, r);
		free(folder);
	}
	return r->class;
}

/* What a folder is, by its depth below AWSLogs/. */
enum level { LEVEL_ROOT, LEVEL_ACCOUNT, LEVEL_KIND, LEVEL_REGION };

/* Is a folder at that level one that is read? */
static bool
is_level(const struct s3_conf *c, enum level level, struct slice name)
{
	return level != LEVEL_KIND ||
	    (begins(name, "CloudTrail") &&
		(c->digests || !begins(name, "CloudTrail-Digest")));
}

/* Go down from a folder, whose children are of that level. */
static enum reply_class
walk(struct listing *l, const char *folder, enum level level, struct outcome *r)
{
	char **found;
	size_t n;

	l->found = NULL;
	l->n_found = 0;
	(void)list_all(l, folder, true, r);
	found = l->found;
	n = l->n_found;
	l->found = NULL;
	l->n_found = 0;
	for (size_t i = 0; i < n && r->class == REPLY_OK; i++) {
		struct slice name = last_part(found[i]);

		if (!is_level(l->w->source->conf, level, name))
			continue;
		/* An organisation has its accounts one folder below. */
		if (level == LEVEL_ROOT && begins(name, "o-"))
			(void)walk(l, found[i], LEVEL_ACCOUNT, r);
		else if (level == LEVEL_ROOT || level == LEVEL_ACCOUNT)
			(void)walk(l, found[i], LEVEL_KIND, r);
		else if (level == LEVEL_KIND)
			(void)walk(l, found[i], LEVEL_REGION, r);
		else
			(void)list_days(l, found[i], r);
	}
	free_found(found, n);
	return r->class;
}

/* All that is to be listed of a bucket. */
static enum reply_class
list_bucket(struct listing *l, struct outcome *r)
{
	const struct s3_conf *c = l->w->source->conf;
	const char *prefix = c->prefix != NULL ? c->prefix : "";
	const char *logs = strstr(prefix, "AWSLogs/");
	const size_t len = strlen(prefix);
	char *root;

	if (c->form != FORM_CLOUDTRAIL || logs != NULL)
		return list_all(l, prefix, false, r);
	root = xasprintf("%s%sAWSLogs/", prefix,
	    len > 0 && prefix[len - 1] != '/' ? "/" : "");
	(void)walk(l, root, LEVEL_ROOT, r);
	free(root);
	return r->class;
}

/* All that is to be listed of all buckets. */
static enum reply_class
list_buckets(struct listing *l, struct outcome *r)
{
	const struct s3_conf *c = l->w->source->conf;

	(void)outcome_set(r, REPLY_OK, "no bucket");
	for (size_t i = 0; c->buckets[i] != NULL && r->class == REPLY_OK; i++) {
		l->bucket = c->buckets[i];
		(void)list_bucket(l, r);
	}
	return r->class;
}

enum reply_class
s3_list(struct worker *w, struct stream *st, struct outcome *r)
{
	const struct s3_conf *c = w->source->conf;
	struct s3_stream *ss = s3_state(st);
	struct listing l = { .w = w,
		.st = st,
		.now = server_clock_now(w->source->clock),
		.to = INT64_MAX };

	l.from = l.now - c->look_back;
	l.ledger = ledger_new(st, &ss->known, false);
	if (list_buckets(&l, r) == REPLY_OK)
		st->listed = l.now;
	ledger_free(l.ledger);
	return r->class;
}

enum reply_class
s3_list_span(struct worker *w, struct stream *st, const struct span *span,
    struct outcome *r)
{
	struct listing l = { .w = w,
		.st = st,
		.now = server_clock_now(w->source->clock),
		.from = span->from,
		.to = span->to };

	l.ledger = ledger_new(st, NULL, true);
	(void)list_buckets(&l, r);
	ledger_free(l.ledger);
	return r->class;
}

enum reply_class
s3_list_try(struct worker *w, const char *bucket, struct outcome *r)
{
	const struct s3_conf *c = w->source->conf;
	struct buf next = BUF_INIT(PAGES_LINK_MAX);
	struct listing l = { .w = w,
		.bucket = bucket,
		.prefix = c->prefix != NULL ? c->prefix : "" };
	struct page page = { .link = "", .next = &next };

	(void)get_page(&l, &page, r);
	buf_release(&next);
	return r->class;
}
