/*
 * columns.c - how wide a text is on a terminal.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/text.h"
#include "cmd/columns.h"

#define USUAL 80
#define LEAST 20

size_t
columns_of_output(void)
{
	struct winsize size = { .ws_col = 0 };
	const char *given = getenv("COLUMNS");
	long n = given == NULL ? 0 : strtol(given, NULL, 10);

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		n = size.ws_col;
	if (n <= 0 || n > 10000)
		n = USUAL;
	return n < LEAST ? LEAST : (size_t)n;
}

/* The length of the colour at s; 0: it is none. */
static size_t
colour(const char *s)
{
	size_t n;

	if (s[0] != '\033' || s[1] != '[')
		return 0;
	n = 2 + strspn(s + 2, "0123456789;");
	return s[n] == 'm' ? n + 1 : 0;
}

/* Go on behind the character at s, and count its columns. */
static size_t
next(const char *s, size_t *columns)
{
	size_t len = colour(s);
	int w;

	*columns = 0;
	if (len > 0)
		return len;
	len = text_utf8(s, strnlen(s, 4));
	w = len == 0 ? 1 : wcwidth((wchar_t)text_code_point(s, len));
	*columns = w < 0 ? 1 : (size_t)w;
	return len == 0 ? 1 : len;
}

/* The bytes of s that take at most *n columns, which are set to those that they
 * take. */
static size_t
measure(const char *s, size_t *n)
{
	static locale_t utf8;
	size_t room = *n, at = 0, w;
	locale_t before;

	if (utf8 == (locale_t)0)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	before = uselocale(utf8);
	*n = 0;
	while (s[at] != '\0') {
		size_t len = next(s + at, &w);

		if (*n + w > room)
			break;
		*n += w;
		at += len;
	}
	(void)uselocale(before);
	return at;
}

size_t
columns_of(const char *s)
{
	size_t n = (size_t)-1 / 2;

	(void)measure(s, &n);
	return n;
}

size_t
columns_fit(const char *s, size_t n)
{
	return measure(s, &n);
}
