/*
 * stored.c - does the store still hold what was collected and signed?
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/merkle.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "store/feed.h"
#include "store/line.h"
#include "verify/stored.h"

struct check {
	struct stored *v;
	struct gzip *gzip;
	struct digest *digest;
	struct buf raw;
	struct proof proof;
	int64_t feed; /* whose batches come */
	/* Of these, what follows the last checkpoint. */
	struct merkle_range run;
};

static void
count_finding(void *ctx, const char *text)
{
	struct stored *v = ctx;

	v->findings++;
	v->finding(v->ctx, text);
}

__attribute__((format(printf, 3, 4))) static void
find(struct check *c, const struct audit_batch *b, const char *fmt, ...)
{
	char what[256], text[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	(void)snprintf(text, sizeof(text),
	    "%.256s, events %" PRId64 " to %" PRId64 " (batch %" PRId64 "): %s",
	    b->tree, b->first, b->first + b->count - 1, b->id, what);
	count_finding(c->v, text);
}

/* Hash the lines of a batch into range; the first bytes of each leaf into
 * codes.  false: they are not its events. */
static bool
hash_lines(struct check *c, const struct audit_batch *b,
    struct merkle_range *range, struct buf *codes)
{
	const char *at = c->raw.data, *end = at + c->raw.len, *lf;
	uint8_t leaf[DIGEST_LEN];
	struct line line;

	for (; at < end; at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(end - at));
		if (lf == NULL ||
		    line_parse(at, (size_t)(lf - at), &line) != 0 ||
		    line.kind != LINE_EVENT || line.number != range->end ||
		    line.feed.len != strlen(b->tree) ||
		    memcmp(line.feed.data, b->tree, line.feed.len) != 0)
			return false;
		merkle_leaf(c->digest, line.value.data, line.value.len, leaf);
		merkle_append(c->digest, range, leaf);
		if (buf_add(codes, leaf, PROOF_CODE) != 0)
			return false;
	}
	return range->end == (uint64_t)(b->first + b->count);
}

static bool
same(struct audit_bytes a, const void *data, size_t len)
{
	return a.len == len && (len == 0 || memcmp(a.data, data, len) == 0);
}

/* Unpack the batch and hash it; false: that was a finding. */
static bool
read_batch(struct check *c, const struct audit_batch *b,
    struct merkle_range *range)
{
	struct buf codes = BUF_INIT(PROOF_MAX);
	struct err why = ERR_INIT;
	bool good = false;

	buf_clear(&c->raw);
	c->raw.ceiling = (size_t)b->raw_len;
	merkle_range_init(range, (uint64_t)b->first);
	if (gzip_unpack(c->gzip, b->lines.data, b->lines.len, &c->raw, &why) !=
	    0)
		find(c, b, "cannot be unpacked: %.160s", why.text);
	else if (c->raw.len != (size_t)b->raw_len)
		find(c, b, "unpacked they have %zu bytes and not %" PRId64,
		    c->raw.len, b->raw_len);
	else if (!hash_lines(c, b, range, &codes))
		find(c, b, "the lines are not those of these events");
	else if (!b->sealed &&
	    (!same(b->nodes, range->node, range->n * DIGEST_LEN) ||
		!same(b->checks, codes.data, codes.len)))
		find(c, b, "they are not the bytes that were committed");
	else
		good = true;
	buf_release(&codes);
	return good;
}

/* Does the checkpoint sign the events of c->run behind the tree before them?
 */
static void
check_proof(struct check *c, const struct audit_batch *b)
{
	struct proof *p = &c->proof;
	struct checkpoint cp = { .size = 0 };
	struct err why = ERR_INIT;
	struct merkle_range tree;
	uint8_t root[DIGEST_LEN];

	if (proof_parse(b->checkpoint.data, b->checkpoint.len, p, &why) != 0) {
		find(c, b, "%s", why.text);
		return;
	}
	/* Without a key it only takes the text apart. */
	(void)note_open(p->note.data, p->note.len, NULL, 0, &cp, &why);
	if (cp.size != c->run.end || (int64_t)cp.size != b->size ||
	    merkle_load(&tree, 0, p->from, p->before.data, p->before.len) !=
		0) {
		find(c, b, "their checkpoint is one of other events");
		return;
	}
	if (p->from < c->run.first) {
		c->v->uncovered += c->run.end - c->run.first;
		return;
	}
	if (merkle_join(c->digest, &tree, &c->run) != 0) {
		find(c, b, "their checkpoint is one of other events");
		return;
	}
	merkle_root(c->digest, &tree, root);
	if (memcmp(root, cp.root, DIGEST_LEN) != 0)
		find(c, b,
		    "their checkpoint signs another root: an event from "
		    "%" PRIu64 " on is not what was signed",
		    p->from);
	c->v->checkpoints++;
}

static void
begin_run(struct check *c, const struct audit_batch *b)
{
	if (c->feed == b->feed && c->run.end == (uint64_t)b->first)
		return;
	c->feed = b->feed;
	merkle_range_init(&c->run, (uint64_t)b->first);
}

static int
check_batch(void *ctx, const struct audit_batch *b, struct err *err)
{
	struct check *c = ctx;
	struct merkle_range range;

	c->v->batches++;
	if (c->v->progress != NULL &&
	    c->v->progress(c->v->ctx, c->v->batches) != 0)
		return err_set(err, "interrupted");
	if (b->first < 0 || b->count < 1 || b->count > BATCH_EVENTS ||
	    b->first >= (int64_t)MERKLE_MAX || b->raw_len < 1) {
		find(c, b, "there can be no such events");
		return 0;
	}
	begin_run(c, b);
	if (!read_batch(c, b, &range)) {
		c->feed = 0;
		return 0;
	}
	c->v->events += (uint64_t)b->count;
	if (!b->sealed)
		return 0;
	if (merkle_join(c->digest, &c->run, &range) == 0 &&
	    b->checkpoint.len > 0) {
		check_proof(c, b);
		merkle_range_init(&c->run, c->run.end);
	}
	return 0;
}

int
stored_check(struct store *s, struct stored *v, struct err *err)
{
	struct check c = { .v = v };
	int rc;

	if (audit_begin(s, err) != 0)
		return -1;
	c.gzip = gzip_new();
	c.digest = digest_new();
	proof_init(&c.proof);
	rc = audit_pages(s, count_finding, v, err);
	if (rc == 0)
		rc = audit_tables(s, count_finding, v, err);
	if (rc == 0)
		rc = audit_batches(s, check_batch, &c, err);
	proof_release(&c.proof);
	digest_free(c.digest);
	gzip_free(c.gzip);
	buf_release(&c.raw);
	audit_end(s);
	return rc;
}
