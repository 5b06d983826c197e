/*
 * fuzz_wrapped.c - envelopes of Wazuh, CEF and LEEF as verify reads them.
 *
 * The first byte says what the others are: any line; or an event, which output
 * and verify must agree on, whatever its words look like, alone and behind the
 * header of a syslog server; or one of its fields.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "delivery/chunk.h"
#include "outputs/format.h"
#include "tests/fuzz/fuzz.h"
#include "verify/wrapped.h"

#define MAX ((size_t)1 << 20)
#define FEED "contoso/Audit.General"
#define AGENT "fra1"
#define HEADER "Nov 26 10:00:00 fra1 sealfeed "

enum what { WHAT_LINE, WHAT_EVENT, WHAT_FIELD, WHATS };

static const enum format_kind kinds[] = { FORMAT_WAZUH, FORMAT_CEF,
	FORMAT_LEEF };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct format *format[KINDS];

static void
begin(void)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < KINDS; i++) {
		format[i] = format_new(kinds[i], AGENT,
		    SRCDIR "/outputs/formats", &err);
		FUZZ_CHECK(format[i] != NULL);
	}
}

static bool
is_in(struct slice s, const char *line, size_t len)
{
	return s.len == 0 || (s.data >= line && s.data + s.len <= line + len);
}

/* Of any line nothing is read that is not in it. */
static void
any_line(const char *line, size_t len)
{
	struct buf scratch = BUF_INIT(MAX);
	struct frame f = { .kind = FRAME_NOTHING };
	const enum frame_kind kind = wrapped_parse(line, len, &f);
	struct slice value;

	(void)wrapped_value((struct slice){ line, len }, &scratch);
	if (kind == FRAME_EVENT || kind == FRAME_CHECKPOINT) {
		FUZZ_CHECK(frame_feed_is_good(f.feed) && f.number <= INT64_MAX);
		FUZZ_CHECK(is_in(f.feed, line, len) &&
		    is_in(f.agent, line, len) && is_in(f.value, line, len));
		value = wrapped_value(f.value, &scratch);
		FUZZ_CHECK(value.len <= f.value.len);
	}
	buf_release(&scratch);
}

/* The line says which event it has, and its bytes come out again. */
static void
comes_out(const struct buf *line, const struct chunk_line *made)
{
	struct buf scratch = BUF_INIT(MAX);
	struct frame f = { .kind = FRAME_NOTHING };
	struct slice value;

	FUZZ_CHECK(wrapped_parse(line->data, line->len, &f) ==
	    (made->checkpoint ? FRAME_CHECKPOINT : FRAME_EVENT));
	FUZZ_CHECK(f.wrapped && f.number == made->number);
	FUZZ_CHECK(f.feed.len == strlen(FEED) &&
	    memcmp(f.feed.data, FEED, f.feed.len) == 0);
	FUZZ_CHECK(f.agent.len == strlen(AGENT) &&
	    memcmp(f.agent.data, AGENT, f.agent.len) == 0);
	value = wrapped_value(f.value, &scratch);
	FUZZ_CHECK(value.len == made->len &&
	    memcmp(value.data, made->value, value.len) == 0);
	buf_release(&scratch);
}

static void
event(const char *value, size_t len, bool checkpoint)
{
	const struct chunk_line made = { .feed = FEED,
		.source_type = "office365",
		.checkpoint = checkpoint,
		.number = 42,
		.when = INT64_C(1800000000) * CLOCK_SECOND,
		.value = value,
		.len = len };

	for (size_t i = 0; i < KINDS; i++) {
		struct buf line = BUF_INIT(MAX), behind = BUF_INIT(MAX);

		FUZZ_CHECK(format_add(format[i], &made, &line) == 0);
		comes_out(&line, &made);
		FUZZ_CHECK(buf_adds(&behind, HEADER) == 0 &&
		    buf_add(&behind, line.data, line.len) == 0);
		comes_out(&behind, &made);
		buf_release(&line);
		buf_release(&behind);
	}
}

/* The bytes as what mappings take of an event. */
static void
field(const char *s, size_t len)
{
	static const char *const keys[] = { "Operation", "UserId", "ClientIP",
		"ObjectId" };
	struct buf value = BUF_INIT(MAX);

	FUZZ_CHECK(buf_adds(&value, "{\"Id\":\"1\"") == 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		FUZZ_CHECK(buf_addf(&value, ",\"%s\":", keys[i]) == 0 &&
		    text_json_string(&value, s, len) == 0);
	FUZZ_CHECK(buf_adds(&value, "}") == 0);
	event(value.data, value.len, false);
	buf_release(&value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data + 1;

	if (format[0] == NULL)
		begin();
	if (size < 2)
		return 0;
	size--;
	switch (data[0] % WHATS) {
	case WHAT_LINE:
		any_line(s, size);
		break;
	case WHAT_EVENT:
		/* As a splitter has it: an object, in one line. */
		if (s[0] == '{' && s[size - 1] == '}' &&
		    memchr(s, '\n', size) == NULL &&
		    memchr(s, '\r', size) == NULL)
			event(s, size, data[0] >= 128);
		break;
	default:
		field(s, size);
	}
	return 0;
}
