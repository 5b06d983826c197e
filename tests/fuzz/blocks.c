/*
 * blocks.c - SQLite's memory in the fuzzers of the store.
 */
#include <string.h>

#include <sanitizer/asan_interface.h>
#include <sqlite3.h>

#include "base/mem.h"
#include "tests/fuzz/blocks.h"
#include "tests/fuzz/fuzz.h"

#define SMALLEST ((size_t)32)
#define CLASSES 12       /* each of twice the size; larger ones: malloc() */
#define PIECE (1U << 20) /* which blocks are cut off */
#define GAP ((size_t)16) /* behind each block */

/* In front of what SQLite has. */
struct block {
	size_t size; /* as it was asked for */
	struct block *next;
};

static struct block *unused[CLASSES];
static size_t used; /* blocks that SQLite has */

/* Without a loop, which libFuzzer would count. */
static size_t
class_of(size_t size)
{
	if (size <= SMALLEST)
		return 0;
	return (size_t)(64 - __builtin_clzll((size - 1) / SMALLEST));
}

static struct block *
cut(size_t class)
{
	static char *piece;
	static size_t left;
	const size_t n = sizeof(struct block) + (SMALLEST << class) + GAP;
	struct block *b;

	if (left < n) {
		piece = xmalloc(PIECE);
		left = PIECE;
		ASAN_POISON_MEMORY_REGION(piece, PIECE);
	}
	b = (struct block *)(void *)piece;
	piece += n;
	left -= n;
	ASAN_UNPOISON_MEMORY_REGION(b, sizeof(*b));
	return b;
}

static void *
take(int size)
{
	const size_t n = (size_t)size, class = class_of(n);
	struct block *b;

	if (class >= CLASSES) {
		b = xmalloc(sizeof(*b) + n);
	} else if (unused[class] != NULL) {
		b = unused[class];
		unused[class] = b->next;
	} else {
		b = cut(class);
	}
	b->size = n;
	used++;
	ASAN_UNPOISON_MEMORY_REGION(b + 1, n);
	return b + 1;
}

static void
give(void *p)
{
	struct block *b = (struct block *)p - 1;
	const size_t class = class_of(b->size);

	used--;
	if (class >= CLASSES) {
		free(b);
		return;
	}
	ASAN_POISON_MEMORY_REGION(p, b->size);
	b->next = unused[class];
	unused[class] = b;
}

static int
size_of(void *p)
{
	return p == NULL ? 0 : (int)((struct block *)p - 1)->size;
}

static void *
change(void *p, int size)
{
	const int had = size_of(p);
	void *q = take(size);

	memcpy(q, p, (size_t)(had < size ? had : size));
	give(p);
	return q;
}

static int
round_up(int size)
{
	return (size + 7) & ~7;
}

static int
begin(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}

static void
end(void *ctx)
{
	(void)ctx;
}

void
blocks_set_up(void)
{
	static sqlite3_mem_methods methods = { take, give, change, size_of,
		round_up, begin, end, NULL };

	FUZZ_CHECK(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK &&
	    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK &&
	    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
}

size_t
blocks_used(void)
{
	return used;
}
