/*
 * confirm.h - what a TLS 1.3 peer has proven to have read.
 *
 * RFC 8446 section 4.6.3: whoever receives a KeyUpdate with update_requested
 * answers with one of its own.  Messages of a connection are handled in
 * order, and a TLS library looks at the KeyUpdate only after the application
 * has taken every byte before it.  So an answer is a receipt for everything
 * that was sent before its request.
 *
 * An answer does not say to which request it belongs.  A peer may answer late
 * (OpenSSL's answer to one request leaves when the next request is read; so
 * the first of a connection seems to stay unanswered) or once for several,
 * but never before it has read the request: so the n-th answer is a receipt
 * for the n-th request and perhaps for later ones.  Counting it for the n-th
 * alone is always safe.  It lags where a peer is late or merges answers, and
 * catches up when idle: requests with nothing new before them push the last
 * chunks' request down to a number that gets answered.
 *
 * A peer that sends KeyUpdates which nobody asked for makes answers
 * indistinguishable from its own: on its connection they prove nothing.
 *
 * Whose receipt it is, this module does not know: a TLS terminator in front of
 * the receiver answers in its stead.
 *
 * What is written and proven is counted in lines.
 *
 * This module decides when to ask and what is proven.  It has no clock and no
 * connection.  Times are microseconds of one monotonic clock.
 */
#ifndef OUTPUTS_SYSLOG_CONFIRM_H
#define OUTPUTS_SYSLOG_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

enum confirm_mode {
	CONFIRM_UNKNOWN, /* no answer yet, and it is not too late for one */
	CONFIRM_YES,     /* the peer answers */
	CONFIRM_NO,  /* the peer does not answer; no more requests are sent */
	CONFIRM_VOID /* its answers prove nothing; no more requests are sent */
};

/* Requests that are waited for at most, a power of two. */
#define CONFIRM_PENDING 16

struct confirm {
	enum confirm_mode mode;
	bool known;       /* this peer has answered on an earlier one */
	uint64_t written; /* lines put on the connection */
	uint64_t proven;  /* of these */
	uint64_t asked;   /* requests */
	uint64_t answered;
	uint64_t covers[CONFIRM_PENDING]; /* lines before request n */
	uint64_t covered;                 /* by the last request */
	unsigned lag;                     /* requests that may be unanswered */
	unsigned bare;       /* requests in a row with nothing new */
	int64_t first_asked; /* first request since the last answer */
	int64_t last_asked;
};

/* A new connection.  able: TLS 1.3; known: see above. */
void confirm_begin(struct confirm *c, bool able, bool known);

/* So many lines are on the connection now, with their last byte. */
void confirm_wrote(struct confirm *c, uint64_t lines);

/*
 * Is a request to be sent now?  idle: there is nothing else to send.  *wait
 * becomes the time after which the answer may be another one, if that is
 * earlier than what it is already.
 */
bool confirm_wants(struct confirm *c, bool idle, int64_t now, int64_t *wait);

/* Is an answer waited for that would prove something?  The last one of OpenSSL
 * is always open. */
bool confirm_waits(const struct confirm *c);

/* A request was written. */
void confirm_asked(struct confirm *c, int64_t now);

/* The peer's answer came.  c->proven has what it proves. */
void confirm_answer(struct confirm *c, int64_t now);

/* The peer sent a KeyUpdate that is no answer. */
void confirm_void(struct confirm *c);

/* Bytes are still on their way to the peer, which so owes nothing yet. */
void confirm_busy(struct confirm *c, int64_t now);

/* How long, in microseconds, the peer has owed an answer; 0: it owes none. */
int64_t confirm_owed(const struct confirm *c, int64_t now);

#endif /* OUTPUTS_SYSLOG_CONFIRM_H */
