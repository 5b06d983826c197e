/*
 * log.c - what the roles say on standard error.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define LOG_LINE_MAX 2048

static char role[64] = "sealfeed";
static enum log_level level = LOG_LEVEL_NOTICE;
static bool prefix = true;

void
log_open(const char *name, enum log_level max)
{
	(void)snprintf(role, sizeof(role), "%s", name);
	level = max;
	prefix = !isatty(STDERR_FILENO);
}

static void say(enum log_level at, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
say(enum log_level at, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX], clean[LOG_LINE_MAX], line[LOG_LINE_MAX + 80];
	int n;

	if (at > level)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text_one_line(clean, sizeof(clean), text);
	if (prefix)
		n = snprintf(line, sizeof(line), "<%d>%s: %s\n", (int)at, role,
		    clean);
	else
		n = snprintf(line, sizeof(line), "%s: %s\n", role, clean);
	/* One write, so that lines of several processes do not mix.  There
	 * is nowhere to report that the log itself is gone. */
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

#define LOG_FUNCTION(name, at)          \
	void name(const char *fmt, ...) \
	{                               \
		va_list ap;             \
                                        \
		va_start(ap, fmt);      \
		say(at, fmt, ap);       \
		va_end(ap);             \
	}

LOG_FUNCTION(log_err, LOG_LEVEL_ERR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_notice, LOG_LEVEL_NOTICE)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
