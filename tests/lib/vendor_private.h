/*
 * vendor_private.h - what the files of the scripted vendor share.
 */
#ifndef TESTS_LIB_VENDOR_PRIVATE_H
#define TESTS_LIB_VENDOR_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/when.h"
#include "tests/lib/vendor.h"

struct event {
	int64_t when;
	char *text;
	char *row;  /* what a list has of it; NULL: the text */
	char *key;  /* what it is fetched by; NULL: it is not */
	char *file; /* what comes then; NULL: the text */
};

/* A page token: what it is about, and where it goes on. */
struct position {
	unsigned generation;
	int64_t from, to;
	size_t at;
};

/* A reader's place: behind the batch that it was told last. */
struct reader {
	char name[64];
	struct position last, next;
};
#define READERS_MAX 64

struct vendor {
	struct MHD_Daemon *daemon;
	struct node *script;
	pthread_mutex_t lock;
	char url[64];
	bool newest, token, iterates;
	struct reader readers[READERS_MAX]; /* of an iterator */
	size_t n_readers;
	size_t per;
	enum when_format format;
	struct event *events;
	size_t n;
	unsigned generation; /* of page tokens that are good */
	unsigned granted;    /* access tokens so far, … */
	unsigned good;       /* … and the first of them that still is, … */
	unsigned used;       /* … and the last that was */
	unsigned requests;
	char *complaint;
	enum vendor_fault fault;
	unsigned after, count;
	enum vendor_manner manner;
	unsigned shifts; /* rows that came in so, of the page walk at hand */
	struct position job; /* the window of the last one, … */
	unsigned jobs, polls; /* … its number, and how often it was asked for */
};

/* What page tokens begin with. */
#define VENDOR_TOKEN 'p'

/* A request under way. */
struct asked {
	struct vendor *v;
	struct MHD_Connection *conn;
	const char *method;
	const char *path;
	struct buf body;
	/* What its places say, NULL: nothing. */
	char *start, *end, *page, *number, *token, *any, *ids, *job, *iterator,
	    *refresh;
	bool further; /* not the first page */
	bool again;   /* the last batch of an iterator */
};

void vendor_die(const char *why);

/* vendor_add() where the lock is held. */
void vendor_add_event(struct vendor *v, const char *id, int64_t when,
    unsigned n);

/* The time in a request's place, whose format the script has at a path, or
 * otherwise; INT64_MIN: it is none.  The end of a window. */
int64_t vendor_time(const struct vendor *v, const char *text,
    const char *format, int64_t otherwise);
int64_t vendor_end(const struct vendor *v, const char *text);

struct place {
	const char *name;
	const char *value;
};

/* Answer: with a body, whose headers have places; as { status, headers, body }
 * of the script says; with its error of that name; with a page. */
int vendor_answer(struct asked *a, unsigned status, const struct node *headers,
    const char *body, size_t len, const struct place *places);
int vendor_answer_as(struct asked *a, const struct node *e, unsigned otherwise);
int vendor_answer_error(struct asked *a, const char *name, unsigned otherwise);
int vendor_answer_page(struct asked *a, enum vendor_fault fault);

/* The scalar at a path, or otherwise. */
const char *vendor_text(const struct node *map, const char *path,
    const char *otherwise);

/* Keep what was wrong first. */
void vendor_complain(struct vendor *v, const char *what, const char *got);

/* Append text with each "<name>" replaced; ended by a NULL name. */
void vendor_put(struct buf *out, const char *text, const struct place *places);

/* Is the request as "request" or "next" say it must be?  If not, that is
 * complained about.  Its places are read. */
bool vendor_right(struct asked *a);

/* Likewise as a block says that has its own path; false: it is not about that
 * path, which is no complaint. */
bool vendor_is(struct asked *a, const struct node *how);

/* Is it of that block, by method and path?  Complains of all else that is not
 * right. */
bool vendor_is_of_job(struct asked *a, const struct node *how);

/* What is fetched by the ids of a request that the block fetch is about; false:
 * it is not. */
bool vendor_fetched(struct asked *a, struct buf *files);

/* Forget what the places say. */
void vendor_forget(struct asked *a);

#endif /* TESTS_LIB_VENDOR_PRIVATE_H */
