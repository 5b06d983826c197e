/*
 * err.h - one sentence about what went wrong.
 *
 * Functions that can fail return 0 or -1 and take a struct err last.  It is
 * untouched on success; on failure it holds a full sentence without a final
 * stop, subject first: "/etc/sealfeed/seal.pem: not an Ed25519 key".  The
 * first error wins: a later err_set() on the same struct is ignored until
 * err_clear().
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

struct err {
	char text[1024]; /* empty: no error */
};

/* For declarations: struct err err = ERR_INIT; */
#define ERR_INIT           \
	{                  \
		.text = "" \
	}

/* Set the sentence; always returns -1.  err may be NULL. */
int err_set(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Like err_set(), from a va_list. */
int err_vset(struct err *err, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Put "subject: " in front of what err says; returns -1. */
int err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);

#endif /* BASE_ERR_H */
