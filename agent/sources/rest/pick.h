/*
 * pick.h - one value out of a JSON text, by its pointer, without a tree.
 */
#ifndef SOURCES_REST_PICK_H
#define SOURCES_REST_PICK_H

#include <stdbool.h>

#include "base/text.h"

/*
 * The value in json (one element as the splitter gives it) at pointer (RFC
 * 6901, keys and indexes): the text between the quotes with its escapes as they
 * came, the token of a number or literal; of an object or array all of it.
 * data NULL: there is none, or it is null.  Borrowed from json.  Keys are
 * compared as they are spelled; the first one counts where a key repeats.  Any
 * bytes are safe.
 */
struct slice pick(struct slice json, const char *pointer);

/* The same with the quotes of a string, and null as it is; data NULL: there is
 * none. */
struct slice pick_raw(struct slice json, const char *pointer);

/* Is json one object or array, as far as brackets and quotes say? */
bool pick_whole(struct slice json);

/* Call fn for each member of the object, or element of the array, with its
 * value as it stands; key.data is NULL in an array.  How many there were, 0 for
 * anything else; fn ends it with something other than 0. */
typedef int pick_fn(void *ctx, struct slice key, struct slice value);
size_t pick_each(struct slice json, pick_fn *fn, void *ctx);

#endif /* SOURCES_REST_PICK_H */
