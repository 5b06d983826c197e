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

/* Write the prompt to out and read a line of standard input, without its
 * newline and the blanks around it; secret: it is not shown.  The caller wipes
 * what is secret and frees.  NULL: an interruption or the end of the input,
 * which err says. */
char *terminal_line(FILE *out, const char *prompt, bool secret,
    struct err *err);

#endif /* SETUP_TERMINAL_H */
