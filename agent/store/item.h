/*
 * item.h - the ledger: what a vendor listed and is still to be fetched, or
 * was, until it expires there.
 *
 * An item is fetched element by element and committed piecewise.  Its chain
 * is SHA-256 over (chain before || leaf hash of the element), for every
 * element in the order of the reply, repeats included.  A second fetch skips
 * the elements that are already committed and compares: when the chain over
 * the skipped ones differs, the vendor answered in another order and the
 * fetch starts again without skipping, the seen-set keeping repeats out.
 */
#ifndef STORE_ITEM_H
#define STORE_ITEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct err;
struct feed;
struct store;

enum item_state { ITEM_LISTED, ITEM_DONE, ITEM_GAP };

struct item {
	int64_t id;
	char *key;
	char *uri;
	int64_t created;
	int64_t expires;
	int64_t attempts;
	uint64_t elements; /* committed so far */
	uint8_t chain[DIGEST_LEN];
};

/* Take one listed item of the feed whose next try is due, for this process:
 * by turns the one that expires first and the newest.  1 and *it (release
 * with item_release()), 0 when none is due (*next then says when one will be,
 * INT64_MAX: none), -1. */
int item_claim(struct feed *f, struct item *it, int64_t *next, struct err *err);

/* Give a claimed item back: to be tried again at when, with what went wrong
 * (NULL: it is complete, nothing to say). */
int item_return(struct feed *f, const struct item *it, int64_t when,
    const char *error, struct err *err);

void item_release(struct item *it);

/* Of the listed items of the feed that are not done the one that expires
 * first, which is the oldest, since a vendor keeps all for the same time: when
 * it was made available and when it expires (both INT64_MAX: there is none).
 * One look at an index, however many there are. */
int item_oldest(struct feed *f, int64_t *created, int64_t *expires,
    struct err *err);

/* Listed items whose expiry has passed become gaps, each with its row, in one
 * transaction; *n says how many. */
int item_expire(struct feed *f, int64_t now, size_t *n, struct err *err);

#endif /* STORE_ITEM_H */
