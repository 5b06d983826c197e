/*
 * backfill.h - spans of time that the command line wants read again, one row a
 * feed: what is asked for, how far it has got, and how it ended.
 *
 * The agent works at one of a feed at a time, the oldest first.  That one was
 * asked for, and that it has ended, is told by the agent's own feed once.
 * Times are microseconds; INT64_MIN: not yet.
 */
#ifndef STORE_BACKFILL_H
#define STORE_BACKFILL_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

struct backfill {
	int64_t id;
	char feed[256];
	int64_t from; /* half-open, the vendor's time */
	int64_t to;
	int64_t reached;  /* all before was asked for */
	uint64_t events;  /* that were new */
	uint64_t repeats; /* and those that were not */
	uint64_t open;    /* items that are listed and still to be fetched */
	int64_t asked;
	int64_t begun;
	int64_t ended;
	char how[16];    /* of the end: "complete", "cancelled", "refused" */
	char error[512]; /* of now, or why it was refused; "": none */
};

/* Ask for b->feed, from and to; durable, and told.  One that is open for the
 * same is not asked for twice: b becomes that one either way. */
int backfill_add(struct store *s, struct backfill *b, struct err *err);

/* The one that is to be worked at of a source's feeds, the oldest first: 1, 0
 * none, -1. */
int backfill_next(struct store *s, const char *source, struct backfill *b,
    struct err *err);

/* The same of one feed; b->id is 0 where there is none. */
int backfill_of(struct store *s, const char *feed, struct backfill *b,
    struct err *err);

/* Is there an open one at all?  1, 0, -1. */
int backfill_any(struct store *s, struct err *err);

/* That with an id: 1, 0 it is forgotten, -1.  And the one that follows it. */
int backfill_get(struct store *s, int64_t id, struct backfill *b,
    struct err *err);
int backfill_after(struct store *s, int64_t id, struct backfill *b,
    struct err *err);

/* Note b->reached, begun and error; relaxed: a crash of the machine has some
 * asked for once more. */
int backfill_move(struct store *s, const struct backfill *b, struct err *err);

/* It ends, unless it has: durable, and told.  error may be "". */
int backfill_end(struct store *s, int64_t id, const char *how,
    const char *error, struct err *err);

/* Within a transaction that commits such events: they count for the one of the
 * feed that is under way. */
int backfill_count(struct store *s, const char *feed, uint64_t events,
    uint64_t repeats, struct err *err);

/* For the agent's own feed: the news with the lowest id above *after, which
 * becomes its id.  b is as it is now, *ended: the news is that it has ended.
 * 1, 0, -1.  And they were told, up to that one. */
int backfill_news(struct store *s, int64_t *after, struct backfill *b,
    bool *ended, struct err *err);
int backfill_told(struct store *s, int64_t last, struct err *err);

#endif /* STORE_BACKFILL_H */
