/*
 * probe.c - what `check --live` finds out about a syslog receiver.
 */
#include <poll.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/syslog.h"

/* Longest wait for a receipt. */
#define RECEIPT (CLOCK_SECOND)

/* Step until the link is no longer opening or until has passed. */
static enum link_state
wait_for(struct link *l, int64_t until, uint64_t answers)
{
	enum link_state state;
	struct pollfd p;
	int64_t wait, now;

	for (;;) {
		state = link_step(l);
		now = clock_monotonic();
		if (state == LINK_DOWN || now >= until)
			return state;
		if (state == LINK_UP && link_answers(l) >= answers)
			return state;
		wait = until;
		p.fd = link_poll(l, &p.events, &wait);
		if (wait > now)
			(void)poll(&p, 1, (int)((wait - now + 999) / 1000));
	}
}

/* Two requests: see confirm.h for why one may stay without an answer. */
static const char *
receipt(struct link *l)
{
	if (!link_able(l))
		return "; delivery is unconfirmed, since confirmation needs "
		       "TLS 1.3";
	if (!link_ask(l) || !link_ask(l))
		return "; delivery could not be asked to be confirmed";
	(void)wait_for(l, clock_monotonic() + RECEIPT, 1);
	return link_answers(l) > 0
	    ? "; delivery is confirmed"
	    : "; delivery is unconfirmed, since the receiver does not answer "
	      "key updates";
}

int
syslog_reach(struct link *l, struct buf *said, struct err *err)
{
	const char *confirmed;

	link_open(l);
	/* The link itself gives up after its timeout. */
	if (wait_for(l, INT64_MAX, 0) != LINK_UP)
		return err_set(err, "%s", link_why(l));
	confirmed = receipt(l);
	/* A receiver that wants a client certificate says so only now. */
	if (link_down(l))
		return err_set(err, "%s", link_why(l));
	if (link_describe(l, said) != 0 || buf_adds(said, confirmed) != 0)
		return err_set(err, "no room for what was found");
	return 0;
}
