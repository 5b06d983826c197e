/*
 * content.h - content blobs: making them, finding them, reading them, and
 * the ledger of everything that they hold.
 *
 * The ledger of a content type is the file DIR/ledger/TYPE: every event that
 * was made available, each once, as its bytes and a line feed.  Blobs are
 * regions of these files.  DIR/ledger/synthetic has a line "TYPE COUNT SUM"
 * for each blob that is too large to write down (tally.h says what SUM is).
 */
#ifndef TESTS_SIM_CONTENT_H
#define TESTS_SIM_CONTENT_H

#include "tests/sim/sim.h"

/* How a blob is to be; zero is the ordinary one. */
struct make {
	int64_t age;      /* ms: contentCreated lies so far back */
	int64_t hold;     /* ms until it is listed */
	int64_t life;     /* ms until it expires; 0: seven days */
	const char *gone; /* the AF code that it answers with for ever */
	bool foreign;
	bool small;  /* short records */
	bool large;  /* records above 8 KiB */
	bool repeat; /* with one event of an earlier blob */
};

/* Open the ledgers, read --records. */
void content_open(struct sim *s);

/* Make n events available in one new blob.  The caller holds the lock. */
void content_make(struct sim *s, struct feed *f, size_t n,
    const struct make *make);

/* A blob of about so many bytes, made while it is sent.  Takes as long as
 * making it does, since the ledger wants its sum.  The caller holds the
 * lock. */
void content_synthetic(struct sim *s, struct feed *f, uint64_t bytes);

/* Make the last blob's content available again under another id. */
void content_again(struct sim *s, struct feed *f);

/* NULL when unknown.  The caller holds the lock. */
struct blob *content_find(struct sim *s, const char *id);

/* Append the blob's JSON array; pretty: with CRLF and blanks between the
 * tokens.  No lock needed: what a ledger holds does not change. */
void content_read(const struct sim *s, enum content c, const struct blob *b,
    bool pretty, struct buf *out);

/* Make a gzip member of body, in place. */
void content_pack(struct buf *body);

/* Events in blobs that are listed, can be had and were never sent whole.
 * The caller holds the lock. */
uint64_t content_outstanding(const struct sim *s);

#endif /* TESTS_SIM_CONTENT_H */
