/*
 * dialect.h - how a SIEM's HTTP intake wants its requests.
 *
 * The transport (transport.c) owns connections, requests in flight, splitting
 * to limits, gzip, TLS, proxy, credentials, open confirmations and the verdict
 * on a chunk.  It repeats a request that would be blocked before it believes
 * that, and takes no web page for a receipt (receipt.h): no dialect sees one
 * under a 2xx.  A dialect says what a request looks like and what an answer
 * means.  A new one is a file in this folder, with its own
 *
 *   const struct output_type output_NAME = {
 *           .type.name = "NAME",
 *           .type.settings = …, .type.conf_size = …, .type.check = …,
 *           .dialect = &dialect,
 *           HTTP_TRANSPORT,
 *   };
 *
 * a row in OUTPUT_TYPES (outputs/output.h), and its place in Makefile.am.  Its
 * conf begins with a struct http_output_conf and its settings take in the
 * tables of conf.h.
 *
 * All functions are called by one thread and never wait.  What they are given
 * is borrowed for the call.
 */
#ifndef OUTPUTS_HTTP_DIALECT_H
#define OUTPUTS_HTTP_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "outputs/output.h"

struct chunk;
struct chunk_line;
struct http_access;
struct member_reader;
struct curl_slist;
struct err;

/* Most of an answer's body that a judge sees. */
#define INTAKE_ANSWER_MAX ((size_t)1 << 20)

/* One output of a dialect. */
struct intake {
	struct output *out;
	const void *conf; /* begins with a struct http_output_conf */
	void *state;      /* the dialect's own */
	struct member_reader *members; /* the transport's: intake_id() */
	struct http_access *access;    /* likewise: for errands (errand.h) */
	struct buf text;               /* the transport's: intake_text() */
	struct buf id;                 /* likewise: intake_plain_id() */
	/* What open() may change.  What the requests for lines are said to be,
	 * and whether they are packed with gzip.  Before: the dialect's, as
	 * configured. */
	const char *content_type;
	bool compress;
	/* What texts call the receiver: logs, the status page and the agent's
	 * own feed have them.  Before: http_shown() of conf's URL; where more
	 * of it is a secret, open() changes it. */
	const char *shown;
	/* What stands before conf's token in the header that carries it,
	 * "Authorization: Splunk ".  Before: the dialect's. */
	const char *token_header;
	const char *suffix; /* behind the lines; before: the dialect's */
	/* Bytes and lines (0: any number) of a request; the longest time
	 * between two polls, the longest one until a confirmation, and how much
	 * later something must have been promised whose confirmation shows that
	 * none will come, microseconds.  Before: max_body, 0, 1 s, 5 min, 30 s.
	 */
	size_t body_max;
	size_t lines_max;
	int64_t poll_every;
	int64_t poll_timeout;
	int64_t poll_overtaken;
};

/* A request before it is sent. */
struct intake_request {
	const char *method; /* "POST"; static text */
	struct buf body;    /* packed already where Content-Encoding says so */
	/* It is for the lines [from, to) of chunk, NULL: for none, and carries
	 * so many: those that render() left out are not counted. */
	const struct chunk *chunk;
	size_t from;
	size_t to;
	size_t lines;
	/* For intake_url(), intake_header(). */
	struct buf url;
	struct curl_slist *headers;
	bool failed;
	/* It is not for lines: neither their Content-Type nor gzip.  Of a
	 * probe. */
	bool plain;
};

/* An answer that came whole, whatever its status. */
struct intake_response {
	int status;
	size_t lines;     /* that the request carries; 0: a probe, a poll */
	const char *body; /* NUL-terminated; the begin, where it is longer than
			     INTAKE_ANSWER_MAX */
	size_t len;
	bool cut;                             /* it is longer */
	const struct intake_request *request; /* as it was sent */
	const struct buf *headers;            /* for intake_answer_header() */
};

/* What became of the lines of a request. */
struct intake_verdicts;

struct http_dialect {
	const char *content_type; /* NULL: prepare() says */
	const char *token_header; /* NULL: conf has no token */

	/* Allocate in->state, lower limits; no network.  NULL: has no state. */
	int (*open)(struct intake *in, struct err *err);
	void (*close)(struct intake *in);

	/* Append what the intake wants of one line, the same each time; nothing
	 * at all leaves the line out, for good.  prefix, separator and suffix
	 * stand around the others, NULL is "".  The limits of in count all
	 * that, before compression; a line that is larger alone goes alone. -1:
	 * the line can never be sent: it becomes a dead letter with err. */
	int (*render)(struct intake *in, const struct chunk_line *line,
	    struct buf *body, struct err *err);
	const char *prefix;
	const char *separator;
	const char *suffix;

	/* May this line not stand in one request with those that render() has
	 * made since the last one?  NULL: all may. */
	bool (*apart)(struct intake *in, const struct chunk_line *line);

	/* Chunks are of one sealed batch each: what is sent again after a crash
	 * has the same bounds. */
	bool batches;

	/* Where the wire wants what the store holds: the body for all lines of
	 * p, packed where the output compresses.  1 done; 0 not here: line by
	 * line; -1.  Such a request has the limit in bytes of stored lines, and
	 * none in lines.  NULL: 0. */
	int (*whole)(struct intake *in, struct chunk *p, struct buf *body,
	    struct err *err);

	/* Change method, URL and headers of the request, whose body is as it
	 * goes out; also of the body, for a digest or a compression of the
	 * dialect's own.  -1: the settings are to blame; INTAKE_LATER: not now,
	 * err says why, as of a server for tokens that does not answer.  NULL:
	 * POST to the configured URL. */
	int (*prepare)(struct intake *in, struct intake_request *r,
	    struct err *err);

	/* Tell of the lines in their order: intake_verdict(),
	 * intake_pending(); those not told of go again, those that are blocked
	 * are tried again before that counts.  false: the status (status.h)
	 * counts for all of them.  NULL: false.  Of a probe the
	 * verdict on no lines is asked. */
	bool (*judge)(struct intake *in, const struct intake_response *r,
	    struct intake_verdicts *v);

	/* The receiver did not accept the credentials, and files are read
	 * again: forget tokens that were got with them.  NULL: has none. */
	void (*renew)(struct intake *in);

	/* Confirmation later: make the request that asks about n numbers (one
	 * at a time is under way; its headers are credentials and configured
	 * ones, no Content-Type), and read a 2xx answer to it with
	 * intake_confirmed().  Numbers that are not confirmed are asked about
	 * again; when the time is over, when those that were promised well
	 * behind them are confirmed, the lines are sent again.  What is no 2xx
	 * judge() is asked about, of no lines: that it refuses or blocks is
	 * believed when it says so again and again.  No answer, a retry, and
	 * what the status alone says are nothing against what was promised: it
	 * is asked again, less and less often, and the output says why.
	 * INTAKE_LATER: as of prepare().  NULL: never pending. */
	int (*poll)(struct intake *in, const uint64_t *numbers, size_t n,
	    struct intake_request *r, struct err *err);
	void (*acknowledge)(struct intake *in, const struct intake_response *r);

	/* check --live: make the request of this step, from 0, which must
	 * deliver nothing; its body is packed behind this.  1: there is no
	 * such step.  NULL: one request with an empty body. */
	int (*probe)(struct intake *in, unsigned step, struct intake_request *r,
	    struct err *err);
	/* What the answer to it tells, in the receiver's own terms: 0 and a
	 * line behind message, or nothing; -1: err says what is wrong and what
	 * to do; 1: what judge() or the status say.  NULL: 1. */
	int (*probed)(struct intake *in, unsigned step,
	    const struct intake_response *r, struct buf *message,
	    struct err *err);
};

/* See http_dialect.prepare. */
#define INTAKE_LATER 1

/* For render: the vendor's id of an event, as it stands in its JSON; data NULL:
 * it has none.  Borrowed until the next call. */
struct slice intake_id(struct intake *in, const struct chunk_line *line);

/* The same without its escapes, as text in UTF-8; data NULL: it is none. */
struct slice intake_plain_id(struct intake *in, const struct chunk_line *line);

/* For render: the text that the line is: the bytes of the event, or the line of
 * the checkpoint (line.h) without its line feed.  Borrowed until the next
 * call. */
struct slice intake_text(struct intake *in, const struct chunk_line *line);

/*
 * For prepare, poll and probe.  Failures stick; the transport looks.
 */

/* Aim at an endpoint: append path, which begins with a slash, to the path of
 * the configured URL, unless that ends so already, with or without slashes
 * behind it; and to its query what query ("a=1&b=2", encoded) has and it has
 * not.  Either may be NULL; without path the URL's stays as it is.  All
 * dialects that have an endpoint do so: HTTP_BASE_URL says it to users. */
void intake_url(struct intake_request *r, const char *path, const char *query);

/* Does the path of the request's URL end so?  And: take that off. */
bool intake_ends(const struct intake_request *r, const char *path);
void intake_base(struct intake_request *r, const char *path);

/* A further header; a line break in it is a failure. */
void intake_header(struct intake_request *r, const char *name,
    const char *value);

/*
 * For judge.
 */

/* Value of a header, trimmed, in out (size bytes, cut); false: absent. */
bool intake_answer_header(const struct intake_response *r, const char *name,
    char *out, size_t size);

/* The lines from the last one told of up to, not including, to, counted from 0
 * as the request carries them.  A range of one refused line becomes a dead
 * letter with the reason, a longer one is halved to the line at fault.  to is
 * cut to the lines that there are. */
void intake_verdict(struct intake_verdicts *v, size_t to, enum verdict verdict,
    const char *why, ...) __attribute__((format(printf, 4, 5)));

/* They are taken, and delivered when number is confirmed. */
void intake_pending(struct intake_verdicts *v, size_t to, uint64_t number);

/* What is not told of goes again at once, and not after the usual pause: what
 * was told has put right what kept it.  Counts only where lines were told of.
 */
void intake_again(struct intake_verdicts *v);

/* For acknowledge.  A number that is not open is ignored. */
void intake_confirmed(struct intake *in, uint64_t number);

/* For judge: no number that was promised before is worth anything any more; the
 * lines are sent again, why says what happened. */
void intake_forget(struct intake *in, const char *why);

/*
 * For the transport.
 */

struct intake_range {
	size_t to; /* from the end of the one before */
	enum verdict verdict;
	bool pending;
	uint64_t number; /* pending */
	char *why;       /* owned; NULL: delivered */
};

struct intake_verdicts {
	size_t lines;
	struct intake_range *list;
	size_t n;
	bool again;
};

/* Begins with no lines told of. */
void intake_verdicts_init(struct intake_verdicts *v, size_t lines);
void intake_verdicts_release(struct intake_verdicts *v);

/* Begin a request to url, with no chunk; the body stays. */
int intake_request_begin(struct intake_request *r, const char *url);
void intake_request_release(struct intake_request *r);

#endif /* OUTPUTS_HTTP_DIALECT_H */
