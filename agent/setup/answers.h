/*
 * answers.h - what setup was told: a tree of the shape of a configuration, in
 * which secrets may be written out.
 *
 * It comes from a file, from the command line, which has the last word, and
 * from the dialogue (dialogue.h).  answers_free() wipes it.
 */
#ifndef SETUP_ANSWERS_H
#define SETUP_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

struct err;
struct node;

struct answers {
	const struct config_types *types;
	const char *config; /* path of the configuration, borrowed */
	struct node *tree;  /* owned */
	bool stdin_is_read; /* it can be read once */
	size_t line;        /* of the last answer, each has its own */
};

/* What nodes are said to stand in that come from no file. */
#define ANSWERS_LINE "the command line"
#define ANSWERS_DIALOGUE "your answers"

void answers_init(struct answers *a, const struct config_types *types,
    const char *config);
void answers_free(struct answers *a);

/* Take what the file (YAML or JSON; "-": standard input) says.  -1: err says
 * why it cannot be read, or faults what is wrong with it as a whole. */
int answers_read(struct answers *a, const char *file,
    struct config_errors *faults, struct err *err);

/* Words of a command line: an entry, and then "KEY=VALUE" about it, where
 * KEY_file=FILE takes the value from a file ("-": standard input), and secrets
 * are given in no other way.  -1: err says what is wrong with them. */
struct answers_word {
	const char *section; /* of a word that begins an entry, else NULL */
	const char *text;    /* its name, or KEY=VALUE */
};
int answers_words(struct answers *a, const struct answers_word *words, size_t n,
    struct err *err);

/* The entry of that name, made where it is missing; NULL: it is no map. */
struct node *answers_entry(struct answers *a, const char *section,
    const char *name);

/* A section, for the configuration's own functions. */
struct config_kind answers_part(const struct answers *a, const char *section);

/* The type that an entry of a section has; NULL: none, or one that does not
 * exist. */
const struct config_type *answers_type(const struct answers *a,
    const char *section, const struct node *entry);

/* Set an option, "tls.ca", as its row of the table wants it; one that the table
 * does not know is set as text, for the check of the whole to complain. */
int answers_set(struct answers *a, struct node *entry,
    const struct setting *table, const char *key, const char *text,
    struct err *err);

/* The row that an option belongs to, of a map also for a key within; NULL:
 * none. */
const struct setting *answers_row(const struct setting *table, const char *key);

#endif /* SETUP_ANSWERS_H */
