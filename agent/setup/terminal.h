/*
 * terminal.h - a line that somebody types.
 */
#ifndef SETUP_TERMINAL_H
#define SETUP_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct err;

/* SIGINT, SIGQUIT, SIGTERM and SIGHUP are noted from now on, and end what
 * waits. */
void terminal_signals(void);
bool terminal_interrupted(void);

/* Is there somebody to be asked? */
bool terminal_there(void);

/* Whether what is typed is shown: all of it; nothing, a secret; or what is no
 * PEM, where a name of a file is as good. */
enum terminal_shows { TERMINAL_ALL, TERMINAL_NOTHING, TERMINAL_NO_PEM };

/* Write the prompt to out and read a line of standard input, without its
 * newline and the blanks around it.  PEM ("-----BEGIN"), as it is pasted, is
 * one answer up to the line that ends it, with what comes along behind that,
 * such as the rest of a chain.  The caller wipes what is secret and frees.
 * NULL: an interruption, the end of the input, or an answer of 16 KiB, which
 * err says. */
char *terminal_line(FILE *out, const char *prompt, enum terminal_shows shows,
    struct err *err);

#endif /* SETUP_TERMINAL_H */
