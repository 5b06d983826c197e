/*
 * transport_private.h - what the files of the transport share.
 *
 * transport.c moves requests, answer.c settles the lines that an answer tells
 * of, transfer.c ends chunks, pending.c waits for what is confirmed later,
 * doubt.c asks again before anything blocks, probe.c is check --live.
 */
#ifndef OUTPUTS_HTTP_TRANSPORT_PRIVATE_H
#define OUTPUTS_HTTP_TRANSPORT_PRIVATE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs/http/body.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/exchange.h"
#include "outputs/http/receipt.h"

struct err;
struct http_access;

#define WHY_MAX 512

/* One chunk on its way. */
struct transfer {
	struct chunk *chunk; /* NULL: free */
	size_t next;         /* the first line that no request has had */
	bool sending;        /* a request has it */
	bool partly;         /* some lines of its request are settled */
	/* The line that was refused alone last, and how often in a row. */
	size_t refused;
	unsigned refusals;
	size_t pending; /* confirmations */
	/* On the lines that are not settled. */
	enum verdict verdict;
	int64_t delay;
	char why[WHY_MAX];
};

/* A confirmation that was promised. */
struct pending {
	struct transfer *transfer;
	uint64_t number;
	size_t from;
	size_t to;
	int64_t promised; /* monotonic */
};

struct uplink {
	struct intake intake; /* must stand first: intake_confirmed() */
	struct output *out;
	const struct http_output_conf *conf;
	const struct http_dialect *dialect;
	struct http_access *access;
	char *shown;                     /* of the URL */
	struct curl_slist *headers;      /* for lines */
	struct curl_slist *poll_headers; /* without a type */
	CURLM *multi;
	struct body_writer body;
	struct transfer *transfer;
	size_t n_transfers;
	struct exchange *exchange; /* for lines */
	size_t n_exchanges;
	struct exchange poll;
	struct receipt receipt;
	CURLSH *share;
	struct {
		struct exchange *x; /* whose request is repeated; NULL: none */
		unsigned repeats;
		int64_t at; /* monotonic: of the next one */
		char why[WHY_MAX];
	} doubt;
	/* The last polls had no usable answer, for the same verdict. */
	struct {
		unsigned n;
		enum verdict verdict;
	} failed;
	/* Nothing more begins: the chunks that are blocked, for doubt.why, end
	 * when nothing is under way. */
	bool blocked;
	struct pending *pending; /* the oldest first */
	int64_t confirmed;       /* the latest promise that was kept */
	size_t n_pending;
	int64_t poll_at;    /* monotonic: not before */
	int64_t poll_delay; /* which was so long after the last one */
	bool open;          /* the dialect is */
	bool room;          /* for another chunk, since drive began */
};

/* transfer.c: the verdict on a chunk. */

/* The rest of t ends in v, if nothing has happened that counts more. */
void transfer_leave(struct transfer *t, enum verdict v, int64_t delay,
    const char *why);
void transfer_deliver(struct uplink *u, struct transfer *t, size_t from,
    size_t to);
/* End t's chunk if nothing of it is under way.  The verdict that it is blocked
 * makes the owner close the output: what others have under way ends first. */
void transfer_end(struct uplink *u, struct transfer *t);
/* End those that are blocked, now that nothing is under way. */
void transfers_end_blocked(struct uplink *u);
/* Nothing more begins, for this reason. */
void uplink_block(struct uplink *u, const char *why);

/* transport.c */

/* Send what comes next of x's chunk; where nothing does, x is free. */
void transfer_go_on(struct uplink *u, struct exchange *x);
int request_launch(struct uplink *u, struct exchange *x,
    const struct curl_slist *common, struct err *err);

/* answer.c */

/* Have the dialect judge the end of x, or else the status.  A 2xx whose body is
 * not the receiver's is nothing for the dialect. */
void answer_judge(struct uplink *u, struct exchange *x, CURLcode rc,
    struct intake_verdicts *v);
/* The answer to lines. */
void answer_finish(struct uplink *u, struct exchange *x, CURLcode rc);

/* pending.c */

void pending_add(struct uplink *u, const struct pending *p);
void pending_expire(struct uplink *u, int64_t now);
/* When the oldest one is given up; there is one. */
int64_t pending_due(const struct uplink *u);
/* Ask for what is promised, when it is time to. */
void pending_poll(struct uplink *u, int64_t now);
/* The answer to that. */
void pending_answer(struct uplink *u, struct exchange *x, CURLcode rc);

/* doubt.c */

/* How long after an answer that would block the same is tried again, for the
 * n-th time from 0; -1: no more. */
int64_t doubt_pause(unsigned n);
/* The answer to x would block: hold it, and repeat the request unless another
 * is repeated already.  An output that was blocked before is not given the
 * benefit of the doubt. */
void doubt_begin(struct uplink *u, struct exchange *x, const char *why);
void doubt_repeat(struct uplink *u, int64_t now);
/* There is no doubt any more: those that waited for that go on. */
void doubt_end(struct uplink *u);
/* Read the credentials again.  What cannot be read now stays as it was: it may
 * just be written; the next open() tells what is wrong with it. */
void doubt_read_again(struct uplink *u);

/* Make the headers of all requests, credentials resolved; -1: those that there
 * were stay. */
int uplink_head(struct uplink *u, struct err *err);

#endif /* OUTPUTS_HTTP_TRANSPORT_PRIVATE_H */
