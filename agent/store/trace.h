/*
 * trace.h - the way of one event: where it came from, when it was committed
 * and sealed, and what each output did with it.
 *
 * Known for a day after every output has passed an event, or for the dedupe
 * time of its feed if that is longer; beyond, for as long as agent.retain
 * keeps the event itself.
 */
#ifndef STORE_TRACE_H
#define STORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

/* Where an event is. */
struct trace_place {
	int64_t feed; /* id */
	uint64_t index;
};

/* Find the places (at most most) of the event with that id: by its id in the
 * seen-set of every feed, and where there is none, as a string in the events
 * that are still kept. *n says how many. */
int trace_find(struct store *s, const char *id, struct trace_place *places,
    size_t most, size_t *n, struct err *err);

/* The places of the event with an index in a feed, by its name or that of one
 * of its trees. */
int trace_find_index(struct store *s, const char *feed, uint64_t index,
    struct trace_place *places, size_t most, size_t *n, struct err *err);

/* Times are INT64_MIN where something has not happened or is not known. */
struct trace {
	struct trace_place place;
	char feed[256]; /* its tree */
	int64_t batch;  /* 0: no longer known */
	int64_t item;   /* 0: it came from none */
	char key[512];  /* of the item */
	int64_t created;
	int64_t listed;
	int64_t fetched;
	int64_t committed;
	int64_t sealed;
};

int trace_read(struct store *s, const struct trace_place *place,
    struct trace *t, struct err *err);

enum trace_state { TRACE_WAITING, TRACE_DELIVERED, TRACE_DEAD_LETTER };

struct trace_output {
	char name[64];
	enum trace_state state;
	int64_t time;     /* delivered, refused; INT64_MIN: not known */
	char reason[512]; /* of the dead letter */
};

/* What the output that follows after (by name, "" gives the first) did with
 * the event: 1, 0 no more, -1. */
int trace_output(struct store *s, const struct trace *t, const char *after,
    struct trace_output *o, struct err *err);

#endif /* STORE_TRACE_H */
