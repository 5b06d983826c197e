/*
 * reading.h - one reading of pages under way: what the files share that take
 * rows (take.c), ask for pages (read.c) and bring what rows lead to (fetch.c).
 */
#ifndef SOURCES_REST_READING_H
#define SOURCES_REST_READING_H

#include "base/splitter.h"
#include "sources/rest/decode.h"
#include "sources/rest/rest_private.h"

struct digest;

/* Most of a page that is read whole. */
#define READING_WHOLE ((size_t)64 * 1024 * 1024)

struct reading {
	struct worker *w;
	struct stream *st;
	struct rest_stream *rs;
	struct rest_values values;
	struct splitter_spec spec;
	struct splitter *splitter;
	/* Of pages that are read whole: their bytes, and the splitter of one
	 * event; NULL: they stream. */
	struct splitter *event;
	struct splitter_spec event_spec;
	struct buf whole;
	struct buf columns; /* see struct decode */
	struct buf inside;  /* text of the event at hand */
	/* Of rows that lead to something: what it is, NUL behind each, and the
	 * hashes of the rows. */
	struct buf leads;
	uint64_t *row_hashes;
	size_t n_leads;
	const char *object;  /* that the events at hand are of; NULL: none */
	int64_t oldest;      /* row of the page */
	int64_t restart;     /* that a lost cursor names; INT64_MIN: none */
	size_t pages_in_all; /* PAGE_INDEX */
	struct write_batch *batch;
	struct rest_rows *equal; /* NULL: rows have ids */
	struct digest *digest;
	struct buf id;      /* of the row at hand, where it has parts */
	struct buf last_id; /* of the last row of the page */
	size_t rows;        /* of the page */
	size_t pages;
	size_t all;    /* rows of all pages */
	size_t empty;  /* pages without rows, one behind the other */
	size_t fresh;  /* events that were new */
	int64_t date;  /* the server's time when it began */
	int64_t total; /* rows of all pages by the vendor's count; -1: none */
	int64_t newest;
	int64_t latest;  /* most that a new event was late */
	int64_t covered; /* see write_batch_measure() */
	/* Hashes of elements that can be no event; those of what is not durable
	 * yet are told again. */
	uint64_t odd[REST_ODD];
	bool stuck;  /* an event is not in the batch, which is no fault of
			its text */
	bool keeps;  /* where a page leads is to be durable */
	bool trying; /* nothing is kept */
	bool behind; /* of a stream without end: there is more */
};

/* A reading of a stream, which belongs to st, and its end. */
void reading_open(struct reading *g, struct worker *w, struct stream *st,
    struct rest_stream *rs);
void reading_close(struct reading *g);

/* Read all pages from first on; endless: see struct pages. */
enum reply_class reading_pages(struct reading *g, const char *first,
    bool endless, struct outcome *r);

/* How late an event is can be said where it could have been seen before: up to
 * the time that was listed, and behind that where the last poll is not long
 * ago. */
int64_t reading_covered(const struct source *s, int64_t listed);

/* Up to when what is read can be: the end of its window, or the server's time
 * when it began. */
int64_t reading_until(const struct reading *g);

/* The time of the newest event, which cannot be newer than now, whatever it
 * says; INT64_MIN: none has one. */
int64_t reading_newest(const struct reading *g);

/* So many pages of a stream without end are read in one go. */
#define READING_PAGES 200

/* A page of a cursor of the vendor's own, or a batch of an iterator, is read:
 * it is durable with where the stream is then.  next, where it leads, is
 * emptied where the stream has caught up; of an iterator it is filled where it
 * has not. Returns r->class. */
struct rest_page;
enum reply_class reading_end_token(struct reading *g, const struct rest_page *p,
    struct buf *next, struct outcome *r);
enum reply_class reading_end_batch(struct reading *g, const struct rest_page *p,
    struct buf *next, struct outcome *r);

/* All pages of the window are read: note whether so many rows came as the
 * vendor counts, to be committed with the last of them. */
void rest_total_attest(struct reading *g);

/* Does the page itself say that more follows? */
bool reading_says_more(const struct rest_page *p);

/* Commit what there is, with where the stream is then. */
enum reply_class reading_commit_cursor(struct reading *g, struct outcome *r);

/* Commit what there is. */
int reading_commit(struct reading *g, struct err *err);

/* splitter_fn: one row; and one event, which rows are where there is no
 * fetch. */
int reading_row(void *ctx, const struct element *el, struct err *err);
int reading_event(struct reading *g, const struct element *el, struct err *err);

/* One document of a reply that is decoded, through its splitter, which gives
 * its events to one of those.  0; 1: it is no JSON, as err says; -1. */
int reading_decoded(struct reading *g, struct splitter *s, struct slice event,
    struct err *err);

/* Decode body.  One that ends within a row may be cut off: the rows in front of
 * that are committed, and it is asked for again; when the same text comes once
 * more it is taken as it is.  0; -1: see decode(), or it is to be asked for
 * again. */
int reading_decode(struct reading *g, struct decode *d, const struct buf *body,
    decode_fn *fn, void *ctx, struct err *err);

/* http_take_fn: the next bytes of a page, which goes on being read whole where
 * its form or what is wanted of it asks for that. */
int reading_bytes(void *ctx, const char *data, size_t len, struct err *err);

/* The page is whole: take the rows of one that was read so.  -1: it is not what
 * it should be. */
int reading_end(struct reading *g, struct err *err);

/* Does an error stand beside the events of a reply, which s has split (format
 * RECORDS_JSON, with n values) or whole has?  Then r says so, and what there is
 * of events is committed: a repeat is recognised, and the rest is to be asked
 * for. */
bool reading_failed(struct reading *g, const struct splitter *s, size_t n,
    const struct buf *whole, const struct http_reply *reply, struct outcome *r);

/* Bring what the rows of the page lead to.  Returns r->class. */
enum reply_class reading_fetch(struct reading *g, struct outcome *r);

#endif /* SOURCES_REST_READING_H */
