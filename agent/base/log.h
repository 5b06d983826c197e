/*
 * log.h - what the roles say on standard error.
 *
 * One line an event: "<n>role: sentence", n being the syslog severity that
 * journald reads; on a terminal without the prefix.  Only roles and
 * subcommands log; lower layers return a struct err.  Control characters and
 * bytes outside printable ASCII and UTF-8 are escaped here, once, since
 * remote text reaches the log only through this module.  No secrets, tokens
 * or events.
 *
 * Logging never waits and never fails: where standard error is full or gone,
 * lines are dropped and counted, and the next that gets through is preceded by
 * one that says how many.  Any thread; SIGPIPE must be ignored.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Name the process ("collect", "ship siem"); copied.  The first call of a
 * process and its children looks at what standard error is. */
void log_open(const char *role, enum log_level max);

/* Count in *lines, which lives as long as the process, what it drops. */
void log_count_dropped(_Atomic uint64_t *lines);

void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Log a line of these parts, ended by NULL, from the handler of a signal: no
 * lock is taken, and nothing is escaped. */
void log_from_handler(enum log_level at, const char *const *parts);

#endif /* BASE_LOG_H */
