/*
 * probe.c - what `check --live` finds out about a syslog receiver.
 */
#include <poll.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "outputs/syslog/conf.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/probe.h"

/* Longest wait for a receipt, and for a word. */
#define RECEIPT CLOCK_SECOND
#define WORD (CLOCK_SECOND / 2)

/* Step until the link is no longer opening and has so many answers, or until
 * has passed. */
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

/* Two requests are sent, since the first may stay unanswered (confirm.h). */
static const char *
receipt(struct link *l, const struct syslog_conf *conf)
{
	if (conf->receipts == SYSLOG_NONE)
		return "; receipts: none, delivery is unconfirmed: what has "
		       "reached the other end's kernel is held and sent again "
		       "if the connection breaks";
	if (!link_able(l))
		return "; delivery is unconfirmed, because receipts need "
		       "TLS 1.3";
	if (!link_ask(l) || !link_ask(l))
		return "; a receipt could not be requested";
	(void)wait_for(l, clock_monotonic() + RECEIPT, 1);
	if (link_answers(l) == 0)
		return "; delivery is unconfirmed, because the receiver does "
		       "not answer key updates";
	if (link_asked(l) || link_answers(l) > 2)
		return "; delivery is unconfirmed, because the receiver sends "
		       "key updates of its own";
	if (conf->receipts == SYSLOG_DIRECT)
		return "; receipts: direct, delivery is confirmed: the SIEM "
		       "has read what has a receipt, if nothing ends TLS in "
		       "front of it";
	return "; receipts: relayed, delivery is confirmed by the other end of "
	       "TLS, which may be a load balancer, so events are held and sent "
	       "again if the connection breaks";
}

/* A frame that never ends: a receiver of frames drops it, and a web server
 * answers that this is no request.  There is nothing of that kind for receivers
 * of lines; there a web server is found out by what it says to the first
 * event. */
static void
provoke(struct link *l, const struct syslog_conf *conf)
{
	static const char part[] = "99 \n\n";

	if (conf->framing == SYSLOG_OCTETS &&
	    link_write(l, part, sizeof(part) - 1) > 0)
		(void)wait_for(l, clock_monotonic() + WORD, UINT64_MAX);
}

static const char *
framing(const struct syslog_conf *conf)
{
	if (conf->framing == SYSLOG_GELF)
		return "; GELF with a NUL behind each message";
	if (conf->framing == SYSLOG_LF)
		return "; framing: lf";
	return "; framing: octet-counting (set framing: lf if the receiver "
	       "shows messages that are glued together or begin with a number)";
}

int
syslog_reach(struct link *l, const struct syslog_conf *conf,
    struct buf *message, struct err *err)
{
	const char *confirmed;

	link_open(l);
	/* The link itself gives up after its timeout. */
	if (wait_for(l, INT64_MAX, 0) != LINK_UP)
		return err_set(err, "%s", link_why(l));
	confirmed = receipt(l, conf);
	if (link_describe(l, message) != 0 || buf_adds(message, confirmed) != 0)
		return err_set(err, "the result is too large");
	if (!link_down(l))
		provoke(l, conf);
	/* A receiver that wants a client certificate says so only now, and so
	 * does one that speaks something else. */
	if (link_down(l))
		return err_set(err, "%s", link_why(l));
	if (buf_adds(message, framing(conf)) != 0)
		return err_set(err, "the result is too large");
	return 0;
}
