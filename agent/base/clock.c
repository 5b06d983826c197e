/*
 * clock.c - the one place that asks what time it is, and how times are read
 * and written.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define FIRST_YEAR 1970
#define LAST_YEAR 9999
#define DAY_SECONDS 86400
/* 9999-12-31T23:59:59.999999Z */
#define LAST_TIME (INT64_C(253402300800) * CLOCK_SECOND - 1)

#define MAX_DIGITS 9 /* most digits of a fraction: nanoseconds */

struct parts {
	int year;
	int month;
	int day;
	int hour;
	int minute;
	int second;
};

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		abort(); /* Linux has both clocks */
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000;
}

int64_t
clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a Gregorian date.  Counts in years that begin in
 * March, so that the leap day is a year's last. */
static int64_t
days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int m = month <= 2 ? month + 9 : month - 3;

	return INT64_C(365) * y + y / 4 - y / 100 + y / 400 +
	    (153 * m + 2) / 5 + day - 1 - 719468;
}

static void
date_of(int64_t days, struct parts *p)
{
	int64_t n = days + 719468; /* since 0000-03-01 */
	int64_t era = n / 146097;
	int64_t doe = n % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	p->day = (int)(doy - (153 * m + 2) / 5 + 1);
	p->month = (int)(m < 10 ? m + 3 : m - 9);
	p->year = (int)(era * 400 + yoe + (p->month <= 2));
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Check the parts and add them up to seconds since 1970. */
static int
seconds_of(const struct parts *p, int64_t *seconds)
{
	if (p->year < FIRST_YEAR || p->year > LAST_YEAR || p->month < 1 ||
	    p->month > 12 || p->day < 1 ||
	    p->day > month_days(p->year, p->month))
		return -1;
	if (p->hour > 23 || p->minute > 59 || p->second > 60)
		return -1;
	*seconds = days_of(p->year, p->month, p->day) * DAY_SECONDS +
	    p->hour * 3600 + p->minute * 60 +
	    (p->second == 60 ? 59 : p->second);
	return 0;
}

/* Exactly n digits at *s, which moves behind them. */
static int
digits(const char **s, const char *end, int n, int *value)
{
	int v = 0;

	if (end - *s < n)
		return -1;
	for (int i = 0; i < n; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = 10 * v + (**s - '0');
	}
	*value = v;
	return 0;
}

static int
literal(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return -1;
	(*s)++;
	return 0;
}

/* "." and digits, cut to microseconds; nothing is 0. */
static int
fraction(const char **s, const char *end, int64_t *us)
{
	int64_t scale = CLOCK_SECOND / 10;
	int n = 0;

	*us = 0;
	if (literal(s, end, '.') != 0)
		return 0;
	while (*s < end && **s >= '0' && **s <= '9') {
		*us += (**s - '0') * scale;
		scale /= 10;
		n++;
		(*s)++;
	}
	return n >= 1 && n <= MAX_DIGITS ? 0 : -1;
}

/* "Z", "+hh:mm", "-hh:mm" or nothing, as seconds east of UTC. */
static int
zone(const char **s, const char *end, int64_t *east)
{
	int sign, hours, minutes;

	*east = 0;
	if (*s == end)
		return 0;
	if (literal(s, end, 'Z') == 0 || literal(s, end, 'z') == 0)
		return 0;
	if (literal(s, end, '+') == 0)
		sign = 1;
	else if (literal(s, end, '-') == 0)
		sign = -1;
	else
		return -1;
	if (digits(s, end, 2, &hours) != 0 || literal(s, end, ':') != 0 ||
	    digits(s, end, 2, &minutes) != 0 || hours > 23 || minutes > 59)
		return -1;
	*east = sign * (hours * 3600 + minutes * 60);
	return 0;
}

/* What follows the date. */
static int
time_of_day(const char **s, const char *end, struct parts *p, int64_t *us,
    int64_t *east)
{
	if (literal(s, end, 'T') != 0 && literal(s, end, 't') != 0 &&
	    literal(s, end, ' ') != 0)
		return -1;
	if (digits(s, end, 2, &p->hour) != 0 || literal(s, end, ':') != 0 ||
	    digits(s, end, 2, &p->minute) != 0)
		return -1;
	if (literal(s, end, ':') == 0 &&
	    (digits(s, end, 2, &p->second) != 0 || fraction(s, end, us) != 0))
		return -1;
	return zone(s, end, east);
}

int
clock_parse(const char *s, size_t len, int64_t *when)
{
	const char *end = s + len;
	struct parts p = { .year = 0 };
	int64_t seconds, result, us = 0, east = 0;

	if (digits(&s, end, 4, &p.year) != 0 || literal(&s, end, '-') != 0 ||
	    digits(&s, end, 2, &p.month) != 0 || literal(&s, end, '-') != 0 ||
	    digits(&s, end, 2, &p.day) != 0)
		return -1;
	if (s != end && time_of_day(&s, end, &p, &us, &east) != 0)
		return -1;
	if (s != end || seconds_of(&p, &seconds) != 0)
		return -1;
	result = (seconds - east) * CLOCK_SECOND + us;
	if (result < 0 || result > LAST_TIME)
		return -1;
	*when = result;
	return 0;
}

/* RFC 9110 section 5.6.7: a year in two digits that would be more than fifty
 * years ahead is of the century before. */
static int
full_year(int two)
{
	struct parts now;
	int year;

	date_of(clock_now() / CLOCK_DAY, &now);
	year = now.year - now.year % 100 + two;
	return year > now.year + 50 ? year - 100 : year;
}

static int
month_name(const char **s, const char *end, int *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (end - *s < 3)
		return -1;
	for (int i = 0; i < 12; i++) {
		if (memcmp(*s, names + 3 * (ptrdiff_t)i, 3) != 0)
			continue;
		*month = i + 1;
		*s += 3;
		return 0;
	}
	return -1;
}

/* One letter of a form below; any other character stands for itself. */
static int
http_field(char form, const char **s, const char *end, struct parts *p)
{
	switch (form) {
	case 'w': /* name of the weekday, which says nothing new */
		while (*s < end && ((**s | 0x20) >= 'a' && (**s | 0x20) <= 'z'))
			(*s)++;
		return 0;
	case 'd':
		return digits(s, end, 2, &p->day);
	case 'e': /* padded with a space */
		return literal(s, end, ' ') == 0 ? digits(s, end, 1, &p->day)
						 : digits(s, end, 2, &p->day);
	case 'b':
		return month_name(s, end, &p->month);
	case 'Y':
		return digits(s, end, 4, &p->year);
	case 'y':
		if (digits(s, end, 2, &p->year) != 0)
			return -1;
		p->year = full_year(p->year);
		return 0;
	case 'h':
		return digits(s, end, 2, &p->hour);
	case 'm':
		return digits(s, end, 2, &p->minute);
	case 's':
		return digits(s, end, 2, &p->second);
	default:
		return literal(s, end, form);
	}
}

int
clock_parse_http(const char *s, int64_t *when)
{
	static const char *const forms[] = {
		"w, d b Y h:m:s GMT", /* Sun, 06 Nov 1994 08:49:37 GMT */
		"w, d-b-y h:m:s GMT", /* Sunday, 06-Nov-94 08:49:37 GMT */
		"w b e h:m:s Y",      /* Sun Nov  6 08:49:37 1994 */
	};
	const char *end = s + strlen(s);
	int64_t seconds;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct parts p = { .year = 0 };
		const char *at = s;
		const char *f = forms[i];

		while (*f != '\0' && http_field(*f, &at, end, &p) == 0)
			f++;
		if (*f != '\0' || at != end || seconds_of(&p, &seconds) != 0)
			continue;
		*when = seconds * CLOCK_SECOND;
		return 0;
	}
	return -1;
}

static void
put_digits(char *out, int n, int64_t value)
{
	while (n-- > 0) {
		out[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

size_t
clock_format(int64_t when, int fraction_digits, char *out)
{
	static _Thread_local int64_t day_cached = -1;
	static _Thread_local char text[11];
	int64_t t = when < 0 ? 0 : when > LAST_TIME ? LAST_TIME : when;
	int64_t day = t / CLOCK_DAY;
	int64_t us = t % CLOCK_DAY;
	int64_t second = us / CLOCK_SECOND;
	size_t len = 19;

	if (day != day_cached) {
		struct parts p;

		date_of(day, &p);
		memcpy(text, "0000-00-00T", sizeof(text));
		put_digits(text, 4, p.year);
		put_digits(text + 5, 2, p.month);
		put_digits(text + 8, 2, p.day);
		day_cached = day;
	}
	memcpy(out, text, sizeof(text));
	memcpy(out + 11, "00:00:00", 8);
	put_digits(out + 11, 2, second / 3600);
	put_digits(out + 14, 2, second / 60 % 60);
	put_digits(out + 17, 2, second % 60);
	us %= CLOCK_SECOND;
	if (fraction_digits > 0) {
		out[len] = '.';
		put_digits(out + len + 1, fraction_digits == 3 ? 3 : 6,
		    fraction_digits == 3 ? us / 1000 : us);
		len += fraction_digits == 3 ? 4 : 7;
	}
	out[len] = 'Z';
	out[len + 1] = '\0';
	return len + 1;
}
