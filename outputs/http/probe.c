/*
 * probe.c - check --live: is what stands behind the URL what it should be?
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "outputs/http/transport.h"
#include "outputs/http/transport_private.h"

/* Make the request of a step; 1: there is no such step. */
static int
aim(struct uplink *u, struct exchange *x, unsigned step, struct err *err)
{
	int rc = step == 0 ? 0 : 1;
	bool plain;

	buf_clear(&x->request.body);
	if (intake_request_begin(&x->request, u->conf->url) != 0)
		return err_set(err, "url: too long");
	if (u->dialect->probe != NULL)
		rc = u->dialect->probe(&u->intake, step, &x->request, err);
	if (rc != 0)
		return rc == INTAKE_LATER && err->text[0] != '\0' ? -1 : rc;
	plain = x->request.plain || strcmp(x->request.method, "GET") == 0;
	if (u->intake.compress && !plain &&
	    body_pack(&u->body, &x->request.body, err) != 0)
		return -1;
	return exchange_aim(x, u->access, plain ? u->poll_headers : u->headers,
	    false, err);
}

/* Whoever takes an empty request, or finds fault with its emptiness, has
 * accepted host, path and credentials. */
static int
judge_empty(struct uplink *u, struct exchange *x, CURLcode rc,
    struct buf *message, struct err *err)
{
	struct intake_verdicts verdicts;
	char why[WHY_MAX];
	enum verdict v =
	    exchange_judge(x, u->intake.shown, rc, why, sizeof(why));

	answer_judge(u, x, rc, &verdicts);
	if (verdicts.n > 0)
		v = verdicts.list[0].verdict;
	if (verdicts.n > 0 && verdicts.list[0].why != NULL)
		(void)snprintf(why, sizeof(why), "%s", verdicts.list[0].why);
	intake_verdicts_release(&verdicts);
	if (v != VERDICT_DELIVERED && v != VERDICT_REFUSED)
		return err_set(err, "%s (to an empty request)", why);
	if (buf_addf(message,
		v == VERDICT_DELIVERED
		    ? "%s (to an empty request); delivery is acknowledged"
		    : "%s (to an empty request, which it may refuse; if the "
		      "reason is another one, correct that); delivery is "
		      "acknowledged",
		why) != 0)
		return err_set(err, "the result is too large");
	return 0;
}

/* Make one request, and say what the answer tells. */
static int
look(struct uplink *u, struct exchange *x, unsigned step, struct buf *message,
    struct err *err)
{
	CURLcode rc;
	struct intake_response r;
	char why[WHY_MAX];
	bool foreign;
	int found = 1;

	do
		rc = curl_easy_perform(x->easy);
	while (mute_again(&x->mute, x->easy, &rc, x->trouble));
	exchange_unpack(x);
	r = exchange_response(x);
	foreign = exchange_judge(x, u->intake.shown, rc, why, sizeof(why)) ==
		VERDICT_BLOCKED &&
	    r.status >= 200 && r.status < 300;
	if (rc == CURLE_OK && !foreign && u->dialect->probed != NULL)
		found = u->dialect->probed(&u->intake, step, &r, message, err);
	return found == 1 ? judge_empty(u, x, rc, message, err) : found;
}

/* Without steps of a dialect's own an empty request, packed as lines are: no
 * bytes at all are no gzip, which gateways and Go programs may answer with a
 * 500. */
int
http_probe(struct output *out, struct buf *message, struct err *err)
{
	struct uplink *u = out->state;
	struct exchange *x = &u->exchange[0];
	int rc;

	for (unsigned step = 0;; step++) {
		rc = aim(u, x, step, err);
		if (rc == 0)
			rc = look(u, x, step, message, err);
		if (rc != 0)
			return rc == 1 ? 0 : -1;
	}
}
