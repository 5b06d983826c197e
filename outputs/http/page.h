/*
 * page.h - web pages, where the answer of a machine is expected: what a
 * firewall, a proxy or a login sends in the receiver's stead.
 */
#ifndef OUTPUTS_HTTP_PAGE_H
#define OUTPUTS_HTTP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"

/* Longest title that is quoted, with its NUL. */
#define PAGE_TITLE 128

/* If body is gzip, though no header says so, append to out what comes out of
 * it, as far as it is whole and there is room, and return true.  Hostile
 * input. */
bool page_unpack(struct slice body, struct buf *out);

/*
 * Bring the body of an answer into text, in UTF-8 where it tells its encoding
 * and without a byte order mark: unpacked where it is gzip, though no header
 * says so, out of UTF-16, without the white space around it.  Hostile input; no
 * more than text's ceiling.
 */
void page_text(struct slice body, struct buf *text);

/*
 * Is such a text, which came with that Content-Type ("": none), a web page?  By
 * what it begins with, by "<html" anywhere in what is no JSON object or array,
 * or because it is said to be one, or a script or picture of one, and is no
 * JSON, either.  Nothing at all is
 * no page.  cut: more followed.
 */
bool page_is(struct slice text, const char *type, bool cut);

/* What the page calls itself, with its entities decoded, on one line, without
 * control characters, cut; "" where it has no title. */
void page_title(struct slice text, char out[PAGE_TITLE]);

#endif /* OUTPUTS_HTTP_PAGE_H */
