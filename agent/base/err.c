/*
 * err.c - one sentence about what went wrong.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

int
err_vset(struct err *err, const char *fmt, va_list ap)
{
	if (err != NULL && err->text[0] == '\0') {
		(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
		text_cut(err->text);
	}
	return -1;
}

int
err_set(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)err_vset(err, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_prefix(struct err *err, const char *fmt, ...)
{
	char message[sizeof(err->text)];
	size_t used;
	va_list ap;
	int n;

	if (err == NULL)
		return -1;
	memcpy(message, err->text, sizeof(message));
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = n < 0 ? 0 : (size_t)n;
	if (used < sizeof(err->text))
		(void)snprintf(err->text + used, sizeof(err->text) - used,
		    ": %s", message);
	text_cut(err->text);
	return -1;
}

void
err_clear(struct err *err)
{
	err->text[0] = '\0';
}
