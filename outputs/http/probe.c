/*
 * probe.c - check --live: is what stands behind the URL what it should be?
 */
#include "base/err.h"
#include "outputs/http/transport.h"
#include "outputs/http/transport_private.h"

/* Make the request of a probe. */
static int
aim_probe(struct uplink *u, struct exchange *x, struct err *err)
{
	buf_clear(&x->request.body);
	if (intake_request_begin(&x->request, u->conf->url) != 0)
		return err_set(err, "url: too long");
	if (u->dialect->probe != NULL &&
	    u->dialect->probe(&u->intake, &x->request, err) != 0)
		return -1;
	if (u->conf->compress &&
	    body_pack(&u->body, &x->request.body, err) != 0)
		return -1;
	return exchange_aim(x, u->access, u->headers, false, err);
}

/* An empty request: whoever takes it, or finds fault with its emptiness, has
 * accepted host, path and credentials.  Splunk HEC answers 400 "No data",
 * Elasticsearch 400 "request body is required", Loki 400, a plain receiver of
 * lines 200.  Emptiness is packed as lines are: no bytes at all are no gzip,
 * which gateways and Go programs may answer with a 500. */
int
http_probe(struct output *out, struct buf *message, struct err *err)
{
	struct uplink *u = out->state;
	struct exchange *x = &u->exchange[0];
	struct intake_verdicts verdicts;
	enum verdict v;
	CURLcode rc;
	char why[WHY_MAX];

	if (aim_probe(u, x, err) != 0)
		return -1;
	rc = curl_easy_perform(x->easy);
	v = exchange_judge(x, u->conf->url, rc, why, sizeof(why));
	answer_judge(u, x, rc, &verdicts);
	if (verdicts.n > 0)
		v = verdicts.list[0].verdict;
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
