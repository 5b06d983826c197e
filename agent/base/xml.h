/*
 * xml.h - the XML of a reply, read strictly, one piece after another.
 *
 * What services send is elements, text and attributes that nobody needs.  That
 * is all that is read: a document type, an entity of its own or a processing
 * instruction is an error, so that a reply can neither grow nor lead elsewhere.
 */
#ifndef BASE_XML_H
#define BASE_XML_H

#include <stddef.h>

#include "base/text.h"

struct buf;

/* Elements nested deeper, and longer paths of names, are an error. */
#define XML_DEPTH 16
#define XML_PATH 256

struct xml {
	/* Of the piece that was read: names from the root down, "A/B/C", and
	 * for XML_TEXT the text of an element without children, with its
	 * references replaced; it may have been white space alone, which is "".
	 * Terminated, and no NUL is in it. */
	char path[XML_PATH];
	const char *text;
	size_t len;
	/* The reader's own. */
	const char *at;
	const char *end;
	struct buf *decoded;
	size_t names[XML_DEPTH]; /* where each begins in path */
	size_t depth;
	int state;
};

enum xml_piece {
	XML_OPEN, /* path has begun */
	XML_TEXT, /* … and ends with that text, behind its XML_OPEN */
	XML_SHUT, /* … and ends, with children */
	XML_END,  /* the document is whole */
	XML_BAD   /* it is not what it should be */
};

/* Read a document.  data is borrowed, and so is decoded, which is for texts
 * with references in them and has a ceiling of its own. */
void xml_begin(struct xml *x, const char *data, size_t len,
    struct buf *decoded);
enum xml_piece xml_next(struct xml *x);

/* The text at a path, appended to out: of the first element there is.  0, or
 * -1: there is none, the document is no XML as a whole, or out is full. */
int xml_find(const char *data, size_t len, const char *path, struct buf *out);

#endif /* BASE_XML_H */
