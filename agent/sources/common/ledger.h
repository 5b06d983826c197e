/*
 * ledger.h - what a vendor lists, on its way into the feed's ledger.
 *
 * Rows go there by the thousand, however long a list is.  Those that are in
 * the ledger stay there when a later row or page fails; only the cursor waits
 * for all of them.
 */
#ifndef SOURCES_COMMON_LEDGER_H
#define SOURCES_COMMON_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "store/write_batch.h"

struct err;
struct ledger;
struct stream;

/* Items that are known to be in the ledger, by hashes of their keys.  Keeps
 * what an overlap lists again from being read and written again.  One a stream,
 * zeroed at first; it grows with what is listed up to 64 KiB, where the latest
 * win. */
struct ledger_known {
	uint64_t *hash; /* owned; places where none is have 0 */
	size_t places;  /* 0, or a power of two */
	unsigned gaps;  /* stream.gaps then */
};

void ledger_known_release(struct ledger_known *known);

/* One listing's way into st's ledger.  thorough: the ledger is asked for every
 * row, known or not.  known is borrowed; NULL: what is known is known of this
 * listing alone. */
struct ledger *ledger_new(struct stream *st, struct ledger_known *known,
    bool thorough);
void ledger_free(struct ledger *l);

/* Is this key's item known to be there?  If not, the next ledger_add() is of
 * this key.  data NULL: it can't be told. */
bool ledger_has(struct ledger *l, struct slice key);

/* Add an item, which is copied; durable with the next flush or before. */
int ledger_add(struct ledger *l, const struct listed *item, struct err *err);

/* Make durable what was added, and tell the source of it. */
int ledger_flush(struct ledger *l, struct err *err);

/* How many items were new to the ledger. */
size_t ledger_fresh(const struct ledger *l);

#endif /* SOURCES_COMMON_LEDGER_H */
