/*
 * when.c - the forms in which vendors write times.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/when.h"

#define NUMBER_MAX 40
#define MILLISECOND (CLOCK_SECOND / 1000)
/* Years above 9999 are no times of events. */
#define SECONDS_MAX 253402300799.0

const char *const when_names[] = {
	[WHEN_RFC3339] = "rfc3339",
	[WHEN_RFC3339_MS] = "rfc3339_ms",
	[WHEN_RFC3339_US] = "rfc3339_us",
	[WHEN_EPOCH] = "epoch",
	[WHEN_EPOCH_MS] = "epoch_ms",
	[WHEN_DATE] = "date",
	[WHEN_DATETIME] = "datetime",
	[WHEN_COMPACT] = "compact",
	[WHEN_HTTP] = "http",
	[WHEN_RFC2822] = "rfc2822",
	[WHEN_ISO8601] = "iso8601",
	[WHEN_FORMATS] = NULL,
};

enum when_format
when_by_name(struct slice name)
{
	int i = 0;

	while (i < WHEN_FORMATS &&
	    (strlen(when_names[i]) != name.len ||
		memcmp(when_names[i], name.data, name.len) != 0))
		i++;
	return (enum when_format)i;
}

int64_t
when_unit(enum when_format format)
{
	switch (format) {
	case WHEN_RFC3339_US:
		return 1;
	case WHEN_RFC3339_MS:
	case WHEN_EPOCH_MS:
		return MILLISECOND;
	case WHEN_DATE:
		return CLOCK_DAY;
	default:
		return CLOCK_SECOND;
	}
}

/* RFC 3339 without what stands between the digits: 20261122042658. */
static int
write_compact(const char *text, struct buf *out)
{
	int rc = 0;

	for (; *text != '\0' && rc == 0; text++)
		if (*text >= '0' && *text <= '9')
			rc = buf_add(out, text, 1);
	return rc;
}

/* "Sun, 22 Nov 2026 04:26:58 " and the zone. */
static int
write_http(int64_t when, const char *zone, struct buf *out)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const time_t seconds = (time_t)(when / CLOCK_SECOND);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		return -1;
	return buf_addf(out, "%.3s, %02d %.3s %04d %02d:%02d:%02d %s",
	    days + (ptrdiff_t)3 * tm.tm_wday, tm.tm_mday,
	    months + (ptrdiff_t)3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, zone);
}

int
when_write(enum when_format format, int64_t when, struct buf *out)
{
	int digits = format == WHEN_RFC3339_MS ? 3
	    : format == WHEN_RFC3339_US        ? 6
					       : 0;
	char text[CLOCK_TEXT];
	size_t len = clock_format(when, digits, text);

	switch (format) {
	case WHEN_EPOCH:
		return buf_addf(out, "%" PRId64, when / CLOCK_SECOND);
	case WHEN_EPOCH_MS:
		return buf_addf(out, "%" PRId64, when / MILLISECOND);
	case WHEN_DATE:
		return buf_add(out, text, strlen("2026-11-22"));
	case WHEN_DATETIME:
		text[strlen("2026-11-22")] = ' ';
		return buf_add(out, text, len - 1);
	case WHEN_COMPACT:
		return write_compact(text, out);
	case WHEN_HTTP:
		return write_http(when, "GMT", out);
	case WHEN_RFC2822:
		return write_http(when, "-0000", out);
	case WHEN_ISO8601:
		return buf_add(out, text, len - 1) == 0 ? buf_adds(out, "+0000")
							: -1;
	default:
		return buf_add(out, text, len);
	}
}

/* A number of units of that many microseconds; a vendor's may have a fraction
 * or an exponent. */
static int
read_number(struct slice text, int64_t unit, int64_t *when)
{
	char copy[NUMBER_MAX], *end;
	intmax_t whole;
	double value;

	if (text.len == 0 || text.len >= sizeof(copy) || *text.data < '0' ||
	    *text.data > '9')
		return -1;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	whole = strtoimax(copy, &end, 10);
	if (*end == '\0' && whole < INT64_MAX / unit) {
		*when = whole * unit;
		return 0;
	}
	value = strtod(copy, &end) * (double)unit;
	if (*end != '\0' || !(value < SECONDS_MAX * (double)CLOCK_SECOND))
		return -1;
	*when = (int64_t)(value + 0.5);
	return 0;
}

/* "2026-11-22T04:26:58+0000", which RFC 3339 wants with a colon. */
static int
read_rfc3339(struct slice text, int64_t *when)
{
	const size_t zone = strlen("+0000"), half = strlen("00");
	char copy[NUMBER_MAX];
	const char *sign;

	if (clock_parse(text.data, text.len, when) == 0)
		return 0;
	if (text.len <= zone || text.len + 1 >= sizeof(copy))
		return -1;
	sign = text.data + text.len - zone;
	if (*sign != '+' && *sign != '-')
		return -1;
	memcpy(copy, text.data, text.len - half);
	copy[text.len - half] = ':';
	memcpy(copy + text.len - half + 1, text.data + text.len - half, half);
	return clock_parse(copy, text.len + 1, when);
}

/* "20261122042658.123": put what RFC 3339 has between the digits. */
static int
read_compact(struct slice text, int64_t *when)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	char copy[NUMBER_MAX];
	size_t from = 0, to = 0;

	for (; form[to] != '\0'; to++)
		if (form[to] != 'd')
			copy[to] = form[to];
		else if (from < text.len)
			copy[to] = text.data[from++];
		else
			return -1;
	if (text.len - from + to >= sizeof(copy))
		return -1;
	memcpy(copy + to, text.data + from, text.len - from);
	return clock_parse(copy, to + text.len - from, when);
}

/* How far a zone is ahead of UTC, "+0130"; false: it is not known by name. */
static bool
zone_offset(const char *zone, int64_t *ahead)
{
	static const char *const names[] = { "GMT", "UTC", "UT", "Z" };
	int hours, minutes;

	*ahead = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(zone, names[i]) == 0)
			return true;
	if ((zone[0] != '+' && zone[0] != '-') || strlen(zone) != 5 ||
	    strspn(zone + 1, "0123456789") != 4)
		return false;
	hours = (zone[1] - '0') * 10 + (zone[2] - '0');
	minutes = (zone[3] - '0') * 10 + (zone[4] - '0');
	if (minutes > 59)
		return false;
	*ahead = hours * CLOCK_HOUR + minutes * CLOCK_MINUTE;
	if (zone[0] == '-')
		*ahead = -*ahead;
	return true;
}

/* RFC 9110, or RFC 2822, whose day of the week may be missing, and which some
 * write with a comma in front of the zone. */
static int
read_http(struct slice text, int64_t *when)
{
	char copy[NUMBER_MAX], http[NUMBER_MAX], month[4], zone[6];
	unsigned day, year, hour, minute, second;
	const char *at = copy;
	int64_t ahead;

	if (text.len >= sizeof(copy))
		return -1;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (clock_parse_http(copy, when) == 0)
		return 0;
	if (*at < '0' || *at > '9')
		at += strcspn(at, " ");
	if (sscanf(at, " %2u %3s %4u %2u:%2u:%2u%*[, ]%5s", &day, month, &year,
		&hour, &minute, &second, zone) != 7 ||
	    !zone_offset(zone, &ahead))
		return -1;
	(void)snprintf(http, sizeof(http),
	    "Sun, %02u %s %04u %02u:%02u:%02u GMT", day, month, year, hour,
	    minute, second);
	if (clock_parse_http(http, when) != 0)
		return -1;
	*when -= ahead;
	return 0;
}

int
when_read(enum when_format format, struct slice text, int64_t *when)
{
	switch (format) {
	case WHEN_EPOCH:
		return read_number(text, CLOCK_SECOND, when);
	case WHEN_EPOCH_MS:
		return read_number(text, MILLISECOND, when);
	case WHEN_COMPACT:
		return read_compact(text, when);
	case WHEN_HTTP:
	case WHEN_RFC2822:
		return read_http(text, when);
	default:
		return read_rfc3339(text, when);
	}
}
