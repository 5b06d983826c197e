/*
 * transfer.c - the verdict on a chunk, out of what is told of its lines.
 */
#include <stdio.h>

#include "outputs/http/transport_private.h"

void
transfer_leave(struct transfer *t, enum verdict v, int64_t delay,
    const char *why)
{
	/* A refusal is looked into when nothing has to wait. */
	static const int weight[] = {
		[VERDICT_DELIVERED] = 0,
		[VERDICT_REFUSED] = 1,
		[VERDICT_RETRY] = 2,
		[VERDICT_BLOCKED] = 3,
	};

	if (delay > t->delay)
		t->delay = delay;
	if (weight[v] <= weight[t->verdict])
		return;
	t->verdict = v;
	(void)snprintf(t->why, sizeof(t->why), "%s", why);
}

/* Is anything of lines under way? */
static bool
is_busy(const struct uplink *u)
{
	for (size_t i = 0; i < u->n_exchanges; i++)
		if (u->exchange[i].busy)
			return true;
	return false;
}

void
uplink_block(struct uplink *u, const char *why)
{
	if (!u->blocked)
		(void)snprintf(u->doubt.why, sizeof(u->doubt.why), "%s", why);
	u->blocked = true;
}

void
transfer_end(struct uplink *u, struct transfer *t)
{
	struct chunk *chunk = t->chunk;

	if (t->sending || t->pending > 0)
		return;
	if (t->verdict == VERDICT_BLOCKED) {
		uplink_block(u, t->why);
		if (is_busy(u))
			return;
		u->out->blocked = true;
	}
	t->chunk = NULL;
	u->room = true;
	output_done(u->out, chunk, t->verdict, t->delay, "%s", t->why);
}

void
transfers_end_blocked(struct uplink *u)
{
	if (!u->blocked || is_busy(u))
		return;
	for (size_t i = 0; i < u->n_transfers; i++) {
		struct transfer *t = &u->transfer[i];

		if (t->chunk != NULL && t->verdict == VERDICT_BLOCKED)
			transfer_end(u, t);
	}
	u->blocked = false;
}

void
transfer_deliver(struct uplink *u, struct transfer *t, size_t from, size_t to)
{
	(void)output_settle(u->out, t->chunk, from, to, VERDICT_DELIVERED, "%s",
	    "");
}
