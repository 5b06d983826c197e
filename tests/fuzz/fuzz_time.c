/*
 * fuzz_time.c - any bytes as a time, an HTTP date, a duration and a size:
 * what is read can be written and read again.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

static void
try_time(const uint8_t *data, size_t size)
{
	char text[CLOCK_TEXT];
	int64_t when = -1, again = -1;

	if (clock_parse((const char *)data, size, &when) != 0) {
		FUZZ_CHECK(when == -1);
		return;
	}
	FUZZ_CHECK(when >= 0);
	FUZZ_CHECK(clock_format(when, 6, text) == strlen(text));
	FUZZ_CHECK(clock_parse(text, strlen(text), &again) == 0);
	FUZZ_CHECK(when == again);
}

static void
try_text(const char *s)
{
	char text[32];
	int64_t value = -1, again = -1;

	if (clock_parse_http(s, &value) == 0)
		FUZZ_CHECK(value >= 0 && value % CLOCK_SECOND == 0);
	value = -1;
	if (text_duration(s, &value) == 0) {
		FUZZ_CHECK(value >= 0);
		text_duration_format(text, value);
		FUZZ_CHECK(text_duration(text, &again) == 0);
		FUZZ_CHECK(value == again);
	}
	value = -1;
	if (text_size(s, &value) == 0)
		FUZZ_CHECK(value >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	FUZZ_CHECK(s != NULL);
	if (size > 0)
		memcpy(s, data, size);
	s[size] = '\0';
	try_time(data, size);
	try_text(s);
	free(s);
	return 0;
}
