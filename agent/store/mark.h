/*
 * mark.h - small files beside the store that outlive damage to it.
 *
 * PATH.mark: how many events each feed has, 16 bytes a feed at (id - 1) * 16:
 * the number and its complement, both in the machine's byte order.  It is
 * written after each commit, so a store that has fewer events has lost some:
 * SQLite itself takes a file without its WAL for a good one.  No fsync: it is
 * a witness against damage, and never ahead of what is durable.
 *
 * PATH.suspect: a role found the file damaged; store_check() reads all of it.
 *
 * PATH.reserve: space that is given up when the disk is full, so that seal,
 * positions and deletions still find some.  A handle that collects never takes
 * it, and waits until it is there again.
 */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

/* In place of a size: events were lost, who knows how many. */
#define MARK_LOST UINT64_MAX

/* Open PATH.mark for s, create it where missing. */
int mark_open(struct store *s, struct err *err);
void mark_close(struct store *s);

/* Note the size of a feed; a failure only weakens the check. */
void mark_set(struct store *s, int64_t feed, uint64_t size);

/* The noted size, 0 where there is none. */
uint64_t mark_get(const struct store *s, int64_t feed);

/* The highest feed id that the mark knows. */
int64_t mark_last(const struct store *s);

/* Make or unmake PATH.suspect. */
void mark_suspect(const char *path);
bool mark_suspected(const char *path);
void mark_trust(const char *path);

/* Have the reserve, if there is room for it twice: true when it is there.  And
 * give it up. */
bool mark_keep_reserve(struct store *s);

/* Bytes that must be free for the reserve: 0 where it is there. */
int64_t mark_reserve_wants(const struct store *s);
void mark_spend_reserve(struct store *s);

#endif /* STORE_MARK_H */
