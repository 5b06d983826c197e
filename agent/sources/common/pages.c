/*
 * pages.c - from the first page of a list to its last.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "http/rate.h"
#include "sources/common/pages.h"
#include "sources/source.h"

/* A list has at most so many pages; a real one has some hundreds of rows a
 * page. */
#define PAGES_MAX 20000
/* A lost link begins the list anew so often before it backs off. */
#define RESTARTS_MAX 3
/* A page that fails is asked for again at once, so often and so long: a list
 * of many pages would else hardly ever come to its end at a vendor that has a
 * bad day. */
#define PAGE_TRIES 8
#define PAGE_PATIENCE (15 * CLOCK_SECOND)
#define PAGE_PAUSE (CLOCK_SECOND / 4)
#define PAGE_PAUSE_MAX (4 * CLOCK_SECOND)

/* One way through a list. */
struct walk {
	const struct pages *pages;
	struct worker *w;
	struct stream *st;
	/* First bytes of the SHA-256 of each link: one that comes again would
	 * go round for ever. */
	uint64_t *seen;
	size_t n_seen;
	struct digest *digest;
};

static uint64_t
hash(const struct walk *k, const struct buf *link)
{
	uint8_t full[DIGEST_LEN];
	uint64_t first;

	digest_sha256(k->digest, NULL, 0, link->data, link->len, full);
	memcpy(&first, full, sizeof(first));
	return first;
}

static void
remember(struct walk *k, const struct buf *link)
{
	if (k->n_seen % 64 == 0)
		k->seen =
		    xreallocarray(k->seen, k->n_seen + 64, sizeof(*k->seen));
	k->seen[k->n_seen++] = hash(k, link);
}

static bool
is_repeated(const struct walk *k, const struct buf *link)
{
	uint64_t h = hash(k, link);

	for (size_t i = 0; i < k->n_seen; i++)
		if (k->seen[i] == h)
			return true;
	return false;
}

/* Ask for one page; next is empty behind the last one. */
static enum reply_class
get(struct walk *k, const struct buf *link, struct buf *next, struct outcome *r)
{
	const struct pages *p = k->pages;
	struct page page = { .link = link->len > 0 ? link->data : "",
		.next = next };

	buf_clear(next);
	if (p->get(p->ctx, &page, r) != REPLY_OK || next->len == 0 ||
	    !is_repeated(k, next))
		return r->class;
	if (p->endless && page.rows == 0) {
		buf_clear(next);
		return r->class;
	}
	return outcome_set(r, REPLY_RETRY, "%s leads back to an earlier page",
	    p->next_name);
}

/* The same, again and again for a while when it fails. */
static enum reply_class
insist(struct walk *k, const struct buf *link, struct buf *next,
    struct outcome *r)
{
	const struct source *s = k->w->source;
	int64_t end = clock_monotonic() + PAGE_PATIENCE, pause;

	for (unsigned try = 0; try < PAGE_TRIES; try++) {
		(void)get(k, link, next, r);
		if (r->class != REPLY_RETRY && r->class != REPLY_THROTTLED)
			break;
		pause = backoff(try, PAGE_PAUSE, PAGE_PAUSE_MAX);
		if (pause < r->wait)
			pause = r->wait;
		if (try + 1 == PAGE_TRIES || clock_monotonic() + pause > end)
			break;
		s->trouble(s->ctx, k->st, r);
		if (!s->rest(s->ctx, pause))
			return outcome_set(r, REPLY_STOPPED,
			    "the agent is stopping");
	}
	return r->class;
}

static enum reply_class
walk(struct walk *k, const char *first, struct outcome *r)
{
	struct buf link = BUF_INIT(PAGES_LINK_MAX);
	struct buf next = BUF_INIT(PAGES_LINK_MAX);

	k->n_seen = 0;
	if (buf_adds(&next, first) != 0)
		return outcome_set(r, REPLY_RETRY, "the URL is too long");
	do {
		struct buf swap = link;

		link = next;
		next = swap;
		remember(k, &link);
		(void)insist(k, &link, &next, r);
	} while (r->class == REPLY_OK && next.len > 0 && k->n_seen < PAGES_MAX);
	if (r->class == REPLY_OK && next.len > 0)
		(void)outcome_set(r, REPLY_RETRY, "%s has more than %d pages",
		    k->pages->what, PAGES_MAX);
	buf_release(&link);
	buf_release(&next);
	return r->class;
}

enum reply_class
pages_follow(struct worker *w, struct stream *st, const struct pages *pages,
    const char *first, struct outcome *r)
{
	struct walk k = {
		.pages = pages, .w = w, .st = st, .digest = digest_new()
	};

	for (int i = 0; i <= RESTARTS_MAX; i++)
		if (walk(&k, first, r) != REPLY_CURSOR || pages->once)
			break;
	digest_free(k.digest);
	free(k.seen);
	return r->class;
}

int
pages_token(struct slice token, struct buf *out)
{
	json_t *v;
	int rc = -1;

	if (token.data == NULL)
		return 0;
	/* Digits as they are: a cursor may have more than a number can. */
	if (*token.data == '-' || (*token.data >= '0' && *token.data <= '9'))
		return buf_add(out, token.data, token.len);
	v = json_loadb(token.data, token.len, JSON_DECODE_ANY, NULL);
	if (json_is_string(v))
		rc = buf_add(out, json_string_value(v), json_string_length(v));
	else if (json_is_null(v) || json_is_false(v))
		rc = 0;
	json_decref(v);
	return rc;
}
