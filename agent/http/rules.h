/*
 * rules.h - what a reply means.
 *
 * Status codes alone say too little: Office 365 throttles inside a 403, and
 * a 200 can be a login page.  A table of rules, first match wins, turns
 * status, header and the code in the body into a class, a cause and a hint.
 * An error is never an empty page.
 */
#ifndef HTTP_RULES_H
#define HTTP_RULES_H

#include <stddef.h>
#include <stdint.h>

struct http_reply;

/* Room for the code of an error.  Microsoft Graph has some of more than fifty
 * letters; a rule whose code has no room would never match. */
#define REPLY_CODE 96

enum reply_class {
	REPLY_OK,
	REPLY_BENIGN,       /* an error that means "as you wished" */
	REPLY_RETRY,        /* the same again later */
	REPLY_THROTTLED,    /* the whole source waits */
	REPLY_UNAUTHORISED, /* a new token, then the same again, once */
	REPLY_CREDENTIALS,  /* refused for good until someone acts */
	REPLY_CONFIG,       /* likewise: settings, permissions, licences */
	REPLY_CLOCK,        /* recompute the times with the server's clock */
	REPLY_INACTIVE,     /* the subscription is off: switch it on */
	REPLY_CURSOR,       /* page token lost: the window from its start */
	REPLY_GONE,         /* never to be had again: a gap */
	REPLY_INCOMPLETE,   /* there is more: the window in halves */
	REPLY_STOPPED,      /* the agent is stopping */
	REPLY_CLASSES
};

struct rule {
	int status;         /* 0: any */
	const char *code;   /* code in the body; a final * matches any rest;
			       NULL: any */
	const char *header; /* must be present; NULL: none */
	const char *value;  /* … and be this; NULL: anything */
	const char *text;   /* must be part of the message; NULL: none */
	enum reply_class class;
	const char *cause; /* sentence, without a stop */
	const char *hint;  /* likewise; NULL: nothing to do */
	/* Of the last row, which has no class and no cause: the table that
	 * goes on there; NULL: none. */
	const struct rule *next;
};

/* What happened and what to do about it. */
struct outcome {
	enum reply_class class;
	int64_t wait; /* microseconds that the vendor asked for; 0: none */
	/* Of the body; else, where something in between has answered, "page",
	 * "redirect" or "partial"; of a whole reply of another form "envelope",
	 * "object" or "not-json"; "" where there is none. */
	char code[REPLY_CODE];
	char text[1024]; /* sentence: status, code, cause; hint */
};

/* Name of a class, for logs and the agent's own feed. */
const char *reply_class_name(enum reply_class class);

/*
 * Judge a reply that came whole.  rules (may be NULL, ended by a row of class
 * REPLY_OK without cause) come before the general ones.  Never REPLY_OK for
 * anything but a 2xx.
 */
void rules_judge(const struct rule *rules, const struct http_reply *reply,
    struct outcome *out);

/* An outcome from a sentence, of which text_one_line() makes what others wrote
 * readable; returns out's class. */
enum reply_class outcome_set(struct outcome *out, enum reply_class class,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Nor is one that can't be read to its end: "WHAT cannot be parsed: WHY", to
 * be asked for again, under the code "not-json". */
enum reply_class outcome_unread(struct outcome *out, const char *what,
    const char *why);

/*
 * Judge a reply under 200 that is not what was expected ("an array of …"): an
 * error that the vendor sends under 200 is judged as if it came with a status
 * of its own; a page, an envelope, and what no rule knows are told with their
 * begin.  Never REPLY_OK.
 */
void rules_unexpected(const struct rule *rules, const struct http_reply *reply,
    const char *expected, struct outcome *out);

/*
 * Judge what stands beside the rows of a reply under 200, as value, the JSON
 * text at one of error_places: what is no error_value() (http/error_value.h),
 * and what a rule calls benign: false.  Else true, and out says so as
 * rules_unexpected() does: such rows are not all that there is.
 */
bool rules_beside(const struct rule *rules, const struct http_reply *reply,
    const char *value, size_t len, struct outcome *out);

/*
 * The code and the message of an error body in the forms that vendors use, of
 * which the keys are compared without regard to case:
 * {"error":{"code":…,"message":…}}, {"error":…,"error_description":…},
 * {"odata.error":{"code":…,"message":{"value":…}}}, {"errors":[…]},
 * {"code":…,"message":…}, {"Message":…,"ModelState":{…:[…]}}, {"error":"text"},
 * {"errors":["text"]}, {"errorCode":…,"errorSummary":…},
 * {"__type":"…#code","message":…}, any of them as the only element of an
 * array, the first cause in "errors", "error_chain", "errorCauses" or "details"
 * behind the message; and the XML
 * <Error><Code>…</Code><Message>…</Message></Error>, also within
 * <ErrorResponse>.  An AADSTS number in the message is the code then.  Not
 * JSON: code "" and what http_body_quote() says.
 */
struct reply_error {
	char code[REPLY_CODE];
	char message[400];
	/* What is said stands under "error" or its like, as of an error. */
	bool failed;
};
void rules_error(const char *body, size_t len, struct reply_error *out);

#endif /* HTTP_RULES_H */
