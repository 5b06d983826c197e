/*
 * transport.c - chunks over HTTPS, several requests in flight.
 *
 * A chunk goes out in one request, or in several, one behind the other, where
 * it is larger in the dialect's form than a request may be.  Each answer
 * settles lines; when all lines of the chunk have been sent, or something has
 * to be sent again, and every confirmation that was promised has come or is
 * overdue, the chunk ends.  When no answer comes it is not known what became
 * of a request, and it is sent again.
 *
 * An answer that would block the output may be a blip: a receiver that is just
 * starting, one bad node behind a load balancer, a token that is being changed.
 * Its request is repeated a few times, with credentials that are read again,
 * while others that are answered so wait for what becomes of it; only then the
 * output is blocked, when nothing is under way any more.
 */
#include "outputs/http/transport.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/access.h"
#include "outputs/http/body.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/exchange.h"
#include "outputs/http/headers.h"
#include "outputs/http/receipt.h"

/* Chunks between the store and their confirmation. */
#define CHUNKS_MAX 128

#define WHY_MAX 512

/* What intake holds before a dialect's open(). */
#define POLL_EVERY CLOCK_SECOND
#define POLL_TIMEOUT (5 * CLOCK_MINUTE)

/* How long after an answer that would block the same is tried again. */
static const int64_t repeat_after[] = { CLOCK_SECOND / 2, 2 * CLOCK_SECOND,
	5 * CLOCK_SECOND };

#define REPEATS (sizeof(repeat_after) / sizeof(repeat_after[0]))

/* One chunk on its way. */
struct transfer {
	struct chunk *chunk; /* NULL: free */
	size_t next;         /* the first line that no request has had */
	bool sending;        /* a request has it */
	bool partly;         /* some lines of its request are settled */
	size_t pending;      /* confirmations */
	/* On the lines that are not settled. */
	enum verdict verdict;
	int64_t delay;
	char why[WHY_MAX];
};

/* A confirmation that was promised. */
struct pending {
	struct transfer *transfer;
	uint64_t number;
	size_t from;
	size_t to;
	int64_t deadline; /* monotonic */
};

struct uplink {
	struct intake intake; /* must stand first: intake_confirmed() */
	struct output *out;
	const struct http_output_conf *conf;
	const struct http_dialect *dialect;
	struct http_access *access;
	struct curl_slist *headers;      /* for lines */
	struct curl_slist *poll_headers; /* without a type */
	CURLM *multi;
	struct body_writer body;
	struct transfer *transfer;
	size_t n_transfers;
	struct exchange *exchange; /* for lines */
	size_t n_exchanges;
	struct exchange poll;
	struct receipt receipt;
	struct {
		struct exchange *x; /* whose request is repeated; NULL: none */
		unsigned repeats;
		int64_t at; /* monotonic: of the next one */
		unsigned polls;
		char why[WHY_MAX];
	} doubt;
	/* Nothing more begins: the chunks that are blocked, for doubt.why, end
	 * when nothing is under way. */
	bool blocked;
	struct pending *pending;
	size_t n_pending;
	int64_t poll_at; /* monotonic: not before */
	bool open;       /* the dialect is */
	bool decided;    /* a chunk, since drive began */
};

/*
 * The verdict on a chunk.
 */

/* The rest of t ends in v, if nothing has happened that counts more. */
static void
leave(struct transfer *t, enum verdict v, int64_t delay, const char *why)
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

static void
block(struct uplink *u, const char *why)
{
	if (!u->blocked)
		(void)snprintf(u->doubt.why, sizeof(u->doubt.why), "%s", why);
	u->blocked = true;
}

/* End t's chunk if nothing of it is under way.  The verdict that it is blocked
 * makes the owner close the output: what others have under way ends first. */
static void
end_transfer(struct uplink *u, struct transfer *t)
{
	struct chunk *chunk = t->chunk;

	if (t->sending || t->pending > 0)
		return;
	if (t->verdict == VERDICT_BLOCKED) {
		block(u, t->why);
		if (is_busy(u))
			return;
		u->out->blocked = true;
	}
	t->chunk = NULL;
	u->decided = true;
	output_done(u->out, chunk, t->verdict, t->delay, "%s", t->why);
}

/* End those that are blocked, now that nothing is under way. */
static void
end_blocked(struct uplink *u)
{
	if (!u->blocked || is_busy(u))
		return;
	for (size_t i = 0; i < u->n_transfers; i++) {
		struct transfer *t = &u->transfer[i];

		if (t->chunk != NULL && t->verdict == VERDICT_BLOCKED)
			end_transfer(u, t);
	}
	u->blocked = false;
}

static void
deliver(struct uplink *u, struct transfer *t, size_t from, size_t to)
{
	(void)output_settle(u->out, t->chunk, from, to, VERDICT_DELIVERED, "%s",
	    "");
}

/*
 * Confirmations.
 */

static void
add_pending(struct uplink *u, const struct pending *p)
{
	u->pending =
	    xreallocarray(u->pending, u->n_pending + 1, sizeof(*u->pending));
	if (u->n_pending == 0)
		u->poll_at = clock_monotonic() + u->intake.poll_every;
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
	if (v == VERDICT_DELIVERED)
		deliver(u, p.transfer, p.from, p.to);
	else
		leave(p.transfer, v, 0, why);
	p.transfer->pending--;
	end_transfer(u, p.transfer);
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

static void
expire_pending(struct uplink *u, int64_t now)
{
	char span[32], why[WHY_MAX];

	if (u->n_pending == 0)
		return;
	text_duration_format(span, u->intake.poll_timeout);
	(void)snprintf(why, sizeof(why),
	    "%s: accepted events but did not confirm them within %s",
	    u->conf->url, span);
	/* The oldest stands first. */
	while (u->n_pending > 0 && u->pending[0].deadline <= now)
		end_pending(u, 0, VERDICT_RETRY, why);
}

/*
 * Requests.
 */

static int
launch(struct uplink *u, struct exchange *x, const struct curl_slist *common,
    struct err *err)
{
	bool again = x == u->doubt.x || (x == &u->poll && u->doubt.polls > 0);

	if (exchange_aim(x, u->access, common, again, err) != 0)
		return -1;
	if (curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x) != CURLE_OK ||
	    curl_multi_add_handle(u->multi, x->easy) != CURLM_OK)
		return err_set(err, "libcurl: rejects the request");
	x->busy = true;
	return 0;
}

/* Send the request that has been rendered for the lines from from on. */
static int
send_lines(struct uplink *u, struct exchange *x, size_t from, struct err *err)
{
	struct transfer *t = x->transfer;
	struct intake_request *r = &x->request;

	if (intake_request_begin(r, u->conf->url) != 0)
		return err_set(err, "url: too long");
	r->chunk = t->chunk;
	r->from = from;
	r->to = t->next;
	r->lines = x->carried.n;
	if (u->dialect->prepare != NULL &&
	    u->dialect->prepare(&u->intake, r, err) != 0)
		return -1;
	return launch(u, x, u->headers, err);
}

/* Send what comes next of x's chunk; where nothing does, x is free. */
static void
go_on(struct uplink *u, struct exchange *x)
{
	struct transfer *t = x->transfer;
	struct err err = ERR_INIT;

	if (u->blocked && t->next < chunk_lines(t->chunk))
		leave(t, VERDICT_BLOCKED, 0, u->doubt.why);
	while (t->verdict == VERDICT_DELIVERED &&
	    t->next < chunk_lines(t->chunk)) {
		size_t from = t->next;

		if (body_write(&u->body, x, t->chunk, &t->next,
			from == 0 && !t->partly, &err) != 0)
			leave(t, VERDICT_REFUSED, 0, err.text);
		else if (x->request.body.len == 0)
			continue; /* nothing of them is wanted */
		else if (send_lines(u, x, from, &err) == 0)
			return;
		else
			leave(t, VERDICT_BLOCKED, 0, err.text);
	}
	buf_release(&x->request.body);
	x->transfer = NULL;
	t->sending = false;
	end_transfer(u, t);
}

/*
 * Answers.
 */

/* Have the dialect judge the end of x, or else the status.  A 2xx whose body is
 * not the receiver's is nothing for the dialect. */
static void
judge(struct uplink *u, struct exchange *x, CURLcode rc,
    struct intake_verdicts *v)
{
	struct intake_response r = exchange_response(x);
	char why[WHY_MAX];
	enum verdict verdict =
	    exchange_judge(x, u->conf->url, rc, why, sizeof(why));
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
		.deadline = clock_monotonic() + u->intake.poll_timeout };

	if (range->pending)
		add_pending(u, &p);
	else
		deliver(u, p.transfer, p.from, p.to);
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
		leave(t, range->verdict, exchange_delay(x), range->why);
	else if (output_settle(u->out, t->chunk, line, line + 1,
		     VERDICT_REFUSED, "%s", range->why) != 0)
		leave(t, VERDICT_RETRY, 0, range->why);
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
	if (first < x->request.lines) {
		(void)snprintf(why, sizeof(why),
		    "%s: the answer does not tell of all events", u->conf->url);
		leave(x->transfer, VERDICT_RETRY, exchange_delay(x), why);
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

/*
 * Doubts.
 */

/* Read the credentials again.  What cannot be read now stays as it was: it may
 * just be written; the next open() tells what is wrong with it. */
static void
read_again(struct uplink *u)
{
	struct curl_slist *headers = NULL, *poll_headers = NULL;
	struct err why = ERR_INIT;

	if (http_access_reload(u->access, &why) != 0 ||
	    http_head(u->conf, u->dialect->content_type, &headers, &why) != 0)
		return;
	if (http_head(u->conf, NULL, &poll_headers, &why) != 0) {
		http_head_free(headers);
		return;
	}
	http_head_free(u->headers);
	http_head_free(u->poll_headers);
	u->headers = headers;
	u->poll_headers = poll_headers;
}

/* Send what x's request carried once more. */
static void
send_again(struct uplink *u, struct exchange *x)
{
	x->held = false;
	x->transfer->next = x->request.from;
	go_on(u, x);
}

/* There is no doubt any more: those that waited for that go on. */
static void
end_doubt(struct uplink *u)
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
	block(u, why);
	u->doubt.x = NULL;
	for (size_t i = 0; i < u->n_exchanges; i++) {
		struct exchange *x = &u->exchange[i];
		struct transfer *t = x->transfer;

		if (!x->held)
			continue;
		x->held = false;
		x->transfer = NULL;
		leave(t, VERDICT_BLOCKED, 0, u->doubt.why);
		t->sending = false;
		end_transfer(u, t);
	}
}

/* The answer to x would block: hold it, and repeat the request unless another
 * is repeated already.  An output that was blocked before is not given the
 * benefit of the doubt. */
static void
doubt(struct uplink *u, struct exchange *x, const char *why)
{
	buf_release(&x->request.body);
	x->held = true;
	if (u->doubt.x == NULL) {
		u->doubt.x = x;
		u->doubt.repeats = 0;
	}
	if (u->blocked || u->out->blocked ||
	    (x == u->doubt.x && u->doubt.repeats == REPEATS))
		give_up(u, why);
	else if (x == u->doubt.x)
		u->doubt.at =
		    clock_monotonic() + repeat_after[u->doubt.repeats];
}

static void
repeat_doubted(struct uplink *u, int64_t now)
{
	struct exchange *x = u->doubt.x;

	if (x == NULL || x->busy || now < u->doubt.at)
		return;
	u->doubt.repeats++;
	read_again(u);
	send_again(u, x);
	if (!x->busy)
		end_doubt(u);
}

/* The answer to lines. */
static void
finish_lines(struct uplink *u, struct exchange *x, CURLcode rc)
{
	struct intake_verdicts v;
	const char *why;

	judge(u, x, rc, &v);
	why = settle_lines(u, x, &v);
	if (why != NULL && x->transfer->verdict == VERDICT_DELIVERED) {
		doubt(u, x, why);
	} else {
		if (rc == CURLE_OK && why == NULL)
			u->out->blocked = false;
		if (x == u->doubt.x)
			end_doubt(u);
		go_on(u, x);
	}
	intake_verdicts_release(&v);
	end_blocked(u);
}

/* The answer to a poll. */
static void
finish_poll(struct uplink *u, struct exchange *x, CURLcode rc)
{
	struct intake_response r = exchange_response(x);
	char why[WHY_MAX];
	enum verdict v = exchange_judge(x, u->conf->url, rc, why, sizeof(why));

	u->poll_at = clock_monotonic() + u->intake.poll_every;
	if (v == VERDICT_BLOCKED && u->doubt.polls < REPEATS)
		u->poll_at = clock_monotonic() + repeat_after[u->doubt.polls++];
	else if (v == VERDICT_BLOCKED)
		fail_pending(u, VERDICT_BLOCKED, why);
	else if (rc != CURLE_OK || v == VERDICT_REFUSED)
		fail_pending(u, VERDICT_RETRY, why);
	else if (v == VERDICT_DELIVERED)
		u->dialect->acknowledge(&u->intake, &r);
	if (v != VERDICT_BLOCKED)
		u->doubt.polls = 0;
	buf_release(&x->request.body);
}

static void
finish(struct uplink *u, struct exchange *x, CURLcode rc)
{
	curl_off_t sent = 0;
	long connects = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects);
	u->out->bytes += (uint64_t)sent;
	u->out->connects += (uint64_t)connects;
	(void)curl_multi_remove_handle(u->multi, x->easy);
	x->busy = false;
	if (x == &u->poll)
		finish_poll(u, x, rc);
	else
		finish_lines(u, x, rc);
	if (!x->busy)
		buf_release(&x->answer);
}

/* Ask for what is promised, when it is time to. */
static void
poll_pending(struct uplink *u, int64_t now)
{
	struct exchange *x = &u->poll;
	struct err err = ERR_INIT;
	uint64_t *numbers;
	int rc;

	if (u->n_pending == 0 || x->busy || now < u->poll_at)
		return;
	if (u->doubt.polls > 0)
		read_again(u);
	numbers = xreallocarray(NULL, u->n_pending, sizeof(*numbers));
	for (size_t i = 0; i < u->n_pending; i++)
		numbers[i] = u->pending[i].number;
	rc = intake_request_begin(&x->request, u->conf->url);
	if (rc == 0)
		rc = u->dialect->poll(&u->intake, numbers, u->n_pending,
		    &x->request, &err);
	if (rc == 0)
		rc = launch(u, x, u->poll_headers, &err);
	free(numbers);
	if (rc != 0)
		fail_pending(u, VERDICT_BLOCKED, err.text);
}

/*
 * The output type's functions.
 */

static void
uplink_free(struct uplink *u)
{
	if (u->open && u->dialect->close != NULL)
		u->dialect->close(&u->intake);
	for (size_t i = 0; i < u->n_exchanges; i++)
		exchange_release(&u->exchange[i]);
	exchange_release(&u->poll);
	if (u->multi != NULL)
		(void)curl_multi_cleanup(u->multi);
	http_head_free(u->headers);
	http_head_free(u->poll_headers);
	http_access_free(u->access);
	body_writer_release(&u->body);
	receipt_release(&u->receipt);
	free(u->exchange);
	free(u->transfer);
	free(u->pending);
	free(u);
}

static int
uplink_load(struct uplink *u, struct err *err)
{
	size_t n = (size_t)u->conf->parallel;

	if (receipt_init(&u->receipt, u->conf->expect,
		u->dialect->judge == NULL, err) != 0)
		return -1;
	u->access = http_access_open(&u->conf->common, err);
	if (u->access == NULL ||
	    http_head(u->conf, u->dialect->content_type, &u->headers, err) !=
		0 ||
	    http_head(u->conf, NULL, &u->poll_headers, err) != 0)
		return -1;
	u->multi = curl_multi_init();
	if (u->multi == NULL)
		return err_set(err, "libcurl: cannot be initialised");
	u->exchange = xcalloc(n, sizeof(*u->exchange));
	while (u->n_exchanges < n) {
		if (exchange_init(&u->exchange[u->n_exchanges++], &u->receipt,
			err) != 0)
			return -1;
	}
	if (exchange_init(&u->poll, NULL, err) != 0)
		return -1;
	u->n_transfers = u->dialect->poll == NULL ? n : CHUNKS_MAX;
	u->transfer = xcalloc(u->n_transfers, sizeof(*u->transfer));
	if (u->dialect->open != NULL && u->dialect->open(&u->intake, err) != 0)
		return -1;
	u->open = true;
	return 0;
}

int
http_open(struct output *out, struct err *err)
{
	struct uplink *u = xcalloc(1, sizeof(*u));

	u->out = out;
	u->conf = out->conf;
	u->dialect = out->type->dialect;
	u->body = (struct body_writer){ .out = out,
		.intake = &u->intake,
		.dialect = u->dialect,
		.compress = u->conf->compress };
	body_writer_init(&u->body);
	u->intake = (struct intake){
		.out = out,
		.conf = out->conf,
		.body_max = (size_t)u->conf->max_body,
		.poll_every = POLL_EVERY,
		.poll_timeout = POLL_TIMEOUT,
	};
	if (uplink_load(u, err) != 0) {
		uplink_free(u);
		return -1;
	}
	out->state = u;
	out->chunk_max = u->intake.body_max;
	out->mode = "acknowledged";
	return 0;
}

/* Chunks that only wait for confirmation take nobody's place.  In doubt those
 * that are here are enough. */
size_t
http_window(const struct output *out)
{
	const struct uplink *u = out->state;
	bool closed = u->blocked || u->doubt.x != NULL;
	size_t n = closed ? 0 : u->n_exchanges;

	for (size_t i = 0; i < u->n_transfers; i++)
		n += u->transfer[i].chunk != NULL &&
		    (closed || !u->transfer[i].sending);
	return n < u->n_transfers ? n : u->n_transfers;
}

/* Perhaps what was wrong has been put right. */
void
http_reopen(struct output *out)
{
	struct uplink *u = out->state;

	u->doubt.at = clock_monotonic();
}

void
http_send(struct output *out, struct chunk *chunk)
{
	struct uplink *u = out->state;
	struct exchange *x = u->exchange;
	struct transfer *t = u->transfer;

	while (x->transfer != NULL)
		x++;
	while (t->chunk != NULL)
		t++;
	*t = (struct transfer){
		.chunk = chunk, .sending = true, .verdict = VERDICT_DELIVERED
	};
	x->transfer = t;
	go_on(u, x);
}

/* Microseconds until something of confirmations or doubts is due, at most
 * left. */
static int64_t
rest(const struct uplink *u, int64_t left)
{
	int64_t now = clock_monotonic(), due = now + left;

	if (u->n_pending > 0 && u->pending[0].deadline < due)
		due = u->pending[0].deadline;
	if (u->n_pending > 0 && !u->poll.busy && u->poll_at < due)
		due = u->poll_at;
	if (u->doubt.x != NULL && !u->doubt.x->busy && u->doubt.at < due)
		due = u->doubt.at;
	return due > now ? due - now : 0;
}

void
http_drive(struct output *out, int wake_fd, int timeout_ms)
{
	struct uplink *u = out->state;
	struct curl_waitfd wake = { .fd = wake_fd, .events = CURL_WAIT_POLLIN };
	int64_t until = clock_monotonic() + timeout_ms * CLOCK_SECOND / 1000;
	int64_t left;
	CURLMsg *m;
	int n;

	u->decided = false;
	do {
		expire_pending(u, clock_monotonic());
		poll_pending(u, clock_monotonic());
		repeat_doubted(u, clock_monotonic());
		(void)curl_multi_perform(u->multi, &n);
		while ((m = curl_multi_info_read(u->multi, &n)) != NULL) {
			struct exchange *x = NULL;

			if (m->msg == CURLMSG_DONE &&
			    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE,
				&x) == CURLE_OK)
				finish(u, x, m->data.result);
		}
		left = until - clock_monotonic();
		if (u->decided || left <= 0)
			break;
		wake.revents = 0;
		(void)curl_multi_poll(u->multi, &wake, 1,
		    (int)((rest(u, left) + 999) / 1000), &n);
	} while (wake.revents == 0);
}

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
	judge(u, x, rc, &verdicts);
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

void
http_close(struct output *out)
{
	struct uplink *u = out->state;

	for (size_t i = 0; i < u->n_exchanges; i++) {
		if (u->exchange[i].busy)
			(void)curl_multi_remove_handle(u->multi,
			    u->exchange[i].easy);
	}
	if (u->poll.busy)
		(void)curl_multi_remove_handle(u->multi, u->poll.easy);
	for (size_t i = 0; i < u->n_transfers; i++) {
		if (u->transfer[i].chunk != NULL)
			output_done(out, u->transfer[i].chunk, VERDICT_RETRY, 0,
			    "the output was closed");
	}
	uplink_free(u);
	out->state = NULL;
}
