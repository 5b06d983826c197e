/*
 * splitter_scan.h - which bytes of a block of 64 the splitter has to look at:
 * one bit a byte, the first byte being bit 0.
 *
 * This is all of the splitter that knows of processors.  Every kind gives the
 * same masks; the portable one runs anywhere.
 */
#ifndef BASE_SPLITTER_SCAN_H
#define BASE_SPLITTER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_BLOCK 64

struct scan_masks {
	uint64_t backslash;
	uint64_t quote;
	uint64_t bracket; /* any of {}[] */
	uint64_t colon;
	uint64_t newline; /* CR or LF */
};

struct scan_kind {
	const char *name; /* NULL ends the table */
	bool (*usable)(void);
	/* Read blocks * SCAN_BLOCK bytes at p, write blocks masks. */
	void (*classify)(const char *p, size_t blocks, struct scan_masks *out);
};

/* Fastest first; the last one is portable. */
extern const struct scan_kind scan_kinds[];

/* The fastest kind that this processor has. */
const struct scan_kind *scan_best(void);

#endif /* BASE_SPLITTER_SCAN_H */
