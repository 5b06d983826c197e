/*
 * framer.h - RFC 5424 messages in octet-counted frames (RFC 5425 section 4.3,
 * RFC 6587 section 3.4.1), or with a line feed behind each (RFC 6587 section
 * 3.4.2).
 *
 *   LEN <PRI>1 TIME HOST APP - MSGID [sealfeed@N feed="…" index="…"] MSG
 *
 * with via="backfill" behind index where an event came another way (via.h).
 * MSG is the event's bytes, without a byte order mark in front, or what another
 * format makes of them (outputs/format.h), which the parameter format then
 * names.  The hot path
 * of the syslog output: what is the same for all lines of a feed is made
 * once.
 */
#ifndef OUTPUTS_SYSLOG_FRAMER_H
#define OUTPUTS_SYSLOG_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct chunk_line;
struct format;

struct framer;

struct framer_spec {
	const char *host; /* HOSTNAME: the agent's name */
	const char *app;
	unsigned priority; /* facility * 8 + severity */
	uint64_t enterprise;
	size_t max; /* bytes of a message, header included */
	bool split; /* larger ones into parts */
	bool lf;    /* a line feed behind each message, and no length */
	bool gelf;  /* GELF (outputs/gelf.h), a NUL behind each message */
	/* RELP (outputs/relp.c) instead of a length or line feed: borrowed, the
	 * number of the last transaction; each message is one.  NULL: not. */
	uint32_t *transaction;
	struct format *format; /* borrowed; NULL: raw */
	const char *format_name;
};

/* spec's strings are copied. */
struct framer *framer_new(const struct framer_spec *spec);
void framer_free(struct framer *f);

enum framed {
	FRAME_ADDED,
	FRAME_LARGE, /* larger than most; *size says how large */
	FRAME_MEMORY /* out's ceiling */
};

/*
 * Append the frame or frames of line to out, or nothing.  A checkpoint that
 * is too large goes without its "check", and in parts when it still is.
 */
enum framed frame_add(struct framer *f, const struct chunk_line *line,
    struct buf *out, size_t *size);

#endif /* OUTPUTS_SYSLOG_FRAMER_H */
