/*
 * pending.c - confirmations that come later than the answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "outputs/http/transport_private.h"

/* A receiver is asked soon at first, then as often as it confirms something:
 * twice as often after it did, half as often after it did not. */
#define POLL_LEAST (CLOCK_SECOND / 10)

/* Between two polls when several had no usable answer. */
#define POLL_FAILED (10 * CLOCK_SECOND)

/* The longest pause that an answer may ask for with Retry-After, which is also
 * no more than a part of the time that a confirmation has. */
#define POLL_ASKED_MAX CLOCK_MINUTE
#define POLL_ASKED_PART 4

static void
poll_after(struct uplink *u, int64_t delay)
{
	const int64_t most = u->intake.poll_every;

	delay = delay > POLL_LEAST ? delay : POLL_LEAST;
	u->poll_delay = delay < most ? delay : most;
	u->poll_at = clock_monotonic() + u->poll_delay;
}

/* Whoever is asked answers, or there is nothing to ask for. */
static void
polls_are_well(struct uplink *u)
{
	u->failed.n = 0;
	u->out->unheard[0] = '\0';
}

void
pending_add(struct uplink *u, const struct pending *p)
{
	u->pending =
	    xreallocarray(u->pending, u->n_pending + 1, sizeof(*u->pending));
	if (u->n_pending == 0)
		poll_after(u, POLL_LEAST);
	u->pending[u->n_pending++] = *p;
	p->transfer->pending++;
}

/* The i-th one is decided; what follows it moves up. */
static void
end_pending(struct uplink *u, size_t i, enum verdict v, const char *why)
{
	struct pending p = u->pending[i];

	u->n_pending--;
	memmove(&u->pending[i], &u->pending[i + 1],
	    (u->n_pending - i) * sizeof(*u->pending));
	if (v == VERDICT_DELIVERED && p.promised > u->confirmed)
		u->confirmed = p.promised;
	if (u->n_pending == 0)
		polls_are_well(u);
	if (v == VERDICT_DELIVERED)
		transfer_deliver(u, p.transfer, p.from, p.to);
	else
		transfer_leave(p.transfer, v, 0, why);
	p.transfer->pending--;
	transfer_end(u, p.transfer);
}

void
intake_confirmed(struct intake *in, uint64_t number)
{
	struct uplink *u = (struct uplink *)in;

	for (size_t i = 0; i < u->n_pending; i++) {
		if (u->pending[i].number != number)
			continue;
		end_pending(u, i, VERDICT_DELIVERED, "");
		return;
	}
}

/* All that is promised will not be heard of. */
static void
fail_pending(struct uplink *u, enum verdict v, const char *why)
{
	while (u->n_pending > 0)
		end_pending(u, 0, v, why);
}

void
intake_forget(struct intake *in, const char *why)
{
	fail_pending((struct uplink *)in, VERDICT_RETRY, why);
}

int64_t
pending_due(const struct uplink *u)
{
	const struct pending *oldest = &u->pending[0];

	if (u->confirmed > oldest->promised + u->intake.poll_overtaken)
		return INT64_MIN;
	return oldest->promised + u->intake.poll_timeout;
}

void
pending_expire(struct uplink *u, int64_t now)
{
	char span[32], why[WHY_MAX];

	if (u->n_pending == 0)
		return;
	text_duration_format(span, u->intake.poll_timeout);
	(void)snprintf(why, sizeof(why),
	    "%s: accepted events but did not confirm them within %s%s%.300s",
	    u->intake.shown, span, u->out->unheard[0] == '\0' ? "" : "; ",
	    u->out->unheard);
	while (u->n_pending > 0 && pending_due(u) <= now)
		end_pending(u, 0, VERDICT_RETRY, why);
}

/* Of a 2xx the status counts, of others what the dialect makes of them; *told:
 * and it did. */
static enum verdict
judge_poll(struct uplink *u, struct exchange *x, CURLcode rc, bool *told,
    char why[WHY_MAX])
{
	struct intake_response r = exchange_response(x);
	enum verdict v = exchange_judge(x, u->intake.shown, rc, why, WHY_MAX);
	struct intake_verdicts list;

	*told = false;
	if (rc != CURLE_OK || r.status / 100 == 2)
		return v;
	intake_verdicts_init(&list, 0);
	if (u->dialect->judge != NULL)
		*told = u->dialect->judge(&u->intake, &r, &list) && list.n > 0;
	if (*told) {
		v = list.list[0].verdict;
		(void)snprintf(why, WHY_MAX, "%s",
		    list.list[0].why == NULL ? "" : list.list[0].why);
	}
	intake_verdicts_release(&list);
	return v;
}

/* How long to wait when the answer asks to wait so long: beyond that what is
 * promised would be sent again unasked. */
static int64_t
bounded(const struct uplink *u, int64_t asked)
{
	int64_t most = u->intake.poll_timeout / POLL_ASKED_PART;

	most = most < POLL_ASKED_MAX ? most : POLL_ASKED_MAX;
	return asked < most ? asked : most;
}

/* A poll told nothing of what is promised, and the next one is asked for so
 * much later, 0: is not.  That is no reason to send it again, unless the
 * receiver itself says often enough that it never will tell. */
static void
poll_failed(struct uplink *u, enum verdict v, bool told, int64_t asked,
    const char *why)
{
	int64_t pause;

	if (u->n_pending == 0)
		return;
	if (v != u->failed.verdict)
		u->failed.n = 0;
	u->failed.verdict = v;
	pause = doubt_pause(u->failed.n++);
	if (pause < 0 && told && v != VERDICT_RETRY) {
		fail_pending(u,
		    v == VERDICT_BLOCKED ? VERDICT_BLOCKED : VERDICT_RETRY,
		    why);
		return;
	}
	if (pause < 0)
		pause = POLL_FAILED;
	asked = bounded(u, asked);
	u->poll_at = clock_monotonic() + (asked > pause ? asked : pause);
	if (u->failed.n > 1)
		(void)snprintf(u->out->unheard, sizeof(u->out->unheard),
		    "asking whether accepted events are kept fails: %.400s",
		    why);
}

void
pending_answer(struct uplink *u, struct exchange *x, CURLcode rc)
{
	struct intake_response r = exchange_response(x);
	char why[WHY_MAX];
	bool told;
	enum verdict v = judge_poll(u, x, rc, &told, why);
	int64_t delay = u->poll_delay;
	size_t before = u->n_pending;

	poll_after(u, 2 * delay);
	if (v == VERDICT_DELIVERED) {
		polls_are_well(u);
		u->dialect->acknowledge(&u->intake, &r);
	} else {
		poll_failed(u, v, told, exchange_delay(x), why);
	}
	if (u->n_pending < before)
		poll_after(u, delay / 2);
	buf_release(&x->request.body);
}

void
pending_poll(struct uplink *u, int64_t now)
{
	struct exchange *x = &u->poll;
	struct err err = ERR_INIT;
	uint64_t *numbers;
	int rc;

	if (u->n_pending == 0 || x->busy || now < u->poll_at)
		return;
	if (u->failed.n > 0 && u->failed.verdict == VERDICT_BLOCKED)
		doubt_read_again(u);
	numbers = xreallocarray(NULL, u->n_pending, sizeof(*numbers));
	for (size_t i = 0; i < u->n_pending; i++)
		numbers[i] = u->pending[i].number;
	rc = intake_request_begin(&x->request, u->conf->url);
	if (rc == 0)
		rc = u->dialect->poll(&u->intake, numbers, u->n_pending,
		    &x->request, &err);
	if (rc == 0)
		rc = request_launch(u, x, u->poll_headers, &err);
	free(numbers);
	if (rc == 0)
		return;
	buf_release(&x->request.body);
	if (rc == INTAKE_LATER)
		poll_failed(u, VERDICT_RETRY, false, 0, err.text);
	else
		fail_pending(u, VERDICT_BLOCKED, err.text);
}
