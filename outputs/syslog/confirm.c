/*
 * confirm.c - what a TLS 1.3 peer has proven to have read.
 */
#include "outputs/syslog/confirm.h"

#include "base/clock.h"

/* Two requests in flight keep a peer going that answers one request only with
 * the next. */
#define LAG 2

/* Requests without data between them that a peer takes: Go's crypto/tls
 * closes after 16 records in a row that bring no data, BoringSSL after 32. */
#define BARE_MAX 8

/* GnuTLS closes at more than 8 key updates a second. */
#define PATIENCE CLOCK_SECOND

/* A peer that answers does it at once; one that has never answered is not
 * waited for any longer than this. */
#define VERDICT_AFTER (3 * CLOCK_SECOND)

void
confirm_begin(struct confirm *c, bool able, bool known)
{
	*c = (struct confirm){
		.mode = able ? CONFIRM_UNKNOWN : CONFIRM_NO,
		.known = known,
		.lag = LAG,
	};
}

void
confirm_wrote(struct confirm *c, uint64_t lines)
{
	c->written = lines;
	c->bare = 0;
}

static void
no_later_than(int64_t *wait, int64_t when)
{
	if (when < *wait)
		*wait = when;
}

bool
confirm_wants(struct confirm *c, bool idle, int64_t now, int64_t *wait)
{
	uint64_t pending = c->asked - c->answered;

	if (c->mode == CONFIRM_NO || c->mode == CONFIRM_VOID ||
	    c->proven == c->written)
		return false;
	if (c->mode == CONFIRM_UNKNOWN && !c->known && c->asked > LAG &&
	    now - c->first_asked >= VERDICT_AFTER) {
		c->mode = CONFIRM_NO;
		return false;
	}
	if (pending < c->lag)
		return c->covered < c->written || (idle && c->bare < BARE_MAX);
	if (c->bare == BARE_MAX || pending == CONFIRM_PENDING)
		return false;
	no_later_than(wait, c->last_asked + PATIENCE);
	if (now - c->last_asked < PATIENCE)
		return false;
	c->lag = (unsigned)pending + 1;
	return true;
}

bool
confirm_waits(const struct confirm *c)
{
	return c->asked != c->answered && c->proven < c->covered;
}

void
confirm_asked(struct confirm *c, int64_t now)
{
	if (c->covered == c->written)
		c->bare++;
	if (!confirm_waits(c))
		c->first_asked = now;
	c->last_asked = now;
	c->covered = c->written;
	c->covers[c->asked % CONFIRM_PENDING] = c->written;
	c->asked++;
}

void
confirm_answer(struct confirm *c, int64_t now)
{
	unsigned pending;

	/* More answers than requests: then none can be told from the peer's
	 * own affairs. */
	if (c->answered == c->asked)
		c->mode = CONFIRM_VOID;
	if (c->mode == CONFIRM_VOID)
		return;
	c->proven = c->covers[c->answered % CONFIRM_PENDING];
	c->answered++;
	c->first_asked = now;
	c->mode = CONFIRM_YES;
	/* What a peer merged once stays open for good; beyond that, LAG. */
	pending = (unsigned)(c->asked - c->answered);
	c->lag = pending + 1 > LAG ? pending + 1 : LAG;
}

void
confirm_void(struct confirm *c)
{
	c->mode = CONFIRM_VOID;
}

void
confirm_busy(struct confirm *c, int64_t now)
{
	c->first_asked = now;
}

int64_t
confirm_owed(const struct confirm *c, int64_t now)
{
	if (c->mode == CONFIRM_NO || c->mode == CONFIRM_VOID ||
	    c->asked == c->answered || c->proven == c->written)
		return 0;
	return now - c->first_asked;
}
