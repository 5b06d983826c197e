/*
 * buf.c - a growing byte buffer with a ceiling.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define BUF_SMALLEST 256

void
buf_init(struct buf *b, size_t ceiling)
{
	*b = (struct buf)BUF_INIT(ceiling);
}

char *
buf_room(struct buf *b, size_t more)
{
	size_t size;
	char *data;

	if (more > b->ceiling - b->len)
		return NULL;
	if (b->size > b->len && b->size - b->len > more)
		return b->data + b->len;
	size = b->size < BUF_SMALLEST ? BUF_SMALLEST : b->size;
	while (size - b->len <= more)
		size += size / 2;
	if (size - 1 > b->ceiling)
		size = b->ceiling + 1;
	data = realloc(b->data, size);
	if (data == NULL)
		return NULL;
	b->data = data;
	b->size = size;
	return b->data + b->len;
}

int
buf_add(struct buf *b, const void *data, size_t len)
{
	char *to = buf_room(b, len);

	if (to == NULL)
		return -1;
	if (len > 0)
		memcpy(to, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t left = b->size - b->len;
	va_list ap;
	char *to;
	int n;

	/* Mostly it fits into what is there. */
	va_start(ap, fmt);
	n = vsnprintf(left == 0 ? NULL : b->data + b->len, left, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < left) {
		b->len += (size_t)n;
		return 0;
	}
	if (left > 0)
		b->data[b->len] = '\0';
	to = n < 0 ? NULL : buf_room(b, (size_t)n);
	if (to == NULL)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_release(struct buf *b)
{
	free(b->data);
	buf_init(b, b->ceiling);
}

char *
buf_take(struct buf *b, size_t *len)
{
	char *data = b->data == NULL ? xstrdup("") : b->data;

	if (len != NULL)
		*len = b->len;
	buf_init(b, b->ceiling);
	return data;
}
