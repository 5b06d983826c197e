/*
 * stream.h - what an input holds of one feed: leaf hashes, not bytes.
 */
#ifndef VERIFY_STREAM_H
#define VERIFY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/text.h"

struct checkpoint;
struct proof;

/* Where a line stood: number of the input and of the line, and what is to be
 * known of an event that does not match: it was parsed and written anew, or
 * ends inside of its value. */
#define PLACE_LINE_BITS 42
#define PLACE(input, line) ((uint64_t)(input) << PLACE_LINE_BITS | (line))
#define PLACE_INPUT(place) ((size_t)((place) >> PLACE_LINE_BITS & 0xfffff))
#define PLACE_LINE(place) ((place) & ((UINT64_C(1) << PLACE_LINE_BITS) - 1))
#define PLACE_PARSED (UINT64_C(1) << 62)
#define PLACE_CUT (UINT64_C(1) << 63)

/* An event as it was seen. */
struct seen {
	uint64_t index;
	uint64_t place;
	uint8_t leaf[DIGEST_LEN];
};

struct seen_list {
	struct seen *list;
	size_t n;
	size_t room;
};

/* A checkpoint with a good signature by the feed's agent. */
struct mark {
	uint64_t from;
	uint64_t size;
	uint64_t place;
	size_t key;                 /* that signed it, keys_signer() */
	uint8_t root[DIGEST_LEN];   /* signed root */
	uint8_t before[DIGEST_LEN]; /* root of the peaks before */
	uint8_t *peaks;             /* n_before, then n_after hashes; owned */
	size_t n_before;
	size_t n_after; /* 0: the peaks after do not hash to root */
	uint8_t *check; /* PROOF_CODE bytes an event, or NULL; owned */
};

struct stream {
	char *name;
	char agent[256]; /* whose feed it is; "": what names no agent */
	char *label;     /* for reports: the name, or, where several agents have
			    it, the origin */
	bool asked;      /* its findings are wanted */
	bool owned;      /* others of its name have checkpoints */
	bool shared; /* of several agents: copies may be of each, and stay */
	struct seen_list seen;
	/* Other readings of the same lines (frame_unescape()), surest first;
	 * an event is right when one of them is. */
	struct seen_list other;
	struct mark *mark;
	size_t n_marks;
	uint64_t events; /* lines, repeats included */
	uint64_t repeated;
	/* Set by chain_check(): proven events as ranges. */
	struct range {
		uint64_t first;
		uint64_t end;
	} * proven;
	size_t n_proven;
};

struct stream *stream_new(struct slice agent, struct slice name);
void stream_free(struct stream *s);

void seen_list_add(struct seen_list *l, uint64_t index, uint64_t place,
    const uint8_t leaf[DIGEST_LEN]);

/* Keep an opened checkpoint. */
void stream_mark(struct stream *s, const struct mark *m);

/* Bring everything into the order of the index.  Identical copies are taken
 * out; repeated() is told each.  May be done again. */
typedef void stream_repeated(void *ctx, const struct seen *copy);
void stream_sort(struct stream *s, stream_repeated *repeated, void *ctx);

/* First entry whose index is not below. */
size_t seen_list_find(const struct seen_list *l, uint64_t index);

/* Note that [first, end) is proven; in rising order. */
void stream_prove(struct stream *s, uint64_t first, uint64_t end);

/* How many events are proven; whether one is. */
uint64_t stream_proven(const struct stream *s);
bool stream_is_proven(const struct stream *s, uint64_t index);

/* One more than the highest index seen or sealed; 0: nothing. */
uint64_t stream_size(const struct stream *s);

#endif /* VERIFY_STREAM_H */
