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

struct claims;

struct claims *claims_new(void);
void claims_free(struct claims *w);

/* Whether a feed's name is that of an agent's own feed, "fra1/agent". */
bool claims_is_agent(const char *feed);

/* Whether agent_feed is the own feed of that agent. */
bool claims_is_agents(const char *agent_feed, const char *agent);

/* Whether tree is the feed of that name, or a later tree of it: after the loss
 * of its store an agent begins "contoso/Audit.Exchange~TIME". */
bool claims_is_tree_of(const char *tree, const char *feed);

/* Read event index of an agent's own feed.  What is not understood is passed
 * over: other kinds of events, hostile ones. */
void claims_event(struct claims *w, const char *agent_feed, uint64_t index,
    struct slice event);

/* Sort the claims; call it when everything is read. */
void claims_sort(struct claims *w);

/* "this feed had so many events", said by event index of agent_feed. */
struct claim {
	uint64_t size;
	uint64_t index;
};
struct claims_feed {
	char *agent_feed;
	char *feed;
	struct claim *claim;
	size_t n;
};
const struct claims_feed *claims_feeds(const struct claims *w, size_t *n);

/* The first dead letter of the agent's feed in [first, end), NULL: none; agent
 * "": of any agent's. */
struct claims_dead_letter {
	char *agent_feed;
	char *feed;
	uint64_t index;
	char *text; /* "dead letter at output siem: too long" */
};
const struct claims_dead_letter *claims_dead_letter(const struct claims *w,
    const char *agent, const char *feed, uint64_t first, uint64_t end);

#endif /* VERIFY_CLAIMS_H */
