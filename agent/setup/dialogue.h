/*
 * dialogue.h - asks for what the answers still lack.
 *
 * The questions are rows of the setting tables (setting.h: ask, unless), and
 * what the types say of themselves (config.h: title, before): this knows no
 * type by name.
 */
#ifndef SETUP_DIALOGUE_H
#define SETUP_DIALOGUE_H

#include <stdbool.h>
#include <stdio.h>

struct answers;
struct err;
struct node;

/* Is something missing that only a person can say: a source or an output, or
 * what one of them needs?  there: the configuration as it is.  If so, and says
 * is not NULL, it gets sentences about it. */
struct config_errors;
bool dialogue_needed(struct answers *a, const struct node *there,
    struct config_errors *says);

/* Ask on out until nothing is missing any more; anew: for all that was answered
 * before, too, with it as the default.  -1: interrupted. */
int dialogue(struct answers *a, const struct node *there, bool anew, FILE *out,
    struct err *err);

/* "Go on? [Y/n]"; the first letter is what Enter means.  Returns one of
 * letters; 0: interrupted. */
char dialogue_choice(const char *question, const char *letters, FILE *out);

#endif /* SETUP_DIALOGUE_H */
