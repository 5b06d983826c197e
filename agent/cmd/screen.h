/*
 * screen.h - the whole terminal: lines are drawn and keys read, and it is left
 * as it was, whatever signal ends the program.
 *
 * By ECMA-48 control sequences, which every terminal of today obeys, and
 * without a library: it would be in the memory of every role.  There is at most
 * one screen.
 */
#ifndef CMD_SCREEN_H
#define CMD_SCREEN_H

#include <stddef.h>

struct err;
struct screen;

enum {
	KEY_NONE = 0x100, /* nothing within the time */
	KEY_RESIZED,      /* the size is another, or all is to be drawn anew */
	KEY_END,          /* a signal, or the terminal is gone */
	KEY_UP,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_LAST,
	KEY_OTHER
};

/* Take over the terminal of standard input and output. */
struct screen *screen_open(struct err *err);

/* Give it back as it was; NULL is fine. */
void screen_close(struct screen *s);

void screen_size(const struct screen *s, size_t *columns, size_t *rows);

/* Show n lines from the top, cut at the right and below; only what has changed
 * since the last time is written.  -1: the terminal is gone. */
int screen_draw(struct screen *s, const char *const *line, size_t n,
    struct err *err);

/* The next key: its character, or one of the above. */
int screen_key(struct screen *s, int timeout_ms);

#endif /* CMD_SCREEN_H */
