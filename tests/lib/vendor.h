/*
 * vendor.h - a vendor's API after a script: what it must be asked, and what it
 * has to tell.
 *
 * A script is a YAML file:
 *
 *   source:   options that a source needs
 *   stream:   name of the stream
 *   cursor:   token (events in the order in which they were added) or window
 *   order:    newest or oldest first, of a window
 *   per:      rows of a page
 *   pages:    token (what it gives itself), number, offset or last_id
 *   exclusive: true where a window lacks what is at its bounds
 *   twins:    true where equal rows are several events
 *   token:    path at which an access token is granted; without it there is
 *             none
 *   request:  { method, path, headers, query, body }, exactly so
 *   next:     { query, body } of further pages
 *   row:      an event; time: the format of its time
 *   reply:    the body of a page, last: that of the last one, headers
 *   throttled, failed, lost, denied: { status, headers, body }
 *
 * Texts have <start>, <end>, <page> and <number> where a request says so,
 * <rows>, <next>, <url> and <more> where a reply does, <id>, <time> and <n> in
 * a row.  What a request has more or less than the script says is a complaint,
 * and refused.
 */
#ifndef TESTS_LIB_VENDOR_H
#define TESTS_LIB_VENDOR_H

#include <stddef.h>
#include <stdint.h>

struct node;
struct vendor;

/* Dies when the script cannot be used.  port 0: any. */
struct vendor *vendor_start(const char *script, int port);
void vendor_stop(struct vendor *v);

const char *vendor_url(const struct vendor *v);
const struct node *vendor_script(const struct vendor *v);

/* From now on there is an event of that id and time; n tells its versions
 * apart. */
void vendor_add(struct vendor *v, const char *id, int64_t when, unsigned n);

/* What it has: n texts, borrowed until the next vendor_add(). */
size_t vendor_count(struct vendor *v);
const char *vendor_event(struct vendor *v, size_t i);

/* Behind after more requests the next count of them fail so. */
enum vendor_fault {
	VENDOR_NONE,
	VENDOR_THROTTLED,
	VENDOR_FAILED,
	VENDOR_LOST,   /* all page tokens, and a cursor, are refused once */
	VENDOR_DENIED, /* the access token is */
	VENDOR_BROKEN, /* the body ends in the middle */
	VENDOR_PAGE,   /* a page of HTML under status 200 */
	VENDOR_FOREIGN /* the next link leads to another host */
};
void vendor_fail(struct vendor *v, enum vendor_fault fault, unsigned after,
    unsigned count);

/* Requests so far, and what was wrong with the first that was, NULL: none. */
unsigned vendor_requests(struct vendor *v);
const char *vendor_complaint(struct vendor *v);

#endif /* TESTS_LIB_VENDOR_H */
