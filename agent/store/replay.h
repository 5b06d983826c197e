/*
 * replay.h - what an output is to be sent again: the batches that were
 * committed in a span of time, as far as the store keeps them and the output
 * has passed them.  It lives in the table of requests, so that neither a crash
 * of the agent nor one of the command loses it.
 */
#ifndef STORE_REPLAY_H
#define STORE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

struct replay {
	int64_t id; /* of the request */
	char output[64];
	int64_t from;  /* committed then or later, … */
	int64_t to;    /* … and before */
	int64_t after; /* batches up to this one are sent */
	uint64_t sent; /* events of these */
	bool ended;    /* of news */
};

/* Events of the span that are kept, behind batch after, and those of which it
 * is still known that they were there. */
int replay_count(struct store *s, const struct replay *r, uint64_t *kept,
    uint64_t *gone, struct err *err);

/* Ask for it; durable, and told. */
int replay_add(struct store *s, const struct replay *r, struct err *err);

/* The oldest for an output: 1, 0 none, -1. */
int replay_next(struct store *s, const char *output, struct replay *r,
    struct err *err);

/* What is sent next: sealed batches from *first to *end, all of them in the
 * span, none behind limit: 1, 0 there is nothing left, -1. */
int replay_run(struct store *s, const struct replay *r, int64_t limit,
    int64_t *first, int64_t *end, struct err *err);

/* Note r->after and r->sent; relaxed: a crash of the machine has some sent once
 * more.  And that it has ended, durably, which is told. */
int replay_move(struct store *s, const struct replay *r, struct err *err);
int replay_end(struct store *s, const struct replay *r, struct err *err);

/* What is to be told, for the agent's own feed: that one was asked for, or has
 * ended, with the lowest id above after: 1, 0, -1.  And it was told, up to that
 * one. */
int replay_news(struct store *s, int64_t after, struct replay *r,
    struct err *err);
int replay_told(struct store *s, int64_t last, struct err *err);

#endif /* STORE_REPLAY_H */
