/*
 * human.c - spans of time and amounts of bytes as people read them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/human.h"

const char *
human_span(char *out, int64_t us)
{
	const char *unit = "s";
	int64_t n = us < 0 ? 0 : us / CLOCK_SECOND;
	int64_t hours = n / 3600 % 24;

	if (n >= 86400) {
		n /= 86400;
		unit = "d";
	} else if (n >= 3600) {
		n /= 3600;
		unit = "h";
	} else if (n >= 60) {
		n /= 60;
		unit = "m";
	}
	if (*unit == 'd' && hours > 0)
		(void)snprintf(out, HUMAN_TEXT, "%" PRId64 "d %" PRId64 "h", n,
		    hours);
	else
		(void)snprintf(out, HUMAN_TEXT, "%" PRId64 "%s", n, unit);
	return out;
}

const char *
human_bytes(char *out, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB",
		"PiB", "EiB" };
	uint64_t tenths, below = 0;
	size_t u = 0;

	for (; bytes >= 1024; bytes /= 1024, u++)
		below = bytes % 1024;
	tenths = below * 10 / 1024;
	if (u > 0 && bytes < 10 && tenths > 0)
		(void)snprintf(out, HUMAN_TEXT, "%" PRIu64 ".%" PRIu64 " %s",
		    bytes, tenths, units[u]);
	else
		(void)snprintf(out, HUMAN_TEXT, "%" PRIu64 " %s", bytes,
		    units[u]);
	return out;
}
