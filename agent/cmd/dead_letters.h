/*
 * dead_letters.h - what is asked of the dead letters: to be sent again or to be
 * forgotten.
 *
 * Both are requests to the output's ship process, which looks for them in the
 * store.
 */
#ifndef CMD_DEAD_LETTERS_H
#define CMD_DEAD_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/position.h"

struct config;
struct err;
struct store;

/* Ceiling of buffers that take an event; any event in the store fits. */
#define DEAD_LETTER_BYTES_MAX (SIZE_MAX / 2)

struct dead_letters_verb {
	const char *name; /* also the kind of the request */
	const char *will; /* what happens to them, in words */
	bool here;        /* can be done without the output's process */
};

/* The verb "retry" or "drop"; NULL for any other word. */
const struct dead_letters_verb *dead_letters_verb(const char *name);

struct dead_letters_order {
	const struct config *config;
	const struct dead_letters_verb *verb;
	const char *output; /* NULL: any */
	const int64_t *id;  /* n of them; n 0: all */
	size_t n;
};

/* What was done with the dead letters. */
struct dead_letters_told {
	uint64_t letters; /* requested by their ids */
	uint64_t outputs; /* outputs all of whose letters were requested */
	uint64_t gone;    /* removed here, since nobody would read a request */
	uint64_t left;    /* their outputs are gone and cannot send them */
};

/* The letter with that id into *d; there must be one. */
int dead_letters_find(struct store *s, int64_t id, struct dead_letter *d,
    struct err *err);

/* Ask (s open for writing) and add to *told.  A letter that is not there or
 * can't be sent again is an error before anything is asked. */
int dead_letters_ask(struct store *s, const struct dead_letters_order *o,
    struct dead_letters_told *told, struct err *err);

#endif /* CMD_DEAD_LETTERS_H */
