/*
 * template.h - text with places for values: "/orgs/{org}/audit-log",
 * "created:>={window.start|rfc3339}".
 *
 * A place is a name of [a-z0-9_.] in braces, with the format of a time
 * (when.h) behind "|" where the value is one, or "json" where it is JSON that
 * stands as it is.  A brace that begins no place is itself, so that JSON can
 * be written as it is.  Nothing is computed.
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct buf;

struct template_place {
	struct slice name;
	struct slice format; /* data NULL: none */
	size_t begin;        /* of "{" in the text */
	size_t end;          /* behind "}" */
};

/* The first place at or behind at; false: there is none. */
bool template_next(const char *text, size_t at, struct template_place *p);

/* Is its value JSON text? */
bool template_is_json(const struct template_place *p);

/* Is text one place and nothing else? */
bool template_is_place(const char *text, struct template_place *p);

/* How a value is written where its place was. */
enum template_encoding {
	TEMPLATE_PLAIN,
	TEMPLATE_URL, /* percent-encoded, "/" too */
	TEMPLATE_JSON /* as inside of a JSON string */
};

/* Append the value of a place, plain.  -1: there is none, or no room. */
typedef int template_fn(void *ctx, const struct template_place *p,
    struct buf *out);

/* Append text with the values in their places; -1 at out's ceiling or where
 * value said so. */
int template_fill(const char *text, enum template_encoding encoding,
    template_fn *value, void *ctx, struct buf *out);

#endif /* BASE_TEMPLATE_H */
