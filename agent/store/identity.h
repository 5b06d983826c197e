/*
 * identity.h - is an event new, a repeat, or another version of one?
 *
 * No vendor promises that an id stands for one record only.  An event is a
 * repeat when a feed had its id with the same bytes (leaf hash) within its
 * dedupe time; with other bytes it is an event of its own, and a version of
 * the first one with that id.  An event without an id is a repeat when the
 * same ledger item had the same bytes already.
 *
 * The seen-set (seen.h) keeps, ten bytes of SHA-256 each, for every id its
 * first event, and for every event the id with the bytes, or the item with
 * the bytes.
 */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/text.h"

struct err;
struct feed;
struct seen_entry;

/* Does a vendor's id name anything?  Not where it is empty or a zero however
 * written: "0", "00000000-0000-0000-0000-000000000000". */
bool identity_named(struct slice id);

/* What is new in one commit.  Zeroed but for feed and digest, which are
 * borrowed. */
struct identities {
	struct feed *feed;
	struct digest *digest;
	struct seen_entry *entries; /* for seen_add() */
	size_t n, room;
	uint32_t *set; /* open hash over entries: place + 1, 0 free */
	size_t set_size;
};
void identities_release(struct identities *k);

/* An event as it is judged. */
struct identity {
	struct slice id;      /* data NULL: none */
	const uint8_t *scope; /* DIGEST_LEN, the item's; NULL: from none */
	const uint8_t *leaf;  /* DIGEST_LEN */
	uint64_t index;       /* that it has if it is new */
};

struct sighting {
	bool repeat;
	bool version; /* and the first event with its id is … */
	int64_t feed; /* … in the tree of this feed's row */
	uint64_t index;
};

/* Has the feed had an event with that id, within its dedupe time?  1, 0, -1. */
int identity_known(struct feed *f, struct digest *digest, struct slice id,
    struct err *err);

/* Judge an event, and remember it unless it is a repeat.  0 and *s, or -1. */
int identity_see(struct identities *k, const struct identity *e,
    struct sighting *s, struct err *err);

#endif /* STORE_IDENTITY_H */
