/*
 * clock.h - the one place that asks what time it is, and how times are read
 * and written.
 *
 * A time is an int64_t in microseconds since 1970-01-01T00:00:00Z.  Intervals
 * are measured with clock_monotonic(), never with the wall clock.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000)
#define CLOCK_MINUTE (60 * CLOCK_SECOND)
#define CLOCK_HOUR (60 * CLOCK_MINUTE)
#define CLOCK_DAY (24 * CLOCK_HOUR)

/* Room for "2026-11-22T04:26:58.123456Z" and its NUL. */
#define CLOCK_TEXT 28

/* Wall clock, microseconds since 1970. */
int64_t clock_now(void);

/* Microseconds since some point in the past; never steps. */
int64_t clock_monotonic(void);

/*
 * Read a time as vendors write it: RFC 3339 with 0 to 9 digits of fraction
 * (further precision is cut), "T", "t" or a space between, zone "Z", "z",
 * "+hh:mm", "-hh:mm" or none, which means UTC (Office 365's CreationTime);
 * the seconds, or the whole time of day, may be missing; a leap second :60
 * is taken as :59.  Years 1970 to 9999, in UTC too.  All len bytes must be
 * used.  Returns 0 and sets *when, or -1 (nothing set).
 */
int clock_parse(const char *s, size_t len, int64_t *when);

/* Read an HTTP date (RFC 9110, all three forms).  0 or -1. */
int clock_parse_http(const char *s, int64_t *when);

/* Write RFC 3339 in UTC with "Z" and digits (0, 3 or 6) of fraction into
 * out[CLOCK_TEXT]; returns the length.  Times outside the years 1970 to 9999
 * are written as the nearest end of that span.  Fast: caches the day. */
size_t clock_format(int64_t when, int digits, char *out);

#endif /* BASE_CLOCK_H */
