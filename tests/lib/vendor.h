/*
 * vendor.h - a vendor's API after a script: what it must be asked, and what it
 * has to tell.
 *
 * A script is a YAML file:
 *
 *   source:   options that a source needs
 *   hosts:    hosts of the definition that are this vendor; default: api
 *   cursor:   token (events in the order in which they were added), iterator
 *             (the same, and the vendor keeps the place) or window
 *   order:    newest or oldest first, of a window
 *   per:      rows of a page; default: 3
 *   pages:    token (what it gives itself), number, index (from 0), offset,
 *             last_id, or none
 *   exclusive: start, end or both: a window lacks what is at these bounds
 *   twins:    true where equal rows are several events
 *   token:    { path, method, headers, query, body or form, status, reply } of
 *             the request that grants an access token; without it there is none
 *   also:     a list of { path, method, headers, query, body, reply, replied },
 *             other requests that must be answered; replied: headers
 *   request:  { method, path, query, headers, body }, exactly so
 *             each of these may have claims: a map of what the JWT at <any>
 *             says beside its own name and times
 *   next:     { method, path, query, body } of further pages
 *   resend:   the same of the last batch of an iterator, once more
 *   job:      { submit, submitted, poll, running, done } of work that comes
 *             before a page: submit and poll are requests, of which the first
 *             has the window; the others what they are answered with, running
 *             to the first poll: { status, headers, body }
 *   start:    the format of a request's times
 *   lag:      seconds by which windows end before now
 *   row:      an event; time: the format of its time
 *   cells:    what a page has of it instead; between: rows, default: a comma
 *   inside:   a row that has the event as a string, <text>
 *   fetch:    { path, method, body, row, key, file, between, reply } where a
 *             page has rows that events are fetched by: row is that of a page,
 *             key what a request has at <ids>, file what comes for one of them
 *             (default: the event), reply with <rows>
 *   reply:    the body of a page, last: that of the last one, empty: that of
 *             the last one without rows, further: that of those behind the
 *             first, and what is above does not count; headers
 *   full:     rows of a page where a test has changed the definition's "size"
 *             to as many (vendor_full)
 *   throttled, failed, lost, denied: { status, headers, body }
 *   streams:  of each stream by its name, what is otherwise than above
 *
 * A query or form is a map, or a list of maps with one key each.  Texts have
 * <start>, <end>, <page>, <number>, <token>, <refresh>, <iterator> and <any>
 * where a request says so; <rows>, <next>, <url>, <path> (that of the URL),
 * <link> (the path as JSON, null behind the last page), <parts> ("{},{}", one
 * each page) and <more> where a reply does; <token> and <refresh> where a grant
 * does; <job> in the path of a request and the answer to submit; <id>, <time>
 * and <n> in a row.  What a request has more or less than the script says is a
 * complaint, and refused.
 */
#ifndef TESTS_LIB_VENDOR_H
#define TESTS_LIB_VENDOR_H

#include <stddef.h>
#include <stdint.h>

struct node;
struct vendor;

/* Of a stream of the script, which are so many.  Dies when the script cannot be
 * used.  port 0: any. */
size_t vendor_streams(const char *path);
struct vendor *vendor_start(const char *path, size_t stream, int port);
void vendor_stop(struct vendor *v);

const char *vendor_url(const struct vendor *v);

/* What the script says of the stream, whose name is "stream". */
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

/* From now on a page has so many rows. */
void vendor_full(struct vendor *v, size_t rows);

/* How it behaves until it is told otherwise, which is no failure. */
enum vendor_manner {
	VENDOR_PLAIN,
	VENDOR_SHORT, /* pages have fewer rows than they might */
	VENDOR_EMPTY, /* now and then one has none, and leads on */
	VENDOR_TWICE, /* one begins with the last row of the one before */
	VENDOR_SHIFT  /* rows come in among those that were told */
};
void vendor_behave(struct vendor *v, enum vendor_manner manner);

/* Requests so far, and what was wrong with the first that was, NULL: none. */
unsigned vendor_requests(struct vendor *v);
const char *vendor_complaint(struct vendor *v);

#endif /* TESTS_LIB_VENDOR_H */
