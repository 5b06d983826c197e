/*
 * events.h - the reply that has a listed item becomes events in the store.
 *
 * It streams through the splitter, whatever its length, and is committed bit
 * by bit; a fetch that breaks off continues behind what is committed, after
 * checking that the reply still begins with the same events.  An event that is
 * too long for memory, or no JSON that fits on a line, becomes a gap of its
 * own with as much of its bytes as fits there; the others go on.
 */
#ifndef SOURCES_COMMON_EVENTS_H
#define SOURCES_COMMON_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/splitter.h"
#include "http/rules.h"

struct api;
struct write_batch;
struct item;
struct request;
struct stream;
struct worker;

/* Longest event that is held in memory.  Documented ones end far below a
 * megabyte. */
#define EVENT_MAX (16 * 1024 * 1024)

/* What a vendor's replies look like. */
enum event_frame {
	FRAME_JSON,  /* a document, see splitter.h */
	FRAME_LINES, /* lines of JSON, see lines.h … */
	FRAME_TEXT   /* … or of text */
};

struct event_format {
	enum event_frame frame;
	struct splitter_spec
	    splitter;     /* max: EVENT_MAX, pass_longer, repairs */
	const char *what; /* the vendor's name for an item: "blob" */
	/* An event without an id has the item's key and its number in it for
	 * one: equal ones of an item are several. */
	bool numbered;
	/* Sees all bytes of the reply, which begins anew with NULL; NULL:
	 * nobody does. */
	void (*see)(void *ctx, const char *data, size_t len);
	/* Sees the time of each event of the reply, INT64_MIN where it has
	 * none, repeats too; NULL: nobody does. */
	void (*count)(void *ctx, int64_t when);
	void *ctx; /* of both */
};

/* Bring an item, for source_type.fetch: q asks for it, but for take and ctx,
 * which are set here. */
void events_fetch(struct worker *w, struct stream *st, const struct item *it,
    const struct event_format *format, const struct api *api,
    const struct request *q, struct outcome *r);

/* An element of a reply that can be no event. */
struct lost_event {
	const char *what; /* of which reply, for messages: "blob" */
	uint64_t n;       /* its number there, from 0 */
	int64_t item;     /* the ledger's item, 0: none, … */
	const char *key;  /* … and its key, or "" */
	int64_t from;     /* when it may have happened */
	int64_t to;
	bool quiet; /* not to be told by the log, too */
};

/* Make a gap of one, with as much of its bytes as fits there, durable with p.
 */
void events_lose(struct write_batch *p, struct stream *st,
    const struct lost_event *l, const struct element *el);

#endif /* SOURCES_COMMON_EVENTS_H */
