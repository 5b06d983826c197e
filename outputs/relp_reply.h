/*
 * relp_reply.h - RELP, the Reliable Event Logging Protocol of rsyslog
 * (rsyslog.com/doc/relp.html, version 0), from the client's side.
 *
 *   TXNR SP COMMAND SP DATALEN [SP DATA] LF
 *
 * Transactions are numbered from 1, behind 999,999,999 comes 1 again, and 0
 * stands for what asks for no answer.  Every command is answered by "rsp" with
 * its number and a code: "200 OK", "500 …".
 */
#ifndef OUTPUTS_RELP_REPLY_H
#define OUTPUTS_RELP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELP_NUMBER_MAX 999999999U

/* Far more than a server has to say. */
#define RELP_REPLY_MAX 16384

/* The number of the transaction behind n. */
static inline uint32_t
relp_next(uint32_t n)
{
	return n >= RELP_NUMBER_MAX ? 1 : n + 1;
}

enum relp_said {
	RELP_MORE,   /* not a whole frame yet */
	RELP_ANSWER, /* "rsp" */
	RELP_CLOSES, /* the server closes the session */
	RELP_WRONG   /* no server of RELP says so */
};

/* What a server says, piece by piece; begins as zeros. */
struct relp_reader {
	char text[RELP_REPLY_MAX + 64];
	size_t len;
	size_t used; /* of the frame that was told of last */
};

struct relp_reply {
	uint32_t number;
	int code;         /* of an answer, 200 to 599 */
	const char *text; /* what stands behind the code, until the next call;
			     NUL-terminated */
};

/* Add at most room for what was said; returns how much was taken. */
size_t relp_reader_add(struct relp_reader *r, const char *said, size_t len);

/* The next frame. */
enum relp_said relp_reader_next(struct relp_reader *r,
    struct relp_reply *reply);

#endif /* OUTPUTS_RELP_REPLY_H */
