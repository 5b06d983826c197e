/*
 * frame.h - what one line of an export says: sealfeed's own NDJSON
 * (store/line.h), or an RFC 5424 frame with the structured data that the
 * syslog output writes, as syslog servers keep it.
 *
 *   …[sealfeed@32473 feed="contoso/Audit.Exchange" index="42"]… MSG
 *
 * Whatever a server put in front is passed over: the first SD-ELEMENT whose
 * SD-ID begins "sealfeed@" decides.  Its parameters may stand in any order,
 * other elements on either side.  The value is MSG without the space in front,
 * without a byte order mark (RFC 5424 section 6.4), without a CR at the end
 * (no event ends in one).
 */
#ifndef VERIFY_FRAME_H
#define VERIFY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct parts;

/* A split event has no more parts than this. */
#define FRAME_PARTS 4096

/* A feed's name is no longer. */
#define FRAME_FEED 255

enum frame_kind {
	FRAME_NOTHING, /* carries nothing of sealfeed */
	FRAME_BROKEN,  /* begins like a line of sealfeed, but is none */
	FRAME_EVENT,
	FRAME_CHECKPOINT
};

struct frame {
	enum frame_kind kind;
	struct slice feed;  /* [A-Za-z0-9._/~-], at most FRAME_FEED bytes */
	uint64_t number;    /* index of the event, size of the checkpoint */
	struct slice value; /* borrowed from the line */
	struct slice agent; /* that the line names; empty: none */
	/* The HOSTNAME of a syslog header, as far as receivers leave it alone;
	 * empty: none. */
	struct slice host;
	/* Another reading of value, e.g. what a string stands for; data NULL:
	 * none. */
	struct slice other;
	bool wrapped;  /* value is an envelope: wrapped_value() */
	bool cut;      /* a line that ends inside of its value */
	bool parsed;   /* value is what a parser wrote anew, most likely */
	unsigned part; /* from 1; 0: whole */
	unsigned parts;
	bool syslog; /* a server may have escaped control characters */
};

/* Take a line (without its LF) apart.  Hostile input; slices point into
 * line.  the rest of
 * frame is set only for the last two kinds. */
enum frame_kind frame_parse(const char *line, size_t len, struct frame *frame);

/*
 * Undo what rsyslog does to control characters on receipt ("#011" for a tab,
 * parser.escapeControlCharactersOnReceive).  In JSON they stand only outside
 * strings and "#" only inside, so outside strings it is certain; everywhere:
 * undo it inside strings, too, for events that are not JSON.  Writes at most
 * len bytes to out; returns how many, len when nothing was escaped.
 */
size_t frame_unescape(const char *s, size_t len, bool everywhere, char *out);

/* Whether a feed's name is good; read a number of decimal digits, at most max
 * (-1: it is none). */
bool frame_feed_is_good(struct slice feed);
int frame_number(struct slice s, uint64_t max, uint64_t *number);

/*
 * Write JSON with other white space between its values: none, or (spaced) one
 * space behind each colon and comma outside strings.  Writes at most 2 * len
 * bytes to out; returns how many.
 */
size_t frame_respace(const char *s, size_t len, bool spaced, char *out);

struct parts *parts_new(void);
void parts_free(struct parts *p);

/* Takes a whole event or checkpoint, its place that of the part which
 * completed it. */
typedef void parts_fn(void *ctx, const struct frame *whole, uint64_t place);

/*
 * Add one part (copied).  When it is the last one that was missing, fn gets
 * the whole; where a part came with different bytes, fn gets each combination
 * (some), for the tree to decide.  Returns 0, or -1 when more is incomplete
 * than is held; the part is left out then.
 */
int parts_add(struct parts *p, const struct frame *f, uint64_t place,
    parts_fn *fn, void *ctx);

/* What is still incomplete: fn gets the frame of the first part seen, its
 * value empty, part saying how many of them are there. */
void parts_left(const struct parts *p, parts_fn *fn, void *ctx);

#endif /* VERIFY_FRAME_H */
