/*
 * line.c - the one form in which events travel and are kept.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "store/line.h"

#define FEED "{\"feed\":\""
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
line_add(struct buf *b, enum line_kind kind, const char *feed, uint64_t number,
    const char *value, size_t len)
{
	const size_t feed_len = strlen(feed);
	const size_t frame = sizeof(FEED) + strlen(form[kind].number) +
	    strlen(form[kind].value) + DIGITS + 2;
	char *to;

	if (len > SIZE_MAX - frame - feed_len)
		return -1;
	to = buf_room(b, frame + feed_len + len);
	if (to == NULL)
		return -1;
	to = put_text(to, FEED, sizeof(FEED) - 1);
	to = put_text(to, feed, feed_len);
	to = put_text(to, form[kind].number, strlen(form[kind].number));
	to = put_number(to, number);
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

int
line_parse(const char *s, size_t len, struct line *line)
{
	struct slice rest = { .data = s, .len = len };
	struct line found = { .kind = LINE_EVENT };
	const char *end;

	if (!take_text(&rest, FEED))
		return -1;
	end = memchr(rest.data, '"', rest.len);
	if (end == NULL || end == rest.data)
		return -1;
	found.feed.data = rest.data;
	found.feed.len = (size_t)(end - rest.data);
	if (memchr(found.feed.data, '\\', found.feed.len) != NULL)
		return -1;
	rest.len -= found.feed.len;
	rest.data = end;
	if (!take_text(&rest, form[LINE_EVENT].number)) {
		found.kind = LINE_CHECKPOINT;
		if (!take_text(&rest, form[LINE_CHECKPOINT].number))
			return -1;
	}
	if (!take_number(&rest, &found.number) ||
	    !take_text(&rest, form[found.kind].value))
		return -1;
	if (rest.len < 2 || rest.data[rest.len - 1] != '}')
		return -1;
	found.value.data = rest.data;
	found.value.len = rest.len - 1;
	*line = found;
	return 0;
}
