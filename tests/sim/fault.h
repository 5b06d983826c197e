/*
 * fault.h - scripted misbehaviour: what, where and how often.
 *
 * A script is "name=5%,name@Audit.Exchange=100%x3,…": with what chance, for
 * which content type only, and how many times at most.  "all=5%" sets every
 * fault that a correct client survives.
 */
#ifndef TESTS_SIM_FAULT_H
#define TESTS_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/generate.h"

/* Where a fault can strike. */
enum scope {
	SCOPE_TOKEN = 1,
	SCOPE_SUBSCRIPTIONS = 2,
	SCOPE_LIST = 4,
	SCOPE_BLOB = 8,
	SCOPE_MAKE = 16,
	SCOPE_API = SCOPE_SUBSCRIPTIONS | SCOPE_LIST | SCOPE_BLOB,
	SCOPE_REQUEST = SCOPE_TOKEN | SCOPE_API
};

enum fault {
	FAULT_NONE,
	FAULT_AF20050,       /* "does not exist", of a blob that does */
	FAULT_AF20052,       /* "invalid", likewise */
	FAULT_AF429,         /* throttled, in a 403 */
	FAULT_AUDIT_OFF,     /* auditing is off, with an id that changes */
	FAULT_CHUNKED,       /* no Content-Length */
	FAULT_CLOSE,         /* connection closed without an answer */
	FAULT_CTYPE,         /* the right body as text/plain */
	FAULT_DATE_3D,       /* the right reply, its Date three days ahead */
	FAULT_DATE_9D,       /* a 503 with a Date nine days ahead */
	FAULT_DENIED,        /* 401, whatever the token */
	FAULT_DRIP,          /* one byte every --drip ms */
	FAULT_DUP_BLOB,      /* the same content under a second id */
	FAULT_DUP_ID,        /* one event again in another blob */
	FAULT_DUP_ROW,       /* a row twice on one page */
	FAULT_EMPTY_200,     /* no body at all */
	FAULT_EMPTY_PAGE,    /* an empty page with a next page */
	FAULT_EXPIRED,       /* 401, and the token is dead */
	FAULT_FOREIGN_NEXT,  /* NextPageUri on another host */
	FAULT_GZIP_TRUNCATE, /* the gzip stream ends early */
	FAULT_HANG,          /* no answer for a long time */
	FAULT_HTML200,       /* a login page with status 200 */
	FAULT_HTTP500,
	FAULT_HTTP503,    /* with Retry-After */
	FAULT_LONG_WAIT,  /* 429 with Retry-After: 3600 */
	FAULT_LATE,       /* listed long after its contentCreated */
	FAULT_ODD_ROWS,   /* rows without members, or that are none */
	FAULT_PAGE_404,   /* a proxy's page */
	FAULT_PRETTY,     /* CRLF and blanks between the tokens */
	FAULT_RESET,      /* RST in the middle of the body */
	FAULT_SHUFFLE,    /* rows of a page in reverse order */
	FAULT_SLOW,       /* a pause between every 4 KiB */
	FAULT_SLOW_TOKEN, /* a login takes half a minute */
	FAULT_START_LOST, /* a start that has no effect, and a 500 */
	FAULT_THROTTLE,   /* 429 with Retry-After */
	FAULT_TRUNCATE,   /* JSON cut off in a complete reply */
	FAULTS
};

struct fault_rule {
	double chance[CONTENTS + 1]; /* the last: no content type */
	int64_t left;                /* times; -1: no limit */
	uint64_t hits;
};

struct config_errors {
	struct fault_rule rule[FAULTS];
};

const char *fault_name(enum fault f);

/* Read a script on top of what is set; "none" clears all.  NULL, or the part
 * that could not be read. */
const char *config_errors_parse(struct config_errors *f, const char *script);

/* Throw the dice for one request or blob: the fault that strikes, or
 * FAULT_NONE.  content is CONTENTS where there is none. */
enum fault config_errors_roll(struct config_errors *f, struct rng *r,
    enum scope scope, enum content content);

#endif /* TESTS_SIM_FAULT_H */
