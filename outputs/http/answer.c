/*
 * answer.c - what an answer to lines means for each of them.
 */
#include <stdio.h>

#include "base/clock.h"
#include "outputs/http/transport_private.h"

/* So often a line must be refused alone. */
#define REFUSALS 3

void
answer_judge(struct uplink *u, struct exchange *x, CURLcode rc,
    struct intake_verdicts *v)
{
	struct intake_response r = exchange_response(x);
	char why[WHY_MAX];
	enum verdict verdict =
	    exchange_judge(x, u->intake.shown, rc, why, sizeof(why));
	bool foreign =
	    verdict == VERDICT_BLOCKED && r.status >= 200 && r.status < 300;

	intake_verdicts_init(v, r.lines);
	if (rc == CURLE_OK && !foreign && u->dialect->judge != NULL &&
	    u->dialect->judge(&u->intake, &r, v))
		return;
	intake_verdicts_release(v);
	intake_verdicts_init(v, r.lines);
	intake_verdict(v, r.lines, verdict, "%s", why);
}

/* The range, whose first line is first of x's request, is taken. */
static void
settle_taken(struct uplink *u, struct exchange *x,
    const struct intake_range *range, size_t first)
{
	struct pending p = { .transfer = x->transfer,
		.number = range->number,
		.from = body_line(x, first),
		.to = body_line(x, range->to - 1) + 1,
		.promised = clock_monotonic() };

	if (range->pending)
		pending_add(u, &p);
	else
		transfer_deliver(u, p.transfer, p.from, p.to);
}

/* It is not, nor would it block.  A single line is to blame for a refusal, but
 * not for bytes out of the store that nobody has looked at: ship does before it
 * halves. */
static void
settle_other(struct uplink *u, struct exchange *x,
    const struct intake_range *range, size_t first)
{
	struct transfer *t = x->transfer;
	size_t line = body_line(x, first);

	if (range->verdict != VERDICT_REFUSED || range->to - first > 1 ||
	    x->carried.all)
		transfer_leave(t, range->verdict, exchange_delay(x),
		    range->why);
	else if (output_settle(u->out, t->chunk, line, line + 1,
		     VERDICT_REFUSED, "%s", range->why) != 0)
		transfer_leave(t, VERDICT_RETRY, 0, range->why);
}

/* A single line that is no larger than what was taken before is not refused for
 * its size, whatever stands in the way now. */
static void
judge_size(const struct uplink *u, const struct exchange *x,
    struct intake_verdicts *v)
{
	const struct intake_response r = exchange_response(x);

	if (r.status == 413 && v->n == 1 && x->request.lines == 1 &&
	    v->list[0].verdict == VERDICT_REFUSED &&
	    x->request.body.len <= u->out->taken)
		v->list[0].verdict = VERDICT_RETRY;
}

/* A line that is refused alone is sent again before that is believed: a gateway
 * may have had a moment of its own. */
static bool
is_weak_refusal(const struct exchange *x, const struct intake_verdicts *v)
{
	struct transfer *t = x->transfer;
	size_t line;

	if (v->n != 1 || v->list[0].verdict != VERDICT_REFUSED ||
	    x->request.lines != 1)
		return false;
	line = body_line(x, 0);
	if (t->refused != line)
		t->refusals = 0;
	t->refused = line;
	if (++t->refusals == REFUSALS)
		return false;
	t->next = x->request.from;
	return true;
}

/* Do what the dialect told of the lines of x's request; first of those that
 * are taken, as output_settle() wants it.  Returns why what is left would be
 * blocked, NULL: it is not. */
static const char *
settle_lines(struct uplink *u, struct exchange *x,
    const struct intake_verdicts *v)
{
	size_t first = 0;
	const char *block_why = NULL;
	char why[WHY_MAX];

	for (size_t i = 0; i < v->n; first = v->list[i++].to) {
		if (v->list[i].verdict == VERDICT_DELIVERED)
			settle_taken(u, x, &v->list[i], first);
	}
	if (first < x->request.lines && v->again && v->n > 0) {
		x->transfer->next = x->request.from;
	} else if (first < x->request.lines) {
		(void)snprintf(why, sizeof(why),
		    "%s: the answer does not tell of all events",
		    u->intake.shown);
		transfer_leave(x->transfer, VERDICT_RETRY, exchange_delay(x),
		    why);
	}
	first = 0;
	for (size_t i = 0; i < v->n; first = v->list[i++].to) {
		if (v->list[i].verdict == VERDICT_BLOCKED)
			block_why = v->list[i].why;
		else if (v->list[i].verdict != VERDICT_DELIVERED)
			settle_other(u, x, &v->list[i], first);
	}
	if (v->n > 1)
		x->transfer->partly = true;
	return block_why;
}

void
answer_finish(struct uplink *u, struct exchange *x, CURLcode rc)
{
	struct intake_verdicts v;
	const char *why = NULL;

	answer_judge(u, x, rc, &v);
	judge_size(u, x, &v);
	if (v.n == 1 && v.list[0].verdict == VERDICT_DELIVERED &&
	    u->out->taken < x->request.body.len)
		u->out->taken = x->request.body.len;
	if (!is_weak_refusal(x, &v))
		why = settle_lines(u, x, &v);
	if (why != NULL && x->transfer->verdict == VERDICT_DELIVERED) {
		doubt_begin(u, x, why);
	} else {
		if (rc == CURLE_OK && why == NULL)
			u->out->blocked = false;
		if (x == u->doubt.x)
			doubt_end(u);
		transfer_go_on(u, x);
	}
	intake_verdicts_release(&v);
	transfers_end_blocked(u);
}
