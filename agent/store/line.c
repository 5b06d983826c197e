/*
 * line.c - the one form in which events travel and are kept.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "store/line.h"

#define FEED "{\"feed\":\""
#define AGENT ",\"agent\":\""
#define VIA ",\"via\":\""
#define DIGITS 20 /* of UINT64_MAX */

static const struct {
	const char *number; /* what stands between feed and number */
	const char *value;
} form[] = {
	[LINE_EVENT] = { "\",\"index\":", ",\"event\":" },
	[LINE_CHECKPOINT] = { "\",\"size\":", ",\"checkpoint\":" },
};

static char *
put_text(char *to, const char *s, size_t len)
{
	memcpy(to, s, len);
	return to + len;
}

static char *
put_number(char *to, uint64_t n)
{
	char digits[DIGITS];
	size_t at = DIGITS;

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return put_text(to, digits + at, DIGITS - at);
}

int
line_add(struct buf *b, enum line_kind kind, struct line_name name,
    uint64_t number, const char *value, size_t len)
{
	const size_t feed_len = strlen(name.feed);
	const size_t agent_len = strlen(name.agent);
	const size_t via_len = name.via != NULL ? strlen(name.via) : 0;
	const size_t frame = sizeof(FEED) + sizeof(AGENT) + sizeof(VIA) +
	    strlen(form[kind].number) + strlen(form[kind].value) + DIGITS + 3 +
	    feed_len + agent_len + via_len;
	char *to;

	if (len > SIZE_MAX - frame)
		return -1;
	to = buf_room(b, frame + len);
	if (to == NULL)
		return -1;
	to = put_text(to, FEED, sizeof(FEED) - 1);
	to = put_text(to, name.feed, feed_len);
	to = put_text(to, form[kind].number, strlen(form[kind].number));
	to = put_number(to, number);
	if (agent_len > 0) {
		to = put_text(to, AGENT, sizeof(AGENT) - 1);
		to = put_text(to, name.agent, agent_len);
		*to++ = '"';
	}
	if (via_len > 0) {
		to = put_text(to, VIA, sizeof(VIA) - 1);
		to = put_text(to, name.via, via_len);
		*to++ = '"';
	}
	to = put_text(to, form[kind].value, strlen(form[kind].value));
	to = put_text(to, value, len);
	to = put_text(to, "}\n", 2);
	*to = '\0';
	b->len = (size_t)(to - b->data);
	return 0;
}

/* Take text off the front of s. */
static bool
take_text(struct slice *s, const char *text)
{
	const size_t len = strlen(text);

	if (s->len < len || memcmp(s->data, text, len) != 0)
		return false;
	s->data += len;
	s->len -= len;
	return true;
}

/* Take a decimal number without leading zeros. */
static bool
take_number(struct slice *s, uint64_t *number)
{
	size_t i;
	uint64_t n = 0;

	for (i = 0; i < s->len && s->data[i] >= '0' && s->data[i] <= '9'; i++) {
		const uint64_t digit = (uint64_t)(s->data[i] - '0');

		if (n > (UINT64_MAX - digit) / 10 || (i == 1 && n == 0))
			return false;
		n = n * 10 + digit;
	}
	if (i == 0)
		return false;
	s->data += i;
	s->len -= i;
	*number = n;
	return true;
}

/* Take text that a quote ends off the front of s, with the quote. */
static bool
take_quoted(struct slice *s, struct slice *text)
{
	const char *end = memchr(s->data, '"', s->len);

	if (end == NULL || end == s->data)
		return false;
	text->data = s->data;
	text->len = (size_t)(end - s->data);
	s->data = end;
	s->len -= text->len;
	return memchr(text->data, '\\', text->len) == NULL;
}

int
line_parse_cut(const char *s, size_t len, struct line *line)
{
	struct slice rest = { .data = s, .len = len };
	struct line found = { .kind = LINE_EVENT };

	if (!take_text(&rest, FEED) || !take_quoted(&rest, &found.feed))
		return -1;
	if (!take_text(&rest, form[LINE_EVENT].number)) {
		found.kind = LINE_CHECKPOINT;
		if (!take_text(&rest, form[LINE_CHECKPOINT].number))
			return -1;
	}
	if (!take_number(&rest, &found.number))
		return -1;
	if (take_text(&rest, AGENT) &&
	    (!take_quoted(&rest, &found.agent) || !take_text(&rest, "\"")))
		return -1;
	if (take_text(&rest, VIA) &&
	    (!take_quoted(&rest, &found.via) || !take_text(&rest, "\"")))
		return -1;
	if (!take_text(&rest, form[found.kind].value) || rest.len == 0)
		return -1;
	found.value = rest;
	*line = found;
	return 0;
}

int
line_parse(const char *s, size_t len, struct line *line)
{
	struct line found;

	if (line_parse_cut(s, len, &found) == -1 || found.value.len < 2 ||
	    found.value.data[found.value.len - 1] != '}')
		return -1;
	found.value.len--;
	*line = found;
	return 0;
}
