/*
 * finding.h - what verify has to say: one finding, one sentence that begins
 * with feed and index.
 */
#ifndef VERIFY_FINDING_H
#define VERIFY_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum found_kind {
	FOUND_ALTERED,    /* an event whose bytes are not those sealed */
	FOUND_UNNARROWED, /* … or several, of these, one does not know which */
	FOUND_MISSING,
	FOUND_INCOMPLETE, /* a split event of which a part is missing */
	FOUND_FORGED,     /* one beside that of the tree */
	FOUND_CONFLICT,   /* several, which is the true one is not proven */
	FOUND_CHECKPOINT, /* a checkpoint that is not good */
	FOUND_UNSEALED,   /* a feed, or its beginning, without a checkpoint */
	FOUND_GONE,       /* a feed of which the input has nothing */
	FOUND_BROKEN,     /* a line or input that can't be read */
	FOUND_NOT_YET,    /* behind the last checkpoint */
	FOUND_BEGINS,     /* before the first checkpoint's whole span */
	FOUND_UNPROVEN,   /* can't be proven because of another finding */
	FOUND_KEY,        /* a key that follows a trusted one */
	FOUND_RENEWED,    /* ends early: the agent began a new tree */
	FOUND_REPEATED,   /* identical copies */
	FOUND_KINDS
};

/* The kind's name in JSON, whether it makes the exit status 1, and whether
 * it does under --complete. */
struct found_rule {
	const char *name;
	bool wrong;
	bool complete;
};
extern const struct found_rule found_rules[FOUND_KINDS];

struct found {
	enum found_kind kind;
	char *feed; /* "" where it is about no feed */
	uint64_t first;
	uint64_t last;
	char *text;
};

/* More are counted, not kept. */
#define FOUND_MOST 100000

struct founds {
	struct found *list;
	size_t n;
	size_t of[FOUND_KINDS]; /* also of those not kept */
};

/* About events first..last of feed: "FEED index 42: …". */
void found_events(struct founds *f, enum found_kind kind, const char *feed,
    uint64_t first, uint64_t last, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* About the checkpoint of that size: "FEED checkpoint 43: …". */
void found_checkpoint(struct founds *f, const char *feed, uint64_t size,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* About the feed as a whole, or (feed "") an input: "FEED: …". */
void found_feed(struct founds *f, enum found_kind kind, const char *feed,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* By feed, then index. */
void founds_sort(struct founds *f);
void founds_release(struct founds *f);

/* A run of neighbouring indexes that becomes one finding. */
struct found_run {
	uint64_t first;
	uint64_t end; /* first == end: empty */
};

/* Extend the run by [first, end): false when it is not a neighbour, and the
 * run must be reported and begun anew. */
bool found_run_extend(struct found_run *r, uint64_t first, uint64_t end);

#endif /* VERIFY_FINDING_H */
