/*
 * columns.h - how wide a text is on a terminal, and where it is cut.
 *
 * Characters of East Asia and most pictures take two columns, combining marks
 * none (wcwidth(3), in UTF-8 whatever the locale).  Colours (ECMA-48 "SGR",
 * ESC [ … m) take none.
 */
#ifndef CMD_COLUMNS_H
#define CMD_COLUMNS_H

#include <stddef.h>

/* The columns of the terminal that standard output is, else of $COLUMNS, else
 * 80; never fewer than 20. */
size_t columns_of_output(void);

/* The columns that s takes. */
size_t columns_of(const char *s);

/* The bytes of s, from its beginning, that take at most n columns. */
size_t columns_fit(const char *s, size_t n);

#endif /* CMD_COLUMNS_H */
