/*
 * transport.c - chunks over HTTPS, several requests in flight.
 *
 * A chunk goes out in one request, or in several, one behind the other, where
 * it is larger in the dialect's form than a request may be.  Each answer
 * settles lines; when all lines of the chunk have been sent, or something has
 * to be sent again, and every confirmation that was promised has come or is
 * overdue, the chunk ends.  When no answer comes it is not known what became
 * of a request, and it is sent again.
 */
#include "outputs/http/transport.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "delivery/member.h"
#include "http/access.h"
#include "http/shown.h"
#include "outputs/http/headers.h"
#include "outputs/http/transport_private.h"

/* Chunks between the store and their confirmation. */
#define CHUNKS_MAX 128

/* What intake holds before a dialect's open(). */
#define POLL_EVERY CLOCK_SECOND
#define POLL_TIMEOUT (5 * CLOCK_MINUTE)
#define POLL_OVERTAKEN (30 * CLOCK_SECOND)

/*
 * Requests.
 */

int
request_launch(struct uplink *u, struct exchange *x,
    const struct curl_slist *common, struct err *err)
{
	bool again = x == u->doubt.x || (x == &u->poll && u->failed.n > 0);

	if (exchange_aim(x, u->access, common, again, err) != 0)
		return -1;
	if (curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x) != CURLE_OK ||
	    curl_multi_add_handle(u->multi, x->easy) != CURLM_OK)
		return err_set(err, "libcurl: rejects the request");
	x->busy = true;
	return 0;
}

/* Send the request that has been rendered for the lines from from on; returns
 * what prepare() does. */
static int
send_lines(struct uplink *u, struct exchange *x, size_t from, struct err *err)
{
	struct transfer *t = x->transfer;
	struct intake_request *r = &x->request;
	int rc = 0;

	if (intake_request_begin(r, u->conf->url) != 0)
		return err_set(err, "url: too long");
	r->chunk = t->chunk;
	r->from = from;
	r->to = t->next;
	r->lines = x->carried.n;
	if (u->dialect->prepare != NULL)
		rc = u->dialect->prepare(&u->intake, r, err);
	return rc != 0 ? rc : request_launch(u, x, u->headers, err);
}

void
transfer_go_on(struct uplink *u, struct exchange *x)
{
	struct transfer *t = x->transfer;
	struct err err = ERR_INIT;

	if (u->blocked && t->next < chunk_lines(t->chunk))
		transfer_leave(t, VERDICT_BLOCKED, 0, u->doubt.why);
	while (t->verdict == VERDICT_DELIVERED &&
	    t->next < chunk_lines(t->chunk)) {
		size_t from = t->next;
		int rc;

		if (body_write(&u->body, x, t->chunk, &t->next,
			from == 0 && !t->partly, &err) != 0)
			transfer_leave(t, VERDICT_REFUSED, 0, err.text);
		else if (x->request.body.len == 0)
			continue; /* nothing of them is wanted */
		else if ((rc = send_lines(u, x, from, &err)) == 0)
			return;
		else
			transfer_leave(t,
			    rc == INTAKE_LATER ? VERDICT_RETRY
					       : VERDICT_BLOCKED,
			    0, err.text);
	}
	body_end(&u->body, x);
	x->transfer = NULL;
	t->sending = false;
	u->room = true;
	transfer_end(u, t);
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
	if (mute_again(&x->mute, x->easy, &rc, x->trouble) &&
	    curl_multi_add_handle(u->multi, x->easy) == CURLM_OK)
		return;
	x->busy = false;
	exchange_unpack(x);
	if (x == &u->poll) {
		pending_answer(u, x, rc);
	} else {
		u->out->breaks += exchange_broke(x, rc);
		answer_finish(u, x, rc);
	}
	if (!x->busy)
		buf_release(&x->answer);
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
	(void)curl_share_cleanup(u->share);
	member_reader_free(u->intake.members);
	buf_release(&u->intake.text);
	buf_release(&u->intake.id);
	http_head_free(u->headers);
	http_head_free(u->poll_headers);
	http_access_free(u->access);
	body_writer_release(&u->body);
	receipt_release(&u->receipt);
	free(u->exchange);
	free(u->transfer);
	free(u->pending);
	free(u->shown);
	free(u);
}

int
uplink_head(struct uplink *u, struct err *err)
{
	struct http_head head = { .conf = u->conf,
		.token_header = u->intake.token_header,
		.type = u->intake.content_type,
		.compress = u->intake.compress };
	struct curl_slist *headers = NULL, *poll_headers = NULL;

	if (http_head(&head, &headers, err) != 0)
		return -1;
	head.type = NULL;
	if (http_head(&head, &poll_headers, err) != 0) {
		http_head_free(headers);
		return -1;
	}
	http_head_free(u->headers);
	http_head_free(u->poll_headers);
	u->headers = headers;
	u->poll_headers = poll_headers;
	return 0;
}

/* Handles for the requests that may be under way. */
static int
make_exchanges(struct uplink *u, struct err *err)
{
	size_t n = (size_t)u->conf->parallel;

	u->multi = curl_multi_init();
	u->share = curl_share_init();
	if (u->multi == NULL || u->share == NULL ||
	    curl_share_setopt(u->share, CURLSHOPT_SHARE,
		CURL_LOCK_DATA_COOKIE) != CURLSHE_OK)
		return err_set(err, "libcurl: cannot be initialised");
	u->exchange = xcalloc(n, sizeof(*u->exchange));
	while (u->n_exchanges < n) {
		if (exchange_init(&u->exchange[u->n_exchanges++], &u->receipt,
			u->share, err) != 0)
			return -1;
	}
	u->n_transfers = u->dialect->poll == NULL ? n : CHUNKS_MAX;
	u->transfer = xcalloc(u->n_transfers, sizeof(*u->transfer));
	return exchange_init(&u->poll, NULL, u->share, err);
}

static int
uplink_load(struct uplink *u, struct err *err)
{
	if (receipt_init(&u->receipt, u->conf->expect,
		u->dialect->judge == NULL, err) != 0)
		return -1;
	u->access = http_access_open(&u->conf->common, err);
	if (u->access == NULL || make_exchanges(u, err) != 0)
		return -1;
	u->intake.access = u->access;
	if (u->dialect->open != NULL && u->dialect->open(&u->intake, err) != 0)
		return -1;
	u->open = true;
	return uplink_head(u, err);
}

int
http_open(struct output *out, struct err *err)
{
	struct uplink *u = xcalloc(1, sizeof(*u));

	u->out = out;
	u->conf = out->conf;
	u->dialect = out->type->dialect;
	u->shown = http_shown(u->conf->url);
	u->body = (struct body_writer){
		.out = out, .intake = &u->intake, .dialect = u->dialect
	};
	body_writer_init(&u->body);
	u->intake = (struct intake){
		.out = out,
		.conf = out->conf,
		.members = member_reader_new(),
		.text = BUF_INIT(EXCHANGE_BODY_MAX),
		.id = BUF_INIT(EXCHANGE_BODY_MAX),
		.shown = u->shown,
		.content_type = u->dialect->content_type,
		.compress = u->conf->compress,
		.token_header = u->dialect->token_header,
		.suffix = u->dialect->suffix,
		.body_max = (size_t)u->conf->max_body,
		.poll_every = POLL_EVERY,
		.poll_timeout = POLL_TIMEOUT,
		.poll_overtaken = POLL_OVERTAKEN,
	};
	if (uplink_load(u, err) != 0) {
		uplink_free(u);
		return -1;
	}
	out->state = u;
	out->chunk_max = u->intake.body_max;
	out->batches = u->dialect->batches;
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

size_t
http_waiting(const struct output *out)
{
	const struct uplink *u = out->state;
	size_t n = 0;

	for (size_t i = 0; i < u->n_transfers; i++)
		n += u->transfer[i].chunk != NULL && !u->transfer[i].sending;
	return n;
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
	transfer_go_on(u, x);
}

/* Microseconds until something of confirmations or doubts is due, at most
 * left. */
static int64_t
rest(const struct uplink *u, int64_t left)
{
	int64_t now = clock_monotonic(), due = now + left;

	if (u->n_pending > 0 && pending_due(u) < due)
		due = pending_due(u);
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

	u->room = false;
	do {
		pending_expire(u, clock_monotonic());
		pending_poll(u, clock_monotonic());
		doubt_repeat(u, clock_monotonic());
		(void)curl_multi_perform(u->multi, &n);
		while ((m = curl_multi_info_read(u->multi, &n)) != NULL) {
			struct exchange *x = NULL;

			if (m->msg == CURLMSG_DONE &&
			    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE,
				&x) == CURLE_OK)
				finish(u, x, m->data.result);
		}
		left = until - clock_monotonic();
		if (u->room || left <= 0)
			break;
		wake.revents = 0;
		(void)curl_multi_poll(u->multi, &wake, 1,
		    (int)((rest(u, left) + 999) / 1000), &n);
	} while (wake.revents == 0);
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
	out->unheard[0] = '\0';
	uplink_free(u);
	out->state = NULL;
}
