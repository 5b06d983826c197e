/*
 * span.c - a span of time on the command line.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/when.h"
#include "cmd/cmd.h"
#include "cmd/span.h"

/* A time, "now", or how long ago. */
static int
read_time(const char *text, int64_t *when)
{
	static const enum when_format formats[] = { WHEN_RFC3339, WHEN_DATETIME,
		WHEN_DATE };
	int64_t ago;

	if (strcmp(text, "now") == 0) {
		*when = clock_now();
		return 0;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (when_read(formats[i], (struct slice){ text, strlen(text) },
			when) == 0)
			return 0;
	/* A bare number would be taken for seconds. */
	if (strspn(text, "0123456789") == strlen(text) ||
	    text_duration(text, &ago) != 0)
		return -1;
	*when = clock_now() - ago;
	return 0;
}

int
cmd_span(const struct cmd *cmd, const struct cmd_line *line, int64_t *from,
    int64_t *to)
{
	const char *begin = cmd_value(line, "from");
	const char *end = cmd_value(line, "to");
	const int64_t now = clock_now();

	if (begin == NULL)
		return cmd_misused(cmd, "--from TIME is missing");
	if (read_time(begin, from) != 0)
		return cmd_misused(cmd,
		    "--from %s: not a time; write 2026-11-22T04:00:00Z, "
		    "2026-11-22, or 6h for six hours ago",
		    begin);
	*to = now;
	if (end != NULL && read_time(end, to) != 0)
		return cmd_misused(cmd,
		    "--to %s: not a time; write 2026-11-22T05:00:00Z, "
		    "2026-11-23, 1h for an hour ago, or now",
		    end);
	if (*to > now)
		*to = now;
	if (*from >= *to)
		return cmd_misused(cmd,
		    "--from must be before --to, and before now");
	return 0;
}
