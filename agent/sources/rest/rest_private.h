/*
 * rest_private.h - what the files of the engine share.
 */
#ifndef SOURCES_REST_REST_PRIVATE_H
#define SOURCES_REST_REST_PRIVATE_H

#include "base/buf.h"
#include "sources/common/request.h"
#include "sources/common/window.h"
#include "sources/rest/definition.h"
#include "sources/source.h"
#include "store/write_batch.h"

/* A value of the configuration: text of a variable or host, or the index of a
 * choice. */
union rest_value {
	char *text;
	int choice;
};

/* Options of a source; values has those of the definition's variables, then
 * the URLs instead of its hosts'. */
/* Of streams that can be asked by time beside their cursor (reconcile.c). */
struct rest_reconcile {
	int64_t every; /* 0: off */
	int64_t settle;
	int64_t span;
};
extern const struct setting rest_reconcile_settings[];
extern const struct audit_calls rest_audit;

struct rest_conf {
	const struct definition *def; /* set before the options are read */
	char **streams;
	int64_t interval;
	int64_t initial;
	int64_t overlap;   /* 0: each stream's own */
	int64_t retention; /* 0: likewise */
	int64_t dedupe;
	int64_t retry_after_max;
	struct rest_reconcile reconcile;
	struct http_conf http;
	union rest_value values[];
};

/* Text of a variable as it is configured, NULL: unset. */
const char *rest_variable(const struct rest_conf *c, size_t variable);

/* Append the base URL of a host, the vendor's or the one that is configured in
 * its place; -1: too long. */
int rest_vendor_host(const struct rest_conf *c, size_t host, struct buf *out);
int rest_host(const struct rest_conf *c, size_t host, struct buf *out);

/* How long the vendor keeps a stream's events: as the definition says, or less
 * where the option does. */
int64_t rest_retention(const struct rest_conf *c, const struct def_stream *s);

/* The way to show credentials that this source has, NULL: none is whole. */
const struct def_auth *rest_auth(const struct rest_conf *c);

/* The options that it is made of, "client_id, private_key and key_id"; NULL:
 * none. */
char *rest_auth_options(const struct rest_conf *c, const struct def_auth *a);

/* Of source_type. */
char *rest_credential(const void *conf);

/* Of config_type. */
const struct event_shape *rest_shape(const void *conf, const char *stream);
void rest_check(const void *conf, const struct config_section *b);

/* The calls of every type that is made of a definition. */
extern const struct source_type rest_calls;

/* State of a source. */
struct rest {
	const struct rest_conf *conf;
	const struct definition *def;
	struct auth *auth;
	struct auth *no_auth; /* shows nothing */
	char **base;          /* URL of each host */
	char **own;           /* what the vendor calls it */
	char **option;        /* "hosts.api" */
	struct api *api;      /* of each stream, in the definition's order */
};

/* Open o->auth, after o->base.  -1: a text with its values is too long. */
int rest_open_auth(struct rest *o, const struct source *s,
    const struct def_auth *a, struct err *err);

/* State of a stream; belongs to its poll thread. */
#define REST_ODD 64
#define REST_CUT 64
#define REST_BROUGHT 16384
struct rest_stream {
	const struct def_stream *def;
	const struct api *api;
	/* It reads beside the stream that is polled, whose cursor is not to be
	 * touched; and how much time it asks for at once. */
	bool aside;
	int64_t step;
	struct window_spec spec;
	char sweep_keys[DEF_SWEEPS][32]; /* of spec */
	struct window_state window;
	/* CURSOR_TOKEN: where the vendor's cursor leads, "" at first; of an
	 * iterator, its name. */
	struct buf token;
	int64_t from;      /* … where it began, … */
	int64_t newest;    /* … and the newest event's time since */
	int64_t caught_up; /* when that was last so */
	unsigned vain;     /* how often pages without rows led to nothing */
	/* CURSOR_ITERATOR: its first batch is durable; … */
	bool begun;
	/* … a request has moved it, whose batch is not, as far as is known. */
	bool in_doubt, was_in_doubt;
	int64_t wait_until; /* monotonic: page.wait, 0: none */
	/* CURSOR_WINDOW: a window that is being read, and how its next page
	 * is asked for, "" if none is; since when that is known. */
	struct window part;
	int64_t part_date;
	int64_t part_at;
	struct buf part_page;
	unsigned part_failures; /* in a row */
	uint64_t odd[REST_ODD]; /* hashes of elements that can be no event */
	uint64_t cut[REST_CUT]; /* … and of texts that end within a row */
	/* Hashes of rows whose events have been brought; NULL: none yet. */
	uint64_t *brought;
	/* The job that a window waits for, "" if none, and since when. */
	struct buf job;
	int64_t job_at;
	/* Of a host that comes with the token. */
	char *own_base;
	struct api own_api;
	int64_t odd_told; /* monotonic */
};

/* Values of places in requests. */
struct rest_values {
	const struct rest *rest;
	const struct def_stream *def;
	const struct window *window; /* NULL: none */
	int64_t start;
	const char *page;              /* "": the first */
	const char *ids;               /* {fetch.id}, {fetch.ids}; NULL: none */
	const char *job;               /* likewise */
	const char *iterator;          /* likewise */
	const struct def_request *ask; /* this one; NULL: page says which */
	const char *base;              /* URL of the stream's host */
};

/* What a definition says to the person who sets its vendor up, as lines for
 * struct config_type's before; the caller frees it.  NULL: nothing. */
char *rest_notes(const struct definition *d);

/* A request as it is sent; what it points to is in its buffers. */
struct rest_request {
	struct buf url;
	struct buf body;
	struct http_pair *headers; /* owned, and their values */
	struct request q;
};

/* Make the request of the first page, or where v->page says so of another.
 * page: how the page before leads on.  -1: too long. */
int rest_request_make(const struct rest_values *v, struct rest_request *out);

/* Make one of another kind; records: what is wanted of its reply. */
int rest_request_of(const struct rest_values *v, const struct def_request *r,
    const struct def_records *records, struct rest_request *out);
void rest_request_release(struct rest_request *q);

/* What one page says of the next. */
struct rest_page {
	const struct def_stream *def;
	const struct api *api;
	const struct http_reply *reply;
	const struct splitter *splitter; /* whose values are def->values */
	struct slice whole; /* the page instead; data NULL: it streamed */
	size_t *in_all;     /* PAGE_INDEX: how many pages there are */
	const char *url;    /* that it was asked for with */
	const char *page;   /* v.page of it */
	size_t rows;
	struct slice last_id; /* of its last row */
};

/* The value at def->values[i], as it stands in the page. */
struct slice rest_value(const struct rest_page *p, size_t i);

/* Is the value at m->at the one that it names? */
bool rest_matches(const struct rest_page *p, const struct def_match *m);

/* See that rs knows the host that comes with the access token, if it is such a
 * one.  REPLY_OK, or r says what is wrong with it. */
enum reply_class rest_find_host(struct worker *w, struct rest_stream *rs,
    struct outcome *r);

/* See that the job of a window is done: submit it where there is none, and wait
 * for it.  Returns r->class. */
enum reply_class rest_job(struct worker *w, struct stream *st,
    struct rest_values *v, struct outcome *r);

/* The name of an iterator that is none yet, durable before it is used. */
enum reply_class rest_iterator_name(struct rest_stream *rs, struct stream *st,
    struct outcome *r);

/* Choose the request that brings the next batch.  REPLY_OK, or what a lost one
 * had cannot be told. */
enum reply_class rest_iterator_ask(struct rest_stream *rs, struct stream *st,
    struct rest_values *v, struct outcome *r);

/* Append how the next page is asked for, nothing behind the last one.
 * REPLY_OK, or r says what is wrong with it. */
enum reply_class rest_next(const struct rest_page *p, struct buf *next,
    struct outcome *r);

/* What the page has at a pointer of the stream's; data NULL: nothing. */
struct slice rest_value_at(const struct rest_page *p, const char *pointer);

/* The number at page.total; -1: there is none. */
int64_t rest_total(const struct rest_page *p);

/* The seconds at page.wait, 0: none. */
double rest_wait(const struct rest_page *p);

/* Is there more according to the page itself?  Where it does not say, an
 * empty one is the last. */
bool rest_more(const struct rest_page *p);

/* Read a window, or what is new behind the cursor, page by page, each durable
 * with the place where it leads. */
enum reply_class rest_read_window(struct worker *w, struct stream *st,
    struct window_list *l, struct outcome *r);
enum reply_class rest_read_token(struct worker *w, struct stream *st,
    bool *behind, struct outcome *r);

/* backfill.c, of source_type. */
const char *rest_bounds(const void *conf, const char *stream,
    struct source_bounds *out);
void rest_backfill(struct worker *w, struct stream *st, const struct span *span,
    int64_t *to, struct outcome *r);
void rest_forget(struct stream *st);

/* A new state for a stream, of one that is not kept in the source's list. */
struct rest_stream *rest_stream_new(struct stream *st,
    const struct def_stream *def);
void rest_stream_free(struct rest_stream *rs);

/* Go on with a window that was not finished, if there is one. */
enum reply_class rest_read_part(struct worker *w, struct stream *st,
    struct outcome *r);

/* For check --live: the first page of the last hour, of which nothing is
 * kept. */
enum reply_class rest_try(struct worker *w, const struct def_stream *def,
    size_t *rows, struct outcome *r);

/* The cursor in the store: read it into rs; what cannot be read is as if it
 * were not there.  Or append it. */
void rest_cursor_read(struct rest_stream *rs, const char *json);
int rest_cursor_write(const struct rest_stream *rs, struct buf *out);

/* Let a write batch have it, or make it durable now, with a gap if that is not
 * NULL. */
enum reply_class rest_cursor_put(const struct rest_stream *rs,
    struct write_batch *p, struct outcome *r);
enum reply_class rest_cursor_save(struct rest_stream *rs, struct stream *st,
    const struct gap_row *gap, struct outcome *r);

/*
 * Equal rows of one reading, told apart by a counter: where rows have no id,
 * the same bytes twice are two events, and the same two when they are read
 * again.  moves: rows that come in may move others from page to page, so that
 * equal ones of two pages are one event, unless rest_rows_doubted() says more.
 * Bounded: rest_rows_id() fails for the millionth row and more.
 */
struct rest_rows;
struct rest_rows *rest_rows_new(bool moves);
void rest_rows_free(struct rest_rows *t);
/* A reading begins anew; a page does, what was counted of it is not. */
void rest_rows_reset(struct rest_rows *t);
void rest_rows_undo(struct rest_rows *t);
void rest_rows_keep(struct rest_rows *t); /* the page is good */
/*
 * At the end of a page, before it is kept: is the reading to begin anew?  It is
 * once behind the last page, if some rows came on two pages: where all pages
 * are the same again, nothing has moved, and these rows are several events; and
 * once more at the page where they are not.  Then the next reading of the
 * window, of another poll, finds what this one could not tell apart.
 */
bool rest_rows_doubted(struct rest_rows *t, bool last);
/* Write the id of a row with this leaf hash to out; -1: too many rows. */
#define REST_ROW_ID 80
int rest_rows_id(struct rest_rows *t, const uint8_t leaf[32],
    char out[REST_ROW_ID]);

#endif /* SOURCES_REST_REST_PRIVATE_H */
