/*
 * session.c - RFC 5424 messages over RFC 5425 TLS or RFC 6587 TCP, with
 * confirmed delivery where the receiver's TLS library makes that possible.
 *
 * Chunks go out one behind the other.  A chunk is delivered when the
 * receiver has proven to have read it (confirm.h).  Where it cannot prove
 * anything, a chunk counts as delivered when the receiver's kernel has
 * acknowledged all of it, and since then hold.bytes more were acknowledged,
 * which is more than a kernel keeps for an application that does not read, or
 * hold.time has passed.  When a connection ends in any way, all chunks that
 * are not delivered are sent again.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "outputs/output.h"
#include "outputs/syslog/conf.h"
#include "outputs/syslog/confirm.h"
#include "outputs/syslog/framer.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/tls.h"
#include "store/feed.h"

/* How often the kernel is asked what has left, while something is held. */
#define LOOK (50 * CLOCK_SECOND / 1000)

/* Connections in a row whose peer stopped answering before it is believed
 * that it has been replaced by one that does not. */
#define SILENT_MAX 3

/* Waiting for confirmation is extended up to timeout << this. */
#define TIMEOUT_SHIFT_MAX 6

/* What delivery is worth, for status. */
#define MODE_CONFIRMED "confirmed"
#define MODE_UNCONFIRMED "unconfirmed"
#define MODE_UNKNOWN "not known yet"

/* Chunks, and beside hold.bytes bytes, between the store and their
 * confirmation.  Most chunks are small, and none may wait for the
 * confirmation of others. */
#define IN_FLIGHT_MAX 128
#define IN_FLIGHT_BYTES (4 << 20)

struct in_flight {
	struct chunk *chunk;
	uint64_t end;            /* link_sent() behind its last byte */
	int64_t acknowledged_at; /* when all of that had left; 0: not yet */
};

struct session {
	struct output *out;
	const struct syslog_conf *conf;
	char host[256];
	char port[6];
	struct tls *tls;
	struct framer *framer;
	struct link *link;
	struct confirm confirm;
	bool up;                /* the link was, when last looked */
	bool known;             /* the peer answers requests */
	unsigned silent;        /* see SILENT_MAX */
	unsigned timeout_shift; /* see TIMEOUT_SHIFT_MAX */
	uint64_t answers;       /* of the link, taken into account */
	uint64_t delivered;     /* chunks on this link */
	uint64_t due_end; /* link_sent() at the oldest request without answer */
	uint64_t counted; /* of link_sent(), in out->bytes */
	struct buf frames;
	size_t offset; /* of frames, written */
	/* Oldest first; those before written are on the wire whole, and of
	 * the next one so many lines are in frames or on the wire. */
	struct in_flight in_flight[IN_FLIGHT_MAX];
	size_t n;
	uint64_t bytes; /* of these */
	size_t written;
	size_t line;
	bool decided; /* since drive began */
};

/* Take the i-th in-flight chunk out and tell its verdict. */
static void
session_decide(struct session *s, size_t i, enum verdict v, const char *why)
{
	struct chunk *p = s->in_flight[i].chunk;

	s->n--;
	s->bytes -= chunk_bytes(p);
	memmove(&s->in_flight[i], &s->in_flight[i + 1],
	    (s->n - i) * sizeof(s->in_flight[0]));
	if (i < s->written)
		s->written--;
	s->decided = true;
	output_done(s->out, p, v, 0, "%s", why);
}

/* Mark the oldest chunk in flight as delivered. */
static void
session_deliver(struct session *s)
{
	s->delivered++;
	session_decide(s, 0, VERDICT_DELIVERED, "");
}

/* Deliver what the receiver has proven to have read. */
static void
session_settle_proven(struct session *s, int64_t now)
{
	struct confirm *c = &s->confirm;

	for (; s->answers < link_answers(s->link); s->answers++) {
		confirm_answer(c, now);
		s->due_end = link_sent(s->link);
		s->known = true;
		s->silent = 0;
		s->timeout_shift = 0;
		s->out->mode = MODE_CONFIRMED;
	}
	while (s->written > 0 && s->delivered < c->proven)
		session_deliver(s);
}

/* Deliver what has been held long enough, where nothing can be proven. */
static void
session_settle_held(struct session *s, int64_t now, int64_t *wait)
{
	const struct syslog_conf *conf = s->conf;
	uint64_t left = link_acknowledged(s->link);

	for (size_t i = 0; i < s->written; i++) {
		if (s->in_flight[i].acknowledged_at == 0 &&
		    s->in_flight[i].end <= left)
			s->in_flight[i].acknowledged_at = now;
	}
	while (s->written > 0) {
		const struct in_flight *f = &s->in_flight[0];

		if (now + LOOK < *wait)
			*wait = now + LOOK;
		if (f->acknowledged_at == 0 ||
		    (left - f->end < (uint64_t)conf->hold.bytes &&
			now - f->acknowledged_at < conf->hold.time))
			break;
		session_deliver(s);
	}
}

/* The peer has not confirmed for too long. */
static void
fail_silent(struct session *s)
{
	if (s->confirm.mode == CONFIRM_UNKNOWN && ++s->silent >= SILENT_MAX)
		s->known = false;
	if (s->timeout_shift < TIMEOUT_SHIFT_MAX)
		s->timeout_shift++;
	link_fail(s->link, false,
	    "the receiver takes data but does not confirm it; check whether it "
	    "hangs");
}

/* Request a confirmation when it is time to; *wait is as in confirm_wants(). */
static void
session_ask(struct session *s, bool idle, int64_t now, int64_t *wait)
{
	struct confirm *c = &s->confirm;

	if (c->mode == CONFIRM_NO)
		return;
	if (link_acknowledged(s->link) < s->due_end)
		confirm_busy(c, now);
	while (confirm_wants(c, idle, now, wait) && link_ask(s->link)) {
		if (c->asked == c->answered)
			s->due_end = link_sent(s->link);
		confirm_asked(c, now);
	}
	if (c->mode == CONFIRM_NO)
		s->out->mode = MODE_UNCONFIRMED;
	else if (confirm_owed(c, now) > s->conf->timeout << s->timeout_shift)
		fail_silent(s);
}

/* Longest wait for a confirmation. */
#define RECEIPT (CLOCK_SECOND)

/* Step until the link is no longer opening or until has passed. */
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
receipt(struct link *l)
{
	if (!link_able(l))
		return "; delivery is unconfirmed, because confirmation needs "
		       "TLS 1.3";
	if (!link_ask(l) || !link_ask(l))
		return "; confirmation of delivery could not be requested";
	(void)wait_for(l, clock_monotonic() + RECEIPT, 1);
	return link_answers(l) > 0 ? "; delivery is confirmed"
				   : "; delivery is unconfirmed, because the "
				     "receiver does not answer key updates";
}

/* Open l, find out whether the receiver confirms, and append to said what was
 * found.  -1 with cause and hint. */
static int
syslog_reach(struct link *l, struct buf *message, struct err *err)
{
	const char *confirmed;

	link_open(l);
	/* The link itself gives up after its timeout. */
	if (wait_for(l, INT64_MAX, 0) != LINK_UP)
		return err_set(err, "%s", link_why(l));
	confirmed = receipt(l);
	/* A receiver that wants a client certificate says so only now. */
	if (link_down(l))
		return err_set(err, "%s", link_why(l));
	if (link_describe(l, message) != 0 || buf_adds(message, confirmed) != 0)
		return err_set(err, "the result is too large");
	return 0;
}

/* A batch with its checkpoint goes whole, small ones together. */
#define CHUNK_MAX (BATCH_BYTES + (128 << 10))

/* Frames are gathered for one write up to this: several TLS records. */
#define GATHER ((size_t)64 << 10)

/* More than the largest event, split and framed. */
#define FRAMES_MAX ((size_t)1 << 30)

/* Memory for frames that is kept between chunks. */
#define KEPT_MAX ((size_t)1 << 20)

/* How long a graceful close may take. */
#define PARTING_MS 1500

static void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	link_free(s->link);
	tls_close(s->tls);
	framer_free(s->framer);
	buf_release(&s->frames);
	free(s);
}

static int
session_load(struct session *s, struct err *err)
{
	const struct syslog_conf *conf = s->conf;
	const char *name = conf->tls.name == NULL ? s->host : conf->tls.name;
	struct framer_spec spec = {
		.host = s->out->agent,
		.app = conf->app_name,
		.priority = (unsigned)(conf->facility * 8 + conf->severity),
		.enterprise = (uint64_t)conf->enterprise,
		.max = (size_t)conf->max_message,
		.split = conf->oversize == SYSLOG_SPLIT,
	};

	if (syslog_address(conf->address, s->host, s->port) != 0)
		return err_set(err, "address: \"%s\" is not host:port",
		    conf->address);
	if (conf->transport == SYSLOG_TLS) {
		s->tls = tls_open(conf, name, err);
		if (s->tls == NULL)
			return -1;
	}
	s->framer = framer_new(&spec);
	s->link = link_new(s->host, s->port, s->tls, conf->timeout);
	buf_init(&s->frames, FRAMES_MAX);
	return 0;
}

static int
syslog_open(struct output *out, struct err *err)
{
	struct session *s = xcalloc(1, sizeof(*s));

	/* OpenSSL writes with write(2). */
	(void)signal(SIGPIPE, SIG_IGN);
	s->out = out;
	s->conf = out->conf;
	if (session_load(s, err) != 0) {
		session_free(s);
		return -1;
	}
	out->state = s;
	out->chunk_max = CHUNK_MAX;
	out->mode = s->tls == NULL ? MODE_UNCONFIRMED : MODE_UNKNOWN;
	return 0;
}

static size_t
syslog_window(const struct output *out)
{
	const struct session *s = out->state;
	uint64_t max = (uint64_t)s->conf->hold.bytes + IN_FLIGHT_BYTES;

	return s->bytes < max ? IN_FLIGHT_MAX : s->n;
}

/* The link is down: all chunks in flight begin again. */
static void
fail_all(struct session *s)
{
	enum verdict v =
	    link_settings(s->link) ? VERDICT_BLOCKED : VERDICT_RETRY;

	s->up = false;
	s->offset = 0;
	s->line = 0;
	s->written = 0;
	buf_release(&s->frames);
	for (size_t n = s->n; n > 0; n--)
		session_decide(s, 0, v, link_why(s->link));
}

static void
count_bytes(struct session *s)
{
	s->out->bytes += link_sent(s->link) - s->counted;
	s->counted = link_sent(s->link);
}

static void
came_up(struct session *s)
{
	s->up = true;
	s->answers = 0;
	s->delivered = 0;
	s->due_end = 0;
	s->counted = 0;
	s->out->connects++;
	confirm_begin(&s->confirm, link_able(s->link), s->known);
	if (s->confirm.mode == CONFIRM_NO)
		s->out->mode = MODE_UNCONFIRMED;
}

/* Put line i of p into frames; -1: p is decided. */
static int
frame_line(struct session *s, struct chunk *p, size_t i)
{
	struct chunk_line line;
	struct err err = ERR_INIT;
	enum verdict v = VERDICT_REFUSED;
	size_t size = 0;

	if (chunk_line(p, i, &line, &err) == 0) {
		switch (frame_add(s->framer, &line, &s->frames, &size)) {
		case FRAME_ADDED:
			return 0;
		case FRAME_LARGE:
			if (output_refuse(s->out, p, i,
				"a message of %zu bytes exceeds max_message "
				"(%lld); raise it if the receiver takes more, "
				"or set oversize: split",
				size, (long long)s->conf->max_message) == 0)
				return 0;
			(void)err_set(&err,
			    "a dead letter could not be "
			    "written");
			v = VERDICT_RETRY;
			break;
		case FRAME_MEMORY:
			(void)err_set(&err, "no memory for %zu bytes", size);
			v = VERDICT_RETRY;
			break;
		}
	}
	/* What was framed of p is on the wire, or will be: the receiver sees
	 * it again when p is sent again. */
	chunk_unload(p);
	s->line = 0;
	session_decide(s, s->written, v, err.text);
	return -1;
}

/* Gather frames of the chunk that is next; false: there is none. */
static bool
gather(struct session *s)
{
	struct chunk *p;

	if (s->written == s->n)
		return false;
	p = s->in_flight[s->written].chunk;
	while (s->frames.len < GATHER && s->line < chunk_lines(p)) {
		if (frame_line(s, p, s->line) != 0)
			return true;
		s->line++;
	}
	return true;
}

/* The chunk that is next has been written. */
static void
wrote(struct session *s)
{
	struct in_flight *f = &s->in_flight[s->written];

	chunk_unload(f->chunk);
	f->end = link_sent(s->link);
	f->acknowledged_at = 0;
	s->written++;
	s->line = 0;
	confirm_wrote(&s->confirm);
}

/* Write until there is nothing more or the link is full.  Returns true when
 * there is nothing more. */
static bool
push(struct session *s)
{
	size_t n;

	for (;;) {
		if (s->offset == s->frames.len) {
			s->offset = 0;
			buf_clear(&s->frames);
			if (s->written < s->n && s->line > 0 &&
			    s->line ==
				chunk_lines(s->in_flight[s->written].chunk))
				wrote(s);
			if (!gather(s))
				break;
			continue;
		}
		n = link_write(s->link, s->frames.data + s->offset,
		    s->frames.len - s->offset);
		if (n == 0)
			return false;
		s->offset += n;
	}
	if (s->frames.size > KEPT_MAX)
		buf_release(&s->frames);
	return true;
}

static void
work_up(struct session *s, int64_t *wait)
{
	bool idle = push(s);
	int64_t now = clock_monotonic();

	/* How often stalls are looked for. */
	if (s->n > 0 && now + CLOCK_SECOND < *wait)
		*wait = now + CLOCK_SECOND;
	session_settle_proven(s, now);
	session_ask(s, idle, now, wait);
	if (s->confirm.mode == CONFIRM_NO)
		session_settle_held(s, now, wait);
	else
		(void)link_acknowledged(s->link);
	count_bytes(s);
	if (link_stalled(s->link, now))
		link_fail(s->link, false,
		    "the receiver takes no data; check whether it hangs");
}

static void
work(struct session *s, int64_t *wait)
{
	enum link_state state = link_step(s->link);

	if (state == LINK_UP && !s->up)
		came_up(s);
	if (state == LINK_UP)
		work_up(s, wait);
	if (!link_down(s->link))
		return;
	/* Confirmations that came before the end count. */
	if (s->up)
		session_settle_proven(s, clock_monotonic());
	fail_all(s);
}

static void
syslog_send(struct output *out, struct chunk *p)
{
	struct session *s = out->state;

	s->in_flight[s->n++] = (struct in_flight){ .chunk = p };
	s->bytes += chunk_bytes(p);
	if (link_down(s->link))
		link_open(s->link);
}

/* Sleep until the link, wake_fd or the time; true: wake_fd is readable. */
static bool
rest(const struct session *s, int wake_fd, int64_t wait)
{
	struct pollfd fds[2] = { { .fd = -1 },
		{ .fd = wake_fd, .events = POLLIN } };
	int64_t left;

	fds[0].fd = link_poll(s->link, &fds[0].events, &wait);
	left = wait - clock_monotonic();
	if (left < 0)
		left = 0;
	return poll(fds, 2, (int)((left + 999) / 1000)) > 0 &&
	    (fds[1].revents & POLLIN) != 0;
}

static void
syslog_drive(struct output *out, int wake_fd, int timeout_ms)
{
	struct session *s = out->state;
	int64_t until = clock_monotonic() + timeout_ms * CLOCK_SECOND / 1000;
	int64_t wait;

	s->decided = false;
	do {
		wait = until;
		work(s, &wait);
		if (s->decided || rest(s, wake_fd, wait))
			break;
	} while (clock_monotonic() < until);
}

static int
syslog_probe(struct output *out, struct buf *message, struct err *err)
{
	struct session *s = out->state;

	return syslog_reach(s->link, message, err);
}

static void
syslog_close(struct output *out)
{
	struct session *s = out->state;
	bool all = s->n > 0 && s->written == s->n;
	bool proven = link_close(s->link, all ? PARTING_MS : 0);

	for (size_t n = s->n; n > 0; n--) {
		if (proven)
			session_deliver(s);
		else
			session_decide(s, 0, VERDICT_RETRY,
			    "the output was closed");
	}
	session_free(s);
	out->state = NULL;
}

const struct output_type output_syslog = {
	.type.name = "syslog",
	.type.settings = syslog_settings,
	.type.conf_size = sizeof(struct syslog_conf),
	.type.check = syslog_check,
	.open = syslog_open,
	.window = syslog_window,
	.send = syslog_send,
	.drive = syslog_drive,
	.probe = syslog_probe,
	.close = syslog_close,
};
