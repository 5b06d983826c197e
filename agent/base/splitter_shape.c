/*
 * splitter_shape.c - where a value that is not quite JSON ends.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/splitter_shape.h"

#define ROOM_MIN 64

/* A byte behind which one value is. */
enum step { STEP_ON, STEP_CUT, STEP_WRONG };

struct walk {
	const char *begin, *at, *end;
	const char *id, *time;
	size_t depth, clean_depth;
	uint8_t *object; /* one a level: is it an object? */
	size_t room;
	struct shape *out;
};

static void
skip_space(struct walk *w)
{
	while (w->at < w->end &&
	    (*w->at == ' ' || *w->at == '\t' || *w->at == '\n' ||
		*w->at == '\r'))
		w->at++;
}

/* c comes next, behind white space. */
static enum step
take(struct walk *w, char c)
{
	skip_space(w);
	if (w->at == w->end)
		return STEP_CUT;
	if (*w->at != c)
		return STEP_WRONG;
	w->at++;
	return STEP_ON;
}

/* Behind its opening quote; *len is that of the text. */
static enum step
string(struct walk *w, size_t *len)
{
	const char *text = w->at;

	w->out->string = (size_t)(text - w->begin) - 1;
	for (; w->at < w->end && *w->at != '"'; w->at++) {
		if (*w->at == '\n' || *w->at == '\r')
			w->out->clean = false;
		if (*w->at == '\\' && ++w->at == w->end)
			return STEP_CUT;
	}
	if (w->at == w->end)
		return STEP_CUT;
	*len = (size_t)(w->at++ - text);
	return STEP_ON;
}

static bool
is_name(const char *name, const char *text, size_t len)
{
	return name != NULL && strlen(name) == len &&
	    memcmp(name, text, len) == 0;
}

/* A member's name and its colon. */
static enum step
key(struct walk *w)
{
	enum step step = take(w, '"');
	const char *text = w->at;
	size_t len = 0;

	if (step == STEP_ON)
		step = string(w, &len);
	if (step != STEP_ON)
		return step;
	if (w->depth == 1) {
		w->out->id = w->out->id || is_name(w->id, text, len);
		w->out->time = w->out->time || is_name(w->time, text, len);
	}
	return take(w, ':');
}

/* A number or a literal, or what stands for one. */
static enum step
scalar(struct walk *w)
{
	const char *from = w->at;

	if (memchr("-0123456789tfn", *from, 14) == NULL)
		w->out->clean = false;
	while (w->at < w->end &&
	    ((*w->at >= '0' && *w->at <= '9') ||
		((*w->at | 0x20) >= 'a' && (*w->at | 0x20) <= 'z') ||
		*w->at == '-' || *w->at == '+' || *w->at == '.'))
		w->at++;
	if (w->at == w->end)
		return STEP_CUT;
	return w->at > from ? STEP_ON : STEP_WRONG;
}

static void
enter(struct walk *w, bool object)
{
	if (w->depth == w->room) {
		w->room = w->room == 0 ? ROOM_MIN : w->room * 2;
		w->object = xreallocarray(w->object, w->room, 1);
	}
	w->object[w->depth++] = object;
	if (w->depth > w->clean_depth)
		w->out->clean = false;
}

/* From a value's begin to what is behind it, or to the first one inside. */
static enum step
value(struct walk *w, bool *inside)
{
	size_t len;
	bool object;

	*inside = false;
	skip_space(w);
	if (w->at == w->end)
		return STEP_CUT;
	if (*w->at == '"') {
		w->at++;
		return string(w, &len);
	}
	if (*w->at != '{' && *w->at != '[')
		return scalar(w);
	object = *w->at++ == '{';
	enter(w, object);
	skip_space(w);
	if (w->at == w->end)
		return STEP_CUT;
	if (*w->at == (object ? '}' : ']'))
		return STEP_ON; /* behind() closes it */
	*inside = true;
	return object ? key(w) : STEP_ON;
}

/* Close what ends behind a value; *more: another one follows. */
static enum step
behind(struct walk *w, bool *more)
{
	*more = false;
	while (w->depth > 0) {
		bool object = w->object[w->depth - 1] != 0;

		skip_space(w);
		if (w->at == w->end)
			return STEP_CUT;
		if (*w->at == ',') {
			w->at++;
			*more = true;
			return object ? key(w) : STEP_ON;
		}
		if (*w->at != (object ? '}' : ']'))
			return STEP_WRONG;
		w->at++;
		w->depth--;
	}
	return STEP_ON;
}

void
shape_scan(const char *p, size_t len, const char *id, const char *time,
    size_t depth, struct shape *out)
{
	struct walk w = { .begin = p,
		.at = p,
		.end = p + len,
		.id = id,
		.time = time,
		.clean_depth = depth,
		.out = out };
	enum step step = STEP_ON;
	bool more = true;

	*out = (struct shape){ .kind = SHAPE_WHOLE, .clean = true };
	while (step == STEP_ON && more) {
		step = value(&w, &more);
		if (step == STEP_ON && !more)
			step = behind(&w, &more);
	}
	if (step != STEP_ON)
		out->kind = step == STEP_CUT ? SHAPE_CUT : SHAPE_WRONG;
	out->end = (size_t)(w.at - p);
	free(w.object);
}
