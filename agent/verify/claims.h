/*
 * claims.h - what the agent's own feed says about the others: how long they
 * were, and which events a destination refused.
 */
#ifndef VERIFY_CLAIMS_H
#define VERIFY_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct witness;

struct witness *witness_new(void);
void witness_free(struct witness *w);

/* Whether a feed's name is that of an agent's own feed, "fra1/agent". */
bool witness_is_agent(const char *feed);

/* Whether tree is the feed of that name, or a later tree of it: after the loss
 * of its store an agent begins "contoso/Audit.Exchange~TIME". */
bool witness_is_tree_of(const char *tree, const char *feed);

/* Read event index of an agent's own feed.  What is not understood is passed
 * over: other kinds of events, hostile ones. */
void witness_event(struct witness *w, const char *agent_feed, uint64_t index,
    struct slice event);

/* Call when all is read. */
void witness_sort(struct witness *w);

/* "this feed had so many events", said by event index of agent_feed. */
struct witness_claim {
	uint64_t size;
	uint64_t index;
};
struct witness_feed {
	char *agent_feed;
	char *feed;
	struct witness_claim *claim;
	size_t n;
};
const struct witness_feed *witness_feeds(const struct witness *w, size_t *n);

/* The first dead letter of feed in [first, end), NULL: none. */
struct witness_letter {
	char *feed;
	uint64_t index;
	char *text; /* "dead letter at output siem: too long" */
};
const struct witness_letter *witness_letter(const struct witness *w,
    const char *feed, uint64_t first, uint64_t end);

#endif /* VERIFY_CLAIMS_H */
