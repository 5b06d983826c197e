/*
 * blocks.h - SQLite's memory in the fuzzers of the store.
 *
 * Half of a run went into malloc() as AddressSanitizer has it, since SQLite
 * parses its schema again and again.  Here blocks are kept by their sizes, and
 * AddressSanitizer is told what nobody has asked for: a read behind a value, or
 * of one that was given back, is found as before.
 */
#ifndef TESTS_FUZZ_BLOCKS_H
#define TESTS_FUZZ_BLOCKS_H

#include <stddef.h>

/* Before SQLite is used first.  It has no threads then. */
void blocks_set_up(void);

/* How many blocks SQLite has: with no handle open, always the same number. */
size_t blocks_used(void);

#endif /* TESTS_FUZZ_BLOCKS_H */
