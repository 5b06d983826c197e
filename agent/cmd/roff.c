/*
 * roff.c - texts as manual pages and as wrapped lines want them.
 */
#include <string.h>

#include "cmd/roff.h"

#define COLUMNS 78

void
roff_text(FILE *to, const char *s)
{
	/* A "." or "'" that begins a line would be a request. */
	if (*s == '.' || *s == '\'')
		(void)fputs("\\&", to);
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			(void)fputs("\\e", to);
		else if (*s == '-')
			(void)fputs("\\-", to);
		else if (*s == '~')
			(void)fputs("\\(ti", to);
		else if (*s == '^')
			(void)fputs("\\(ha", to);
		else
			(void)fputc(*s, to);
	}
}

void
roff_wrap(FILE *to, size_t indent, const char *s)
{
	size_t column = 0, len;

	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		len = strcspn(s, " ");
		if (column > 0 && column + 1 + len > COLUMNS) {
			(void)fputc('\n', to);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(to, "%*s", (int)indent, "");
		else
			column += (size_t)fprintf(to, " ");
		column += (size_t)fprintf(to, "%.*s", (int)len, s);
		s += len;
	}
	(void)fputc('\n', to);
}
