/*
 * page.h - the status page: one HTML document that needs nothing else.
 *
 * Everything that is not ours is escaped: names and errors may be the
 * vendor's.  The browser is told to run and load nothing but what stands in
 * the page (page_policy()).
 */
#ifndef WATCH_PAGE_H
#define WATCH_PAGE_H

#include <stdbool.h>

struct buf;
struct history;
struct status;
struct verdict;

/* Append the page.  no_store: the status could not be read, only the verdict
 * says something.  -1 at out's ceiling. */
int page_write(const struct status *st, const struct verdict *v,
    const struct history *h, bool no_store, struct buf *out);

/* The Content-Security-Policy of the page; made once, never freed. */
const char *page_policy(void);

#endif /* WATCH_PAGE_H */
