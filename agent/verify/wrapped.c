/*
 * wrapped.c - events in the envelope of Wazuh, or in CEF or LEEF.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "verify/wrapped.h"

/* Where a scan stands; at NULL: it has failed. */
struct scan {
	const char *at;
	const char *end;
};

/* What an envelope begins with, how many "|" stand between that and its fields,
 * and what stands before and between feed, number and agent; how an event and a
 * checkpoint name their number. */
struct form {
	const char *begin;
	size_t bars;
	bool escapes; /* a "\\|" is none of them */
	const char *feed;
	const char *number[2];
	const char *agent;
};

static const struct form wazuh = { "{\"integration\":\"", 0, false,
	"\",\"sealfeed\":{\"feed\":\"", { "\",\"index\":", "\",\"size\":" },
	",\"agent\":\"" };
static const struct form cef = { "CEF:0|", 6, true,
	"sealfeedFeed=", { "sealfeedIndex=", "sealfeedSize=" },
	"sealfeedAgent=" };
static const struct form leef = { "LEEF:2.0|", 5, false,
	"sealfeedFeed=", { "sealfeedIndex=", "sealfeedSize=" },
	"sealfeedAgent=" };

static const struct form *const forms[] = { &wazuh, &cef, &leef };

static bool
begins(struct slice s, const char *text)
{
	return s.len >= strlen(text) && memcmp(s.data, text, strlen(text)) == 0;
}

static const struct form *
form_of(struct slice s)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (begins(s, forms[i]->begin))
			return forms[i];
	return NULL;
}

/* Take text off; false: it does not stand there. */
static bool
take(struct scan *s, const char *text)
{
	if (!begins((struct slice){ s->at, (size_t)(s->end - s->at) }, text))
		return false;
	s->at += strlen(text);
	return true;
}

/* The delimiter between two fields: of Wazuh none, of CEF a space, of LEEF any
 * control character, which rsyslog writes "#ooo". */
static void
take_delimiter(struct scan *s, const struct form *form)
{
	if (form == &wazuh || s->at == s->end)
		return;
	if (form == &leef && s->end - s->at > 4 && s->at[0] == '#')
		s->at += 4;
	else if (*s->at == ' ' ||
	    (form == &leef && (unsigned char)*s->at < ' '))
		s->at++;
}

/* Take a run of the characters that names and numbers have. */
static struct slice
take_word(struct scan *s)
{
	struct slice w = { .data = s->at };
	static const char more[] = "._~/-";

	while (s->at < s->end &&
	    ((*s->at >= '0' && *s->at <= '9') ||
		(*s->at >= 'a' && *s->at <= 'z') ||
		(*s->at >= 'A' && *s->at <= 'Z') ||
		(*s->at != '\0' && strchr(more, *s->at) != NULL)))
		s->at++;
	w.len = (size_t)(s->at - w.data);
	return w;
}

/* Go to the feed's name, past a header that has words of the event in it;
 * false: there is none where one must be. */
static bool
go_to_feed(struct scan *s, const struct form *form)
{
	size_t bars = 0;

	s->at += strlen(form->begin);
	for (; bars < form->bars && s->at < s->end; s->at++) {
		if (*s->at == '|')
			bars++;
		else if (*s->at == '\\' && form->escapes && s->end - s->at > 1)
			s->at++;
	}
	if (form == &wazuh)
		(void)take_word(s);
	return take(s, form->feed);
}

static enum frame_kind
parse(struct slice envelope, const struct form *form, struct frame *f)
{
	struct scan s = { envelope.data, envelope.data + envelope.len };
	struct slice number;

	if (!go_to_feed(&s, form))
		return FRAME_NOTHING;
	f->feed = take_word(&s);
	take_delimiter(&s, form);
	f->kind = FRAME_EVENT;
	if (!take(&s, form->number[0])) {
		if (!take(&s, form->number[1]))
			return FRAME_BROKEN;
		f->kind = FRAME_CHECKPOINT;
	}
	number = take_word(&s);
	take_delimiter(&s, form);
	if (!frame_feed_is_good(f->feed) ||
	    frame_number(number, INT64_MAX, &f->number) == -1 ||
	    !take(&s, form->agent))
		return FRAME_BROKEN;
	f->agent = take_word(&s);
	f->value = envelope;
	f->wrapped = true;
	return f->kind;
}

bool
wrapped_is(const char *s, size_t len)
{
	return form_of((struct slice){ s, len }) != NULL;
}

/* Where the first envelope of a form begins, at the line's begin or behind a
 * space; NULL: nowhere. */
static const char *
find_form(const char *line, size_t len, const struct form *form)
{
	const char *at = line, *end = line + len;

	for (;; at++) {
		at = memmem(at, (size_t)(end - at), form->begin,
		    strlen(form->begin));
		if (at == NULL || at == line || at[-1] == ' ')
			return at;
	}
}

/* The first envelope: those behind it are words of its event. */
static const char *
find_envelope(const char *line, size_t len, const struct form **form)
{
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *at = find_form(line, len, forms[i]);

		if (at == NULL || (first != NULL && at > first))
			continue;
		first = at;
		*form = forms[i];
	}
	return first;
}

/* Is at in a string of JSON, or in a cell of a table?  What is written there is
 * not the text yet. */
static bool
is_quoted(const char *line, const char *at)
{
	size_t quotes = 0;

	if (at - line > 1 &&
	    (line[0] == '{' ||
		(line[0] == '[' && (line[1] == '{' || line[1] == '"'))))
		return true;
	for (; line < at; line++)
		quotes += *line == '"';
	return quotes % 2 != 0;
}

enum frame_kind
wrapped_parse(const char *line, size_t len, struct frame *f)
{
	const struct form *form = NULL;
	const char *at;
	enum frame_kind kind;

	/* No event ends in one. */
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	at = find_envelope(line, len, &form);
	if (at == NULL || is_quoted(line, at) ||
	    frame_parse(line, (size_t)(at - line), f) != FRAME_NOTHING)
		return frame_parse(line, len, f);
	*f = (struct frame){ .syslog = at != line || form != &wazuh };
	kind = parse((struct slice){ at, (size_t)(line + len - at) }, form, f);
	return kind != FRAME_NOTHING ? kind : frame_parse(line, len, f);
}

/* {"integration":"I","sealfeed":{…},"I":VALUE} */
static struct slice
value_in_wazuh(struct slice e)
{
	static const char behind[] = "\"},\"";
	const char *at = memmem(e.data, e.len, behind, strlen(behind));
	const char *end = e.data + e.len;

	if (at == NULL)
		return e;
	at = memchr(at + strlen(behind), ':',
	    (size_t)(end - at) - strlen(behind));
	if (at == NULL)
		return e;
	at++;
	/* Whole, it ends like its value does, and once more. */
	if (end > at && end[-1] == '}')
		end--;
	return (struct slice){ at, (size_t)(end - at) };
}

/* The value of the last key, whose "=" is the last one without a "\". */
static struct slice
value_in_cef(struct slice e, struct buf *scratch)
{
	static const char key[] = " rawEvent=";
	const char *end = e.data + e.len, *equals = NULL;
	char *to;

	for (const char *s = e.data; s < end; s++) {
		if (*s == '=')
			equals = s;
		else if (*s == '\\')
			s++;
	}
	if (equals == NULL || (size_t)(equals + 1 - e.data) < strlen(key) ||
	    memcmp(equals + 1 - strlen(key), key, strlen(key)) != 0)
		return e;
	buf_clear(scratch);
	to = buf_room(scratch, (size_t)(end - equals));
	if (to == NULL)
		return e;
	for (const char *s = equals + 1; s < end; s++) {
		if (*s == '\\' && s + 1 < end) {
			s++;
			*to++ = (char)(*s == 'n' ? '\n'
				: *s == 'r'      ? '\r'
						 : *s);
		} else {
			*to++ = *s;
		}
	}
	return (struct slice){ scratch->data, (size_t)(to - scratch->data) };
}

/* Behind the first key of that name and the delimiter, which stands behind
 * feed: no value before has one. */
static struct slice
value_in_leef(struct slice e)
{
	static const char key[] = "rawEvent=";
	struct scan s = { e.data, e.data + e.len };
	const char *at, *delimiter;
	size_t len;

	if (!go_to_feed(&s, &leef))
		return e;
	(void)take_word(&s);
	delimiter = s.at;
	take_delimiter(&s, &leef);
	len = (size_t)(s.at - delimiter);
	for (at = s.at; len > 0; at += strlen(key)) {
		at = memmem(at, (size_t)(s.end - at), key, strlen(key));
		if (at == NULL)
			return e;
		if (memcmp(at - len, delimiter, len) == 0)
			break;
	}
	if (len == 0)
		return e;
	at += strlen(key);
	return (struct slice){ at, (size_t)(s.end - at) };
}

struct slice
wrapped_value(struct slice envelope, struct buf *scratch)
{
	const struct form *form = form_of(envelope);

	if (form == &wazuh)
		return value_in_wazuh(envelope);
	if (form == &cef)
		return value_in_cef(envelope, scratch);
	return form == &leef ? value_in_leef(envelope) : envelope;
}
