/*
 * reserve.h - space that is given up when the disk is full.
 *
 * PATH.reserve is a file of some mebibytes beside the store, so that seal,
 * positions and deletions still find room where there is none.  A handle that
 * collects never takes it, and waits until it is there again.
 */
#ifndef STORE_RESERVE_H
#define STORE_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that must be free for the reserve of the store at path: 0 where it is
 * there. */
int64_t reserve_needs(const char *path);

/* Create the reserve if there is room for it twice; true when it exists. */
bool reserve_keep(const char *path);

/* Delete the reserve, to make room. */
void reserve_release(const char *path);

#endif /* STORE_RESERVE_H */
