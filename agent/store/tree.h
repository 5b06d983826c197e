/*
 * tree.h - the trees of the feeds, for those who compare them with what was
 * signed: where each stands, and beginning another one.
 *
 * A tree that is retired is never added to and never signed again.  Its feed
 * goes on in a new tree (store.h, "Trees"); what the old one has of sealed
 * events is still delivered.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/merkle.h"

struct err;
struct store;

struct tree {
	int64_t id;                /* of its row in feed */
	char feed[256];            /* "contoso/Audit.Exchange" */
	char name[256];            /* as it travels and is signed */
	bool closed;               /* a later one of the feed is in use */
	bool sound;                /* peaks fit its size */
	uint64_t size;             /* events committed */
	struct merkle_range peaks; /* of those that are sealed */
};

/* Read the tree with the lowest id above after (0: the first): 1, 0 none,
 * -1. */
int tree_next(struct store *s, int64_t after, struct tree *t, struct err *err);

/* The root that the tree has once it is sealed up to size, no less than it is
 * now: 1 and *root, 0 its batches have no boundary there, -1. */
int tree_root(struct store *s, const struct tree *t, uint64_t size,
    uint8_t root[DIGEST_LEN], struct err *err);

/* Retire the tree, and begin another where it is in use.  Events that were not
 * sealed are given up: the vendor's are fetched again, what has expired there
 * becomes a gap.  cause: a sentence for the agent's own feed. */
int tree_renew(struct store *s, const struct tree *t, const char *cause,
    struct err *err);

/* Retire a tree that this store does not have: a feed of that name begins with
 * another one.  TREE_ANY (feed.h): this counts for all feeds. */
int tree_retire(struct store *s, const char *name, const char *cause,
    struct err *err);

/* Find a tree by its name, also a retired one: 1, 0 none, -1. */
int tree_known(struct store *s, const char *name, struct err *err);

/* A tree that was begun because its predecessor could not go on. */
struct tree_begun {
	int64_t id;
	char feed[256];
	char name[256];
	char before[256]; /* name of the predecessor, "" where it is gone */
	char cause[512];
};

/* The first of them with an id above after: 1, 0 none, -1. */
int tree_begun_next(struct store *s, int64_t after, struct tree_begun *b,
    struct err *err);

/* The id of the log in which seal keeps what it signed, as the store knows it
 * (at most 63 characters, "" at first). */
#define TREE_LOG_ID 64
int tree_log_id(struct store *s, char id[TREE_LOG_ID], struct err *err);
int tree_set_log_id(struct store *s, const char *id, struct err *err);

#endif /* STORE_TREE_H */
