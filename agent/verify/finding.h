/*
 * finding.h - what verify has to say: one finding, one sentence that begins
 * with feed and index.
 */
#ifndef VERIFY_FINDING_H
#define VERIFY_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum finding_kind {
	FINDING_ALTERED,    /* an event whose bytes are not those sealed */
	FINDING_PARSED,     /* one that was parsed and written anew */
	FINDING_TRUNCATED,  /* one that ends inside of its value */
	FINDING_UNNARROWED, /* one or several of these events are altered, it is
			       not known which */
	FINDING_MISSING,
	FINDING_INCOMPLETE, /* a split event of which a part is missing */
	FINDING_FORGED,     /* an event beside the one that the tree has */
	FINDING_CONFLICT,   /* several events with one index, it is not proven
			       which is the sealed one */
	FINDING_CHECKPOINT, /* a checkpoint that is not good */
	FINDING_UNSEALED,   /* a feed, or its beginning, without a checkpoint */
	FINDING_GONE,       /* a feed of which the input has nothing */
	FINDING_BROKEN,     /* a line or input that can't be read */
	FINDING_NOT_YET,    /* events after the last checkpoint */
	FINDING_BEGINS,     /* before the first checkpoint's whole span */
	FINDING_UNPROVEN,   /* can't be proven because of another finding */
	FINDING_KEY,        /* a key that follows a trusted one */
	FINDING_SUCCESSION, /* a key does what no key of an agent does */
	FINDING_RENEWED,    /* ends early: the agent began a new tree */
	FINDING_REPEATED,   /* identical copies */
	FINDING_KINDS
};

/* The kind's name in JSON, whether it makes the exit status 1, and whether
 * it does under --complete. */
struct finding_rule {
	const char *name;
	bool wrong;
	bool complete;
};
extern const struct finding_rule finding_rules[FINDING_KINDS];

struct finding {
	enum finding_kind kind;
	char *feed; /* "" where it is about no feed */
	uint64_t first;
	uint64_t last;
	char *text;
};

/* Most findings that are kept; more are only counted. */
#define FINDING_MAX 100000

struct findings {
	struct finding *list;
	size_t n;
	size_t of[FINDING_KINDS]; /* includes the findings that are not kept */
};

/* About events first..last of feed: "FEED index 42: …". */
void finding_events(struct findings *f, enum finding_kind kind,
    const char *feed, uint64_t first, uint64_t last, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* About the checkpoint of that size: "FEED checkpoint 43: …". */
void finding_checkpoint(struct findings *f, const char *feed, uint64_t size,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* About the feed as a whole, or (feed "") an input: "FEED: …". */
void finding_feed(struct findings *f, enum finding_kind kind, const char *feed,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* By feed, then index. */
void findings_sort(struct findings *f);
void findings_release(struct findings *f);

/* A run of neighbouring indexes that becomes one finding. */
struct finding_run {
	uint64_t first;
	uint64_t end; /* first == end: empty */
};

/* Extend the run by [first, end): false when it is not a neighbour, and the
 * run must be reported and begun anew. */
bool finding_run_extend(struct finding_run *r, uint64_t first, uint64_t end);

#endif /* VERIFY_FINDING_H */
