/*
 * pages.h - from the first page of a list to its last, whatever a page tells
 * of the next one: a URL, or a cursor or number that goes into a request.
 *
 * Pages of a hostile or broken vendor end, too: so many of them are followed,
 * and a link that comes again is an error.
 */
#ifndef SOURCES_COMMON_PAGES_H
#define SOURCES_COMMON_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "http/rules.h"

struct buf;
struct stream;
struct worker;

/* A link may have so many bytes. */
#define PAGES_LINK_MAX (128 * 1024)

/* One page: what was asked for, what came of it. */
struct page {
	const char *link; /* as first, or next of the page before */
	struct buf *next; /* to be filled; empty: this is the last one */
	size_t rows;      /* to be set: so many came */
};

struct pages {
	/* Ask for one page and take its rows; what was taken stays taken when
	 * it fails.  Returns r->class. */
	enum reply_class (*get)(void *ctx, struct page *p, struct outcome *r);
	void *ctx;
	const char *what;      /* for messages: "the content list" */
	const char *next_name; /* likewise: "NextPageUri" */
	/* A list without end: a page without rows that leads to itself means
	 * that all there is has been read. */
	bool endless;
	/* The first link is the vendor's, too: where that is lost, the list
	 * cannot begin anew with it. */
	bool once;
};

/*
 * Get all pages from first on.  One that fails is asked for again, a number of
 * times; a list whose link the vendor has lost (REPLY_CURSOR) begins anew, a
 * number of times.  Trouble that is tried again at once goes to st's source.
 */
enum reply_class pages_follow(struct worker *w, struct stream *st,
    const struct pages *pages, const char *first, struct outcome *r);

/* Append what a JSON token (splitter_value()) says of the next page: a string
 * or number as text.  Nothing for none, null, false and "", which all say that
 * there is no next page.  -1: something else, or too long. */
int pages_token(struct slice token, struct buf *out);

#endif /* SOURCES_COMMON_PAGES_H */
