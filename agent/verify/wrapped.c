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

/* What stands before and between feed, number and agent, and how an event and
 * a checkpoint name their number. */
struct form {
	const char *begin;
	const char *feed;
	const char *number[2];
	const char *agent;
};

static const struct form wazuh = { "{\"integration\":\"",
	"\"sealfeed\":{\"feed\":\"", { "\",\"index\":", "\",\"size\":" },
	",\"agent\":\"" };
static const struct form cef = { "CEF:0|",
	"|sealfeedFeed=", { "sealfeedIndex=", "sealfeedSize=" },
	"sealfeedAgent=" };
static const struct form leef = { "LEEF:2.0|",
	"|sealfeedFeed=", { "sealfeedIndex=", "sealfeedSize=" },
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

static enum frame_kind
parse(struct slice envelope, const struct form *form, struct frame *f)
{
	struct scan s = { .end = envelope.data + envelope.len };
	struct slice number;

	s.at =
	    memmem(envelope.data, envelope.len, form->feed, strlen(form->feed));
	if (s.at == NULL)
		return FRAME_NOTHING;
	s.at += strlen(form->feed);
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

static enum frame_kind
parse_anywhere(const char *line, size_t len, struct frame *f)
{
	struct slice rest = { line, len };
	const struct form *form = form_of(rest);
	const char *at;

	for (size_t i = 0; form == NULL && i < 3; i++) {
		at =
		    memmem(line, len, forms[i]->begin, strlen(forms[i]->begin));
		if (at == NULL || (at > line && at[-1] != ' '))
			continue;
		form = forms[i];
		rest = (struct slice){ at, len - (size_t)(at - line) };
	}
	if (form == NULL)
		return FRAME_NOTHING;
	*f = (struct frame){ .syslog = rest.data != line || form != &wazuh };
	return parse(rest, form, f);
}

enum frame_kind
wrapped_parse(const char *line, size_t len, struct frame *f)
{
	enum frame_kind kind = FRAME_NOTHING;

	/* No event ends in one. */
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	if (!wrapped_is(line, len))
		kind = frame_parse(line, len, f);
	return kind == FRAME_NOTHING ? parse_anywhere(line, len, f) : kind;
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
	struct scan s = { .end = e.data + e.len };
	const char *at, *delimiter;
	size_t len;

	s.at = memmem(e.data, e.len, leef.feed, strlen(leef.feed));
	if (s.at == NULL)
		return e;
	s.at += strlen(leef.feed);
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
