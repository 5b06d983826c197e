/*
 * fuzz_bucket.c - any bytes as a page of a bucket's list.  What is taken of it
 * can be listed and fetched, and a page that says that it goes on says where.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* The function that reads a page is the module's own: with its file here, the
 * library's is not linked. */
#include "sources/aws/list.c"

#define FOLDER "logs/"

static size_t taken;

/* In place of s3_list_object(), by the linker. */
int __wrap_s3_list_object(const struct s3 *o, struct ledger *l,
    const struct s3_object *object, int64_t now, struct buf *key,
    struct err *err);

int
__wrap_s3_list_object(const struct s3 *o, struct ledger *l,
    const struct s3_object *object, int64_t now, struct buf *key,
    struct err *err)
{
	(void)o;
	(void)l;
	(void)now;
	(void)key;
	(void)err;
	FUZZ_CHECK(strcmp(object->bucket, "bucket") == 0);
	FUZZ_CHECK(*object->key != '\0' && strlen(object->key) <= 1024);
	FUZZ_CHECK(object->etag == NULL || strchr(object->etag, '"') == NULL);
	FUZZ_CHECK(object->size >= -1);
	taken++;
	return 0;
}

/* Read a page; more: whether it says where it goes on. */
static int
page(const char *s, size_t len, bool folders, bool *more)
{
	const struct s3_conf conf = { .look_back = CLOCK_DAY };
	struct s3 o = { .conf = &conf };
	struct source source = { .state = &o };
	struct worker w = { .source = &source };
	struct listing l = { .w = &w,
		.ledger = (struct ledger *)(void *)&o,
		.bucket = "bucket",
		.prefix = FOLDER,
		.folders = folders,
		.from = INT64_MIN };
	struct buf body = BUF_INIT(S3_REPLY_MAX),
		   next = BUF_INIT(PAGES_LINK_MAX);
	struct err err = ERR_INIT;
	int rc;

	FUZZ_CHECK(buf_add(&body, s, len) == 0);
	rc = read_page(&l, &body, &next, &err);
	FUZZ_CHECK((rc == 0) == (err.text[0] == '\0'));
	FUZZ_CHECK(l.n_found <= FOLDERS_MAX);
	for (size_t i = 0; i < l.n_found; i++)
		FUZZ_CHECK(strncmp(l.found[i], FOLDER, strlen(FOLDER)) == 0);
	*more = next.len > 0;
	free_found(l.found, l.n_found);
	buf_release(&body);
	buf_release(&next);
	return rc;
}

/* The bytes as a row behind a good one, which is taken whatever they are. */
static void
behind(const char *s, size_t len)
{
	static const char good[] =
	    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>"
	    "<Key>logs/a+b</Key><LastModified>2026-11-26T10:00:00.000Z"
	    "</LastModified><ETag>&quot;x&quot;</ETag><Size>1</Size>"
	    "</Contents>";
	struct buf all = BUF_INIT(S3_REPLY_MAX);
	bool more;

	FUZZ_CHECK(buf_adds(&all, good) == 0 && buf_add(&all, s, len) == 0 &&
	    buf_adds(&all, "</ListBucketResult>") == 0);
	taken = 0;
	(void)page(all.data, all.len, false, &more);
	FUZZ_CHECK(taken >= 1);
	buf_release(&all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = size > 0 ? (const char *)data : "";
	bool more;

	(void)page(s, size, true, &more);
	(void)page(s, size, false, &more);
	behind(s, size);
	return 0;
}
