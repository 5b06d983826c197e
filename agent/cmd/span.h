/*
 * span.h - a span of time on the command line: --from TIME and --to TIME.
 */
#ifndef CMD_SPAN_H
#define CMD_SPAN_H

#include <stdint.h>

struct cmd;
struct cmd_line;

/* Read them, half-open, as microseconds; without --to, and with one that is
 * still to come, up to now.  0, or the exit status of what was said. */
int cmd_span(const struct cmd *cmd, const struct cmd_line *line, int64_t *from,
    int64_t *to);

#endif /* CMD_SPAN_H */
