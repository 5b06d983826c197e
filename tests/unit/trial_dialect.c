/*
 * trial_dialect.c - a dialect that wants a JSON array, judges each line, and
 * confirms later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/text.h"
#include "outputs/http/dialect.h"
#include "outputs/http/transport.h"
#include "tests/unit/trial_dialect.h"

struct trial_seen trial_seen;

static int
trial_open(struct intake *in, struct err *err)
{
	const struct trial_conf *conf = in->conf;

	(void)err;
	in->lines_max = conf->lines_max;
	in->poll_every = conf->poll_every;
	in->poll_timeout = conf->poll_timeout;
	in->poll_overtaken = CLOCK_SECOND / 20;
	in->state = xcalloc(1, sizeof(int)); /* a leak is found by ASan */
	return 0;
}

static void
trial_close(struct intake *in)
{
	free(in->state);
}

static int
trial_render(struct intake *in, const struct chunk_line *line, struct buf *body,
    struct err *err)
{
	bool json = json_valid(line->value, line->len);

	(void)in;
	if (memmem(line->value, line->len, "never", 5) != NULL)
		return err_set(err, "it can never be sent");
	if (line->checkpoint || memmem(line->value, line->len, "skip", 4))
		return 0;
	if (buf_addf(body,
		"{\"feed\":\"%s\",\"index\":%llu,\"type\":\"%s\",\"time\":%lld,"
		"\"%s\":",
		line->feed, (unsigned long long)line->number, line->source_type,
		(long long)(line->when / CLOCK_SECOND),
		json ? "event" : "text") != 0 ||
	    (json ? buf_add(body, line->value, line->len)
		  : text_json_string(body, line->value, line->len)) != 0 ||
	    buf_add(body, "}", 1) != 0)
		return err_set(err, "too large");
	return 0;
}

static bool
trial_apart(struct intake *in, const struct chunk_line *line)
{
	(void)in;
	return memmem(line->value, line->len, "apart", 5) != NULL;
}

static int
trial_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct trial_conf *conf = in->conf;
	int *prepared = in->state;
	char query[64];

	if (conf->later && (*prepared)++ == 0) {
		(void)err_set(err, "no token yet");
		return INTAKE_LATER;
	}
	(void)snprintf(query, sizeof(query), "from=%zu&to=%zu", r->from, r->to);
	r->method = "PUT";
	intake_url(r, conf->path, query);
	intake_header(r, "X-Channel", conf->header);
	return 0;
}

static void
trial_renew(struct intake *in)
{
	(void)in;
	trial_seen.renewed++;
}

/* {"items":[{"status":200},…]} or {"ack":7}; "again": the others at once;
 * "forget": what was promised. */
static bool
trial_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	json_t *root = json_loadb(r->body, r->len, 0, NULL), *item;
	json_t *ack = json_object_get(root, "ack");
	size_t i;

	(void)in;
	trial_seen.len = r->len;
	trial_seen.cut = r->cut;
	if (r->status != 200 && r->lines > 0)
		return false;
	if (json_is_true(json_object_get(root, "again")))
		intake_again(v);
	if (json_is_true(json_object_get(root, "forget")))
		intake_forget(in, "it began anew");
	if (ack != NULL)
		intake_pending(v, r->lines, (uint64_t)json_integer_value(ack));
	json_array_foreach(json_object_get(root, "items"), i, item)
	{
		json_int_t status =
		    json_integer_value(json_object_get(item, "status"));

		if (status < 300)
			intake_verdict(v, i + 1, VERDICT_DELIVERED, "%s", "");
		else
			intake_verdict(v, i + 1,
			    status == 400       ? VERDICT_REFUSED
				: status == 403 ? VERDICT_BLOCKED
						: VERDICT_RETRY,
			    "item %zu: %.30s", i,
			    json_string_value(json_object_get(item, "error")));
	}
	json_decref(root);
	return true;
}

static int
trial_poll(struct intake *in, const uint64_t *numbers, size_t n,
    struct intake_request *r, struct err *err)
{
	const struct trial_conf *conf = in->conf;
	int *polled = in->state;

	if (conf->poll_later && (*polled)++ == 0) {
		(void)err_set(err, "no token yet");
		return INTAKE_LATER;
	}
	intake_url(r, "/ack", NULL);
	intake_header(r, "Content-Type", "application/json");
	for (size_t i = 0; i < n; i++)
		if (buf_addf(&r->body, "%s%llu", i == 0 ? "{\"acks\":[" : ",",
			(unsigned long long)numbers[i]) != 0)
			return err_set(err, "too many");
	return buf_adds(&r->body, "]}");
}

static void
trial_acknowledge(struct intake *in, const struct intake_response *r)
{
	json_t *root = json_loadb(r->body, r->len, 0, NULL), *value;
	const char *number;

	json_object_foreach(json_object_get(root, "acks"), number,
	    value) if (json_is_true(value))
	    intake_confirmed(in, strtoull(number, NULL, 10));
	json_decref(root);
}

static int
trial_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	(void)in;
	if (step > 1)
		return 1;
	intake_url(r, "/bulk", "probe");
	return buf_adds(&r->body, "[]") != 0 ? err_set(err, "too large") : 0;
}

static int
trial_probed(struct intake *in, unsigned step, const struct intake_response *r,
    struct buf *message, struct err *err)
{
	(void)in;
	if (r->status == 418)
		return err_set(err, "step %u: it is a teapot", step);
	return r->status == 200 ? buf_addf(message, "step %u: ", step) : 1;
}

static const struct http_dialect trial = {
	.content_type = "application/json",
	.open = trial_open,
	.close = trial_close,
	.apart = trial_apart,
	.render = trial_render,
	.prefix = "[",
	.separator = ",",
	.suffix = "]",
	.prepare = trial_prepare,
	.judge = trial_judge,
	.renew = trial_renew,
	.poll = trial_poll,
	.acknowledge = trial_acknowledge,
	.probe = trial_probe,
	.probed = trial_probed,
};

static const struct setting no_settings[] = { SETTING_END };

const struct output_type output_trial = {
	.type = { .name = "trial", .settings = no_settings },
	.dialect = &trial,
	HTTP_TRANSPORT,
};
