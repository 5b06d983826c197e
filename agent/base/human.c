/*
 * human.c - spans of time and amounts of bytes as people read them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/human.h"

/* The names of the units, largest first, and what stands before them. */
struct units {
	const char *name[4];
	const char *gap;
};

static const char *
format_span(char *out, int64_t us, const struct units *u)
{
	static const int64_t size[] = { 86400, 3600, 60, 1 };
	int64_t n = us < 0 ? 0 : us / CLOCK_SECOND;
	int64_t hours = n / 3600 % 24;
	size_t k = 0;

	while (k < 3 && n < size[k])
		k++;
	if (k == 0 && hours > 0)
		(void)snprintf(out, HUMAN_TEXT,
		    "%" PRId64 "%s%s %" PRId64 "%s%s", n / size[k], u->gap,
		    u->name[0], hours, u->gap, u->name[1]);
	else
		(void)snprintf(out, HUMAN_TEXT, "%" PRId64 "%s%s", n / size[k],
		    u->gap, u->name[k]);
	return out;
}

const char *
human_span(char *out, int64_t us)
{
	static const struct units units = { { "d", "h", "m", "s" }, "" };

	return format_span(out, us, &units);
}

const char *
human_words(char *out, int64_t us)
{
	static const struct units units = { { "d", "h", "min", "s" }, " " };

	return format_span(out, us, &units);
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
