/*
 * syslog.c - RFC 5424 messages over RFC 5425 TLS or RFC 6587 TCP, with
 * confirmed delivery where the receiver's TLS library makes that possible.
 *
 * Parcels go out one behind the other.  A parcel is delivered when the
 * receiver has proven to have read it (confirm.h).  Where it cannot prove
 * anything, a parcel counts as delivered when the receiver's kernel has
 * acknowledged all of it, and since then hold.bytes more were acknowledged,
 * which is more than a kernel keeps for an application that does not read, or
 * hold.time has passed.  When a connection ends in any way, all parcels that
 * are not delivered are sent again.
 */
#include "outputs/syslog/syslog.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "outputs/output.h"
#include "outputs/syslog/framer.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/receiver.h"
#include "outputs/syslog/tls.h"
#include "store/feed.h"

/* A batch with its checkpoint goes whole, small ones together. */
#define PARCEL_MOST (BATCH_BYTES + (128 << 10))

/* Frames are gathered for one write up to this: several TLS records. */
#define GATHER ((size_t)64 << 10)

/* More than the largest event, split and framed. */
#define FRAMES_MOST ((size_t)1 << 30)

/* Memory for frames that is kept between parcels. */
#define KEPT_MOST ((size_t)1 << 20)

/* How long a goodbye may take. */
#define PARTING_MS 1500

static void
siem_free(struct siem *s)
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
siem_load(struct siem *s, struct err *err)
{
	const struct syslog_conf *conf = s->conf;
	const char *name = conf->tls.name == NULL ? s->host : conf->tls.name;
	struct framer_spec spec = {
		.host = s->out->agent,
		.app = conf->app_name,
		.priority = (unsigned)(conf->facility * 8 + conf->severity),
		.enterprise = (uint64_t)conf->enterprise,
		.most = (size_t)conf->max_message,
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
	buf_init(&s->frames, FRAMES_MOST);
	return 0;
}

static int
syslog_open(struct output *out, struct err *err)
{
	struct siem *s = xcalloc(1, sizeof(*s));

	/* OpenSSL writes with write(2). */
	(void)signal(SIGPIPE, SIG_IGN);
	s->out = out;
	s->conf = out->conf;
	if (siem_load(s, err) != 0) {
		siem_free(s);
		return -1;
	}
	out->state = s;
	out->parcel_most = PARCEL_MOST;
	out->mode = s->tls == NULL ? MODE_UNCONFIRMED : MODE_UNKNOWN;
	return 0;
}

static size_t
syslog_window(const struct output *out)
{
	const struct siem *s = out->state;
	uint64_t most = (uint64_t)s->conf->hold.bytes + FLIGHT_BYTES;

	return s->bytes < most ? FLIGHTS : s->n;
}

/* The link is down: everything begins again. */
static void
fail_all(struct siem *s)
{
	enum verdict v =
	    link_settings(s->link) ? VERDICT_BLOCKED : VERDICT_RETRY;

	s->up = false;
	s->offset = 0;
	s->line = 0;
	s->written = 0;
	buf_release(&s->frames);
	for (size_t n = s->n; n > 0; n--)
		siem_decide(s, 0, v, link_why(s->link));
}

static void
count_bytes(struct siem *s)
{
	s->out->bytes += link_sent(s->link) - s->counted;
	s->counted = link_sent(s->link);
}

static void
came_up(struct siem *s)
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
frame_line(struct siem *s, struct parcel *p, size_t i)
{
	struct parcel_line line;
	struct err err = ERR_INIT;
	enum verdict v = VERDICT_REFUSED;
	size_t size = 0;

	if (parcel_line(p, i, &line, &err) == 0) {
		switch (frame_add(s->framer, &line, &s->frames, &size)) {
		case FRAME_ADDED:
			return 0;
		case FRAME_LARGE:
			if (output_refuse(s->out, p, i,
				"a message of %zu bytes, max_message is %lld; "
				"raise that where the receiver takes more, or "
				"set oversize: split",
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
	parcel_unload(p);
	s->line = 0;
	siem_decide(s, s->written, v, err.text);
	return -1;
}

/* Gather frames of the parcel that is next; false: there is none. */
static bool
gather(struct siem *s)
{
	struct parcel *p;

	if (s->written == s->n)
		return false;
	p = s->flight[s->written].parcel;
	while (s->frames.len < GATHER && s->line < parcel_lines(p)) {
		if (frame_line(s, p, s->line) != 0)
			return true;
		s->line++;
	}
	return true;
}

/* The parcel that is next has been written. */
static void
wrote(struct siem *s)
{
	struct flight *f = &s->flight[s->written];

	parcel_unload(f->parcel);
	f->end = link_sent(s->link);
	f->left_at = 0;
	s->written++;
	s->line = 0;
	confirm_wrote(&s->confirm);
}

/* Write until there is nothing more or the link is full.  Returns true when
 * there is nothing more. */
static bool
push(struct siem *s)
{
	size_t n;

	for (;;) {
		if (s->offset == s->frames.len) {
			s->offset = 0;
			buf_clear(&s->frames);
			if (s->written < s->n && s->line > 0 &&
			    s->line ==
				parcel_lines(s->flight[s->written].parcel))
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
	if (s->frames.size > KEPT_MOST)
		buf_release(&s->frames);
	return true;
}

static void
work_up(struct siem *s, int64_t *wait)
{
	bool idle = push(s);
	int64_t now = clock_monotonic();

	/* Stalls are looked for that often. */
	if (s->n > 0 && now + CLOCK_SECOND < *wait)
		*wait = now + CLOCK_SECOND;
	siem_settle_proven(s, now);
	siem_ask(s, idle, now, wait);
	if (s->confirm.mode == CONFIRM_NO)
		siem_settle_held(s, now, wait);
	else
		(void)link_left(s->link);
	count_bytes(s);
	if (link_stalled(s->link, now))
		link_fail(s->link, false,
		    "the receiver takes nothing; look whether it hangs");
}

static void
work(struct siem *s, int64_t *wait)
{
	enum link_state state = link_step(s->link);

	if (state == LINK_UP && !s->up)
		came_up(s);
	if (state == LINK_UP)
		work_up(s, wait);
	if (!link_down(s->link))
		return;
	/* Receipts that came before the end count. */
	if (s->up)
		siem_settle_proven(s, clock_monotonic());
	fail_all(s);
}

static void
syslog_send(struct output *out, struct parcel *p)
{
	struct siem *s = out->state;

	s->flight[s->n++] = (struct flight){ .parcel = p };
	s->bytes += parcel_bytes(p);
	if (link_down(s->link))
		link_open(s->link);
}

/* Sleep until the link, wake_fd or the time; true: wake_fd is readable. */
static bool
rest(const struct siem *s, int wake_fd, int64_t wait)
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
	struct siem *s = out->state;
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
syslog_probe(struct output *out, struct buf *said, struct err *err)
{
	struct siem *s = out->state;

	return syslog_reach(s->link, said, err);
}

static void
syslog_close(struct output *out)
{
	struct siem *s = out->state;
	bool all = s->n > 0 && s->written == s->n;
	bool proven = link_close(s->link, all ? PARTING_MS : 0);

	for (size_t n = s->n; n > 0; n--) {
		if (proven)
			siem_deliver(s);
		else
			siem_decide(s, 0, VERDICT_RETRY,
			    "the output was closed");
	}
	siem_free(s);
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
