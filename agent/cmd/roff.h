/*
 * roff.h - texts as manual pages (man(7)) and as wrapped lines want them.
 */
#ifndef CMD_ROFF_H
#define CMD_ROFF_H

#include <stddef.h>
#include <stdio.h>

/* Write s so that roff takes no part of it for a request or an escape. */
void roff_text(FILE *to, const char *s);

/* Write s in lines of at most 78 columns, each begun with indent blanks. */
void roff_wrap(FILE *to, size_t indent, const char *s);

#endif /* CMD_ROFF_H */
