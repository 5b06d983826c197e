/*
 * damage.h - what fuzz_store.c and fuzz_rows.c share: a store in a folder in
 * memory, the clock, rows that change, and what the roles get out of it.
 *
 * The clock is a counter, so that an input does the same each time: a fuzzer
 * that uses this is linked with --wrap of clock_now, reserve_keep and
 * sqlite3_open_v2, as Makefile.am has it.  Files live where /dev/shm is, in a
 * folder that the process removes.
 */
#ifndef TESTS_FUZZ_DAMAGE_H
#define TESTS_FUZZ_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"

struct err;
struct roles_siem;
struct store;

#define DAMAGE_BEGIN (INT64_C(1767225600) * CLOCK_SECOND) /* 2026-01-01 */
#define DAMAGE_PAGE 1024 /* the smaller the file, the more runs */

/* The next answer of clock_now(). */
extern int64_t damage_now;

/* A store's files. */
struct damage_image {
	struct buf file;
	struct buf wal;
	struct buf mark;
};

/* Make the folder, and put the name of a store in it into path. */
void damage_begin(char *path, size_t size);
/* Remove what is in the folder. */
void damage_clear(void);
/* Create a database of small pages, which a store then goes on with. */
void damage_small_pages(const char *name);

/* Write the file whose name is name and tail; read all of a store's. */
void damage_put(const char *name, const char *tail, const void *data,
    size_t size);
void damage_take(const char *name, struct damage_image *image);

/* Find out what may change in a store; then let rows change: 11 bytes each,
 * which column, which row, a kind of value, and its eight bytes. */
void damage_list(sqlite3 *db);
void damage_rows(sqlite3 *db, const uint8_t *data, size_t size);

/* What the roles do between two starts; the vendor has so many items.  0, or
 * -1 with err. */
int damage_use(struct store *s, int items, struct roles_siem *siem,
    struct err *err);

/* Stop unless the items from the one on are all there. */
void damage_arrived(const struct roles_siem *siem, int from, int items);

#endif /* TESTS_FUZZ_DAMAGE_H */
