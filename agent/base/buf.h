/*
 * buf.h - a growing byte buffer with a ceiling.
 *
 * Everything whose size the outside decides lives in one of these.  The
 * ceiling is given at init and is never passed: an addition that would pass
 * it, or for which memory is missing, fails, leaves the contents as they are
 * and returns -1.  data is NUL-terminated after any addition (the NUL is not
 * counted in len), and NULL only before the first one.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t size;    /* allocated */
	size_t ceiling; /* len never exceeds it */
};

#define BUF_INIT(max)            \
	{                        \
		.ceiling = (max) \
	}

void buf_init(struct buf *b, size_t ceiling);

/* Append; 0, or -1 when the ceiling would be passed. */
int buf_add(struct buf *b, const void *data, size_t len)
    __attribute__((warn_unused_result));
int buf_adds(struct buf *b, const char *s) __attribute__((warn_unused_result));
int buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));

/* Make room for more bytes behind len; returns where they go or NULL.  The
 * caller writes there and then adds to len itself. */
char *buf_room(struct buf *b, size_t more) __attribute__((warn_unused_result));

/* Remove the first n bytes. */
void buf_drop(struct buf *b, size_t n);

/* Forget the contents, keep the memory. */
void buf_clear(struct buf *b);

/* Free the contents; the buffer can be used again. */
void buf_release(struct buf *b);

/* Hand over the contents, which the caller frees; the buffer is empty then.
 * Never NULL. */
char *buf_take(struct buf *b, size_t *len);

#endif /* BASE_BUF_H */
