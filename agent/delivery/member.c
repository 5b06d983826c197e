/*
 * member.c - one member out of the bytes of an event, without parsing it.
 *
 * The splitter keeps values in the envelope around its arrays: here the event
 * is the envelope, of an array that no event has.
 */
#include "delivery/member.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"

struct member_reader {
	const char *pointer; /* of splitter */
	const char *values[2];
	struct splitter_spec spec;
	struct splitter *splitter;
};

struct member_reader *
member_reader_new(void)
{
	return xcalloc(1, sizeof(struct member_reader));
}

void
member_reader_free(struct member_reader *m)
{
	if (m == NULL)
		return;
	splitter_free(m->splitter);
	free(m);
}

static void
look_for(struct member_reader *m, const char *pointer)
{
	static const char *const nowhere[] = { "/\x01", NULL };

	splitter_free(m->splitter);
	m->pointer = pointer;
	m->values[0] = pointer;
	m->spec = (struct splitter_spec){ .arrays = nowhere,
		.values = m->values,
		.max = SPLITTER_VALUE_MAX,
		.absent_is_empty = true };
	m->splitter = splitter_new(&m->spec, NULL, NULL);
}

struct slice
member_text(struct member_reader *m, const char *pointer, const char *value,
    size_t len)
{
	struct slice none = { .data = NULL }, found;

	if (pointer == NULL)
		return none;
	if (pointer != m->pointer)
		look_for(m, pointer);
	splitter_reset(m->splitter);
	if (splitter_push(m->splitter, value, len, NULL) != 0 ||
	    splitter_end(m->splitter, NULL) != 0)
		return none;
	found = splitter_value(m->splitter, 0);
	if (found.len >= 2 && found.data[0] == '"') {
		found.data++;
		found.len -= 2;
	} else if (found.len > 0 && found.data[0] != '-' &&
	    (found.data[0] < '0' || found.data[0] > '9')) {
		return none; /* true, false, null */
	}
	return found;
}
