/*
 * office365_fetch.c - one content blob, from the API into the store.
 *
 * A blob is a JSON array of any length.  It streams through the splitter and
 * is committed piecewise; a fetch that breaks off continues behind what is
 * committed, after checking that the blob still begins with the same events.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/merkle.h"
#include "base/splitter.h"
#include "office365.h"
#include "store/feed.h"
#include "store/item.h"

/* Longest event that is held in memory.  Documented ones end far below a
 * megabyte; one that is longer becomes a gap with that reason. */
#define EVENT_MOST (16 * 1024 * 1024)

/* How far the count of an event's bytes may be off: curl's buffer. */
#define CHUNK (64 * 1024)

/* Requests that downloads leave to listings. */
#define RESERVE 10

/* A 404 without one of the API's codes may be some proxy's: it is believed
 * after so many tries. */
#define NOT_FOUND_TRIES 4

struct fetching {
	struct worker *w;
	struct stream *st;
	const struct item *item;
	struct piece *piece;
	struct splitter *splitter;
	struct digest *digest;
	uint64_t skip; /* elements that are committed already */
	uint64_t n;    /* elements so far */
	uint8_t chain[DIGEST_LEN];
	uint64_t bytes; /* of the reply, and at the end of the last element */
	uint64_t last;
	bool too_long; /* an event beyond EVENT_MOST */
	bool changed;  /* it does not begin as it did */
};

static int
commit(struct fetching *f, bool complete, struct err *err)
{
	struct commit_result res;

	piece_item(f->piece, f->item->id, f->n, f->chain, complete);
	if (complete && f->w->gather && piece_bytes(f->piece) <= GATHER_BYTES) {
		f->w->left = piece_move(f->piece);
		if (f->w->left != NULL)
			return 0;
	}
	if (feed_commit(f->piece, &res, err) != 0)
		return -1;
	if (res.events > 0)
		f->st->source->committed(f->st->source->ctx, f->st);
	return 0;
}

/* splitter_fn: one event. */
static int
take_event(void *ctx, const struct element *el, struct err *err)
{
	struct fetching *f = ctx;
	const struct slice event = { .data = el->data, .len = el->len };
	uint8_t leaf[DIGEST_LEN];
	int64_t when = INT64_MIN;

	f->last = f->bytes;
	merkle_leaf(f->digest, el->data, el->len, leaf);
	digest_sha256(f->digest, f->chain, DIGEST_LEN, leaf, DIGEST_LEN,
	    f->chain);
	f->n++;
	if (f->n < f->skip)
		return 0;
	if (f->n == f->skip) {
		if (memcmp(f->chain, f->item->chain, DIGEST_LEN) == 0)
			return 0;
		f->changed = true;
		return err_set(err,
		    "the blob does not begin with the events that it began "
		    "with before");
	}
	if (el->time.data != NULL &&
	    clock_parse(el->time.data, el->time.len, &when) != 0)
		when = INT64_MIN;
	if (piece_hashed(f->piece, event, el->id, when, leaf, err) != 0)
		return -1;
	if (piece_bytes(f->piece) < PIECE_BYTES &&
	    piece_events(f->piece) < BATCH_EVENTS)
		return 0;
	return commit(f, false, err);
}

/* http_take_fn */
static int
take_bytes(void *ctx, const char *data, size_t len, struct err *err)
{
	struct fetching *f = ctx;

	f->bytes += len;
	if (splitter_push(f->splitter, data, len, err) == 0)
		return 0;
	f->too_long = f->bytes - f->last > EVENT_MOST - CHUNK;
	return -1;
}

/* The reply was whole: is the document, too? */
static void
finish(struct fetching *f, struct ruling *r)
{
	struct err err = ERR_INIT;

	if (splitter_end(f->splitter, &err) != 0) {
		(void)ruling_set(r, REPLY_RETRY, "the blob can't be used: %s",
		    err.text);
	} else if (f->n < f->skip) {
		f->changed = true;
		(void)ruling_set(r, REPLY_RETRY,
		    "the blob has fewer events than before");
	} else if (commit(f, true, &err) != 0) {
		(void)ruling_set(r, REPLY_RETRY, "%s", err.text);
	}
}

/* Ask for the blob once. */
static void
get(struct worker *w, struct fetching *f, const char *url, struct ruling *r)
{
	const struct office365_call call = { .url = url,
		.reserve = RESERVE,
		.feed = f->st->feed,
		.take = take_bytes,
		.ctx = f };
	struct http_reply reply;

	splitter_reset(f->splitter);
	f->n = 0;
	f->bytes = 0;
	f->last = 0;
	f->changed = false;
	memset(f->chain, 0, sizeof(f->chain));
	http_reply_init(&reply);
	if (office365_call(w, &call, &reply, r) == REPLY_OK)
		finish(f, r);
	else if (reply.status == 404 && r->class == REPLY_RETRY &&
	    f->item->attempts >= NOT_FOUND_TRIES)
		r->class = REPLY_GONE;
	if (f->too_long) {
		(void)ruling_set(r, REPLY_GONE,
		    "event %llu of the blob is longer than %d MiB, the most "
		    "that is held in memory",
		    (unsigned long long)f->n, EVENT_MOST / (1024 * 1024));
		(void)snprintf(r->code, sizeof(r->code), "too-long");
	}
	http_reply_release(&reply);
}

void
office365_fetch(struct worker *w, struct stream *st, const struct item *it,
    struct ruling *r)
{
	static const struct splitter_spec spec = {
		.id = "Id", .time = "CreationTime", .most = EVENT_MOST
	};
	const struct office365 *o = w->source->state;
	struct fetching f = {
		.w = w, .st = st, .item = it, .skip = it->elements
	};
	struct buf url = BUF_INIT(2 * HTTP_HEADERS_MOST);

	if (!office365_own(o, "contentUri", it->uri, r))
		return;
	if (office365_publish(o, it->uri, &url) != 0) {
		(void)ruling_set(r, REPLY_RETRY, "contentUri is too long");
		buf_release(&url);
		return;
	}
	f.piece = piece_again(w->spare, st->feed);
	w->spare = NULL;
	f.splitter = splitter_new(&spec, take_event, &f);
	f.digest = digest_new();
	get(w, &f, url.data, r);
	if (f.changed) {
		/* From its start; the seen-set keeps repeats out. */
		f.skip = 0;
		get(w, &f, url.data, r);
	}
	digest_free(f.digest);
	splitter_free(f.splitter);
	w->spare = f.piece;
	buf_release(&url);
}
