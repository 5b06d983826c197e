/*
 * doubt.c - an answer that would block may be a blip: a receiver that is just
 * starting, one bad node behind a load balancer, a token that is being changed.
 *
 * Its request is repeated a few times, with credentials that are read again,
 * while others that are answered so wait for what becomes of it; only then the
 * output is blocked, when nothing is under way any more.
 */
#include "base/clock.h"
#include "base/err.h"
#include "http/access.h"
#include "outputs/http/transport_private.h"

int64_t
doubt_pause(unsigned n)
{
	static const int64_t pauses[] = { CLOCK_SECOND / 2, 2 * CLOCK_SECOND,
		5 * CLOCK_SECOND };

	return n < sizeof(pauses) / sizeof(pauses[0]) ? pauses[n] : -1;
}

void
doubt_read_again(struct uplink *u)
{
	struct err why = ERR_INIT;

	if (http_access_reload(u->access, &why) == 0)
		(void)uplink_head(u, &why);
	if (u->dialect->renew != NULL)
		u->dialect->renew(&u->intake);
}

/* Send what x's request carried once more. */
static void
send_again(struct uplink *u, struct exchange *x)
{
	x->held = false;
	x->transfer->next = x->request.from;
	transfer_go_on(u, x);
}

void
doubt_end(struct uplink *u)
{
	u->doubt.x = NULL;
	for (size_t i = 0; i < u->n_exchanges; i++)
		if (u->exchange[i].held)
			send_again(u, &u->exchange[i]);
}

/* The doubt was right: those that waited are blocked. */
static void
give_up(struct uplink *u, const char *why)
{
	uplink_block(u, why);
	u->doubt.x = NULL;
	for (size_t i = 0; i < u->n_exchanges; i++) {
		struct exchange *x = &u->exchange[i];
		struct transfer *t = x->transfer;

		if (!x->held)
			continue;
		x->held = false;
		x->transfer = NULL;
		transfer_leave(t, VERDICT_BLOCKED, 0, u->doubt.why);
		t->sending = false;
		transfer_end(u, t);
	}
}

void
doubt_begin(struct uplink *u, struct exchange *x, const char *why)
{
	buf_release(&x->request.body);
	x->held = true;
	if (u->doubt.x == NULL) {
		u->doubt.x = x;
		u->doubt.repeats = 0;
	}
	if (u->blocked || u->out->blocked ||
	    (x == u->doubt.x && doubt_pause(u->doubt.repeats) < 0))
		give_up(u, why);
	else if (x == u->doubt.x)
		u->doubt.at = clock_monotonic() + doubt_pause(u->doubt.repeats);
}

void
doubt_repeat(struct uplink *u, int64_t now)
{
	struct exchange *x = u->doubt.x;

	if (x == NULL || x->busy || now < u->doubt.at)
		return;
	u->doubt.repeats++;
	doubt_read_again(u);
	send_again(u, x);
	if (!x->busy)
		doubt_end(u);
}
