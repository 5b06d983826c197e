/*
 * member.h - one member out of the bytes of an event, without parsing it.
 */
#ifndef DELIVERY_MEMBER_H
#define DELIVERY_MEMBER_H

#include <stddef.h>

#include "base/text.h"

struct member_reader;

struct member_reader *member_reader_new(void);
void member_reader_free(struct member_reader *m);

/*
 * The string or number at a JSON pointer (RFC 6901, borrowed for the life of
 * the reader) in an object: the text between the quotes, with its escapes as
 * they came, or the token.  data is NULL where there is none, and where value
 * is no JSON object.  Borrowed until the next call.  Cheap while pointer is the
 * same as at the last call.
 */
struct slice member_text(struct member_reader *m, const char *pointer,
    const char *value, size_t len);

#endif /* DELIVERY_MEMBER_H */
