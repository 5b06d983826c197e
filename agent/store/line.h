/*
 * line.h - the one form in which events travel and are kept: NDJSON lines.
 *
 *   {"feed":"contoso/Audit.Exchange","index":42,"agent":"fra1","event":{…}}
 *   {"feed":"contoso/Audit.Exchange","size":43,"agent":"fra1","checkpoint":{…}}
 *
 *   {"feed":"contoso/Audit.Exchange","index":7,"agent":"fra1",
 *    "via":"backfill","event":{…}}
 *
 * (on one line) for what did not come by the feed's own polls (via.h).  Neither
 * agent nor via is signed: they say where to look, not what happened.
 *
 * agent says whose feed it is, where several agents have feeds of one name; it
 * is missing in lines of 0.1.  The value of "event" is the vendor's bytes.  The
 * store keeps batches so, the file output and `sealfeed export` write it so,
 * HTTP posts it so, verify reads it so.  The form is fixed: no white space,
 * keys in this order.
 *
 * A checkpoint's value, made by seal:
 *
 *   {"note":"<C2SP signed note>","from":40,"before":["<base64>",…],
 *    "after":["<base64>",…],"check":"<base64>"}
 *
 * Behind "after" there may be "keys", for readers that trust an earlier key of
 * the agent (evidence/rotation.h).
 *
 * from: size of the tree before; before, after: the peaks, left to right;
 * check: the first four bytes of the leaf hash of each event in [from, size),
 * a hint that lets verify name an altered event; it is not evidence, comes
 * last and may be left out where a destination's limit asks for it.
 */
#ifndef STORE_LINE_H
#define STORE_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct buf;

enum line_kind { LINE_EVENT, LINE_CHECKPOINT };

struct line {
	enum line_kind kind;
	struct slice feed;
	uint64_t number;    /* index of the event, size of the checkpoint */
	struct slice agent; /* data NULL: none */
	struct slice via;   /* likewise */
	struct slice value; /* the event's bytes, the checkpoint's object */
};

/* Whose line it is: neither needs escaping, configuration admits only
 * [A-Za-z0-9._-] and '/'.  agent "", via NULL: leave it out. */
struct line_name {
	const char *agent;
	const char *feed;
	const char *via;
};

/* Append the line for one value with its LF; -1 at b's ceiling. */
int line_add(struct buf *b, enum line_kind kind, struct line_name name,
    uint64_t number, const char *value, size_t len);

/* Take a line (without its LF) apart; slices point into it.  -1: not one. */
int line_parse(const char *s, size_t len, struct line *line);

/* The same of a line that ends somewhere inside of its value. */
int line_parse_cut(const char *s, size_t len, struct line *line);

#endif /* STORE_LINE_H */
