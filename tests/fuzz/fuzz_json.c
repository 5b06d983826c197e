/*
 * fuzz_json.c - any bytes as JSON, and as text that goes into JSON, to a
 * terminal, into a log: json_valid() says what jansson says, and what is
 * written of any bytes can be read again.
 */
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/json_valid.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

#define MAX (1 << 20)

/* jansson refuses numbers that no double holds and surrogates that stand alone,
 * which RFC 8259 lets pass, has another limit of depth, and does not see what
 * follows a NUL. */
static void
against_jansson(const char *s, size_t size)
{
	json_error_t why;
	json_t *v = json_loadb(s, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	size_t deep = 0;
	enum json_error_code code =
	    v == NULL ? json_error_code(&why) : json_error_unknown;

	for (size_t i = 0; i < size; i++)
		deep += s[i] == '[' || s[i] == '{';
	if (memchr(s, '\0', size) != NULL)
		FUZZ_CHECK(!json_valid(s, size));
	else if (v != NULL)
		FUZZ_CHECK(deep > JSON_DEPTH_MAX || json_valid(s, size));
	else if (code != json_error_stack_overflow &&
	    code != json_error_numeric_overflow &&
	    memchr(s, '\\', size) == NULL)
		FUZZ_CHECK(!json_valid(s, size));
	json_decref(v);
}

/* Well-formed UTF-8 comes back from a JSON string as it was. */
static void
as_string(const char *s, size_t size)
{
	struct buf text = BUF_INIT(MAX);
	bool good = true;
	json_t *v;

	for (size_t i = 0, n; i < size && good; i += n) {
		n = text_utf8(s + i, size - i);
		good = n > 0;
	}
	FUZZ_CHECK(text_json_string(&text, s, size) == 0);
	FUZZ_CHECK(json_valid(text.data, text.len));
	v = json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    NULL);
	FUZZ_CHECK(json_is_string(v));
	if (good)
		FUZZ_CHECK(json_string_length(v) == size &&
		    memcmp(json_string_value(v), s, size) == 0);
	json_decref(v);
	buf_release(&text);
}

/* For a terminal and the log: no control characters, and UTF-8 as it was. */
static void
as_line(const char *s, size_t size)
{
	struct buf text = BUF_INIT(MAX), again = BUF_INIT(MAX);
	char line[200], *whole = malloc(size + 1);

	FUZZ_CHECK(whole != NULL);
	memcpy(whole, s, size);
	whole[size] = '\0';
	FUZZ_CHECK(text_printable(&text, s, size) == 0);
	if (text.len > 0)
		FUZZ_CHECK(text_printable(&again, text.data, text.len) == 0 &&
		    strcmp(text.data, again.data) == 0);
	text_one_line(line, sizeof(line), whole);
	FUZZ_CHECK(strlen(line) < sizeof(line));
	for (const char *c = line; *c != '\0'; c++)
		FUZZ_CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
	free(whole);
	buf_release(&text);
	buf_release(&again);
}

static void
as_base64(const char *s, size_t size)
{
	struct buf text = BUF_INIT(2 * MAX), back = BUF_INIT(MAX);

	FUZZ_CHECK(text_base64(&text, s, size) == 0);
	FUZZ_CHECK(text.len == (size + 2) / 3 * 4);
	FUZZ_CHECK(text_unbase64(&back, text.data == NULL ? "" : text.data,
		       text.len) == 0);
	FUZZ_CHECK(back.len == size &&
	    (size == 0 || memcmp(back.data, s, size) == 0));
	/* Only one text stands for some bytes. */
	buf_clear(&back);
	buf_clear(&text);
	if (text_unbase64(&back, s, size) == 0) {
		FUZZ_CHECK(text_base64(&text,
			       back.data == NULL ? "" : back.data,
			       back.len) == 0);
		FUZZ_CHECK(text.len == size &&
		    (size == 0 || memcmp(text.data, s, size) == 0));
	}
	buf_release(&text);
	buf_release(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = size > 0 ? (const char *)data : "";

	against_jansson(s, size);
	as_string(s, size);
	as_line(s, size);
	as_base64(s, size);
	return 0;
}
