/*
 * session.c - RFC 5424 messages over RFC 5425 TLS or RFC 6587 TCP, with
 * confirmed delivery where the receiver's TLS library makes that possible.
 *
 * Chunks go out one behind the other, and are settled line by line as receipts
 * come.  What a receipt is:  an answer to a request (confirm.h), or, where none
 * is to be had or to be believed, that the receiver's kernel has acknowledged
 * the bytes.  What it is worth depends on who gives it, and out->hold tells
 * ship.  When a connection ends in any way, all lines in flight that have no
 * receipt are sent again.
 */
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
#include "outputs/format.h"
#include "outputs/output.h"
#include "outputs/syslog/conf.h"
#include "outputs/syslog/confirm.h"
#include "outputs/syslog/framer.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/probe.h"
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
#define MODE_RELAYED "relayed"
#define MODE_UNCONFIRMED "unconfirmed"
#define MODE_UNKNOWN "not known yet"

/* Even a direct receiver's receipts are watched for so long: whoever sends
 * KeyUpdates of its own is found out when it sends more than it was asked
 * for. */
#define WATCHED (2 * CLOCK_SECOND)

/* Chunks, and bytes, between the store and their receipt.  Most chunks are
 * small, and none may wait for the receipt of others. */
#define IN_FLIGHT_MAX 128
#define IN_FLIGHT_BYTES (8 << 20)

/* Places of the stream that are remembered until they are acknowledged. */
#define MARKS 64

struct in_flight {
	struct chunk *chunk;
	bool begun;     /* base is known */
	uint64_t base;  /* lines on the connection before its first one */
	size_t settled; /* its first lines that have receipts */
};

/* Where a line ends: link_sent() behind so many lines. */
struct mark {
	uint64_t end;
	uint64_t lines;
};

struct session {
	struct output *out;
	const struct syslog_conf *conf;
	char host[256];
	char port[6];
	struct tls *tls;
	struct format *format; /* NULL: raw */
	struct framer *framer;
	struct link *link;
	struct confirm confirm;
	bool up;                  /* the link was, when last looked */
	bool begun;               /* a first connection was, or failed */
	bool known;               /* the peer answers requests */
	unsigned silent;          /* see SILENT_MAX */
	unsigned timeout_shift;   /* see TIMEOUT_SHIFT_MAX */
	uint64_t answers;         /* of the link, taken into account */
	uint64_t framed;          /* lines, on this link */
	struct mark marks[MARKS]; /* not acknowledged yet, oldest first */
	size_t n_marks;
	uint64_t acknowledged; /* lines */
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

/* The first lines on this connection, so many, have receipts. */
static void
session_settle(struct session *s, uint64_t lines)
{
	while (s->n > 0 && s->in_flight[0].begun) {
		struct in_flight *f = &s->in_flight[0];
		size_t all = chunk_lines(f->chunk);
		uint64_t here = lines > f->base ? lines - f->base : 0;

		if (here >= all && s->written > 0) {
			session_decide(s, 0, VERDICT_DELIVERED, "");
			continue;
		}
		if (here > all)
			here = all;
		if (here > f->settled) {
			(void)output_settle(s->out, f->chunk, f->settled,
			    (size_t)here, VERDICT_DELIVERED, "%s", "");
			f->settled = (size_t)here;
		}
		break;
	}
}

/* Tell what receipts are worth now, in status and to ship. */
static void
session_worth(struct session *s)
{
	const struct syslog_conf *conf = s->conf;
	struct output *out = s->out;
	bool answers = s->confirm.mode == CONFIRM_YES;

	if (s->confirm.mode == CONFIRM_UNKNOWN)
		return;
	out->hold.time = conf->hold.time;
	out->hold.bytes = (uint64_t)conf->hold.bytes;
	out->hold.trusted = answers && conf->receipts == SYSLOG_DIRECT;
	if (out->hold.trusted && out->hold.time > WATCHED)
		out->hold.time = WATCHED;
	out->mode = !answers    ? MODE_UNCONFIRMED
	    : out->hold.trusted ? MODE_CONFIRMED
				: MODE_RELAYED;
}

/* Take the receiver's answers into account. */
static void
session_answers(struct session *s, int64_t now)
{
	struct confirm *c = &s->confirm;

	if (link_asked(s->link))
		confirm_void(c);
	for (; s->answers < link_answers(s->link); s->answers++) {
		confirm_answer(c, now);
		s->due_end = link_sent(s->link);
		s->known = true;
		s->silent = 0;
		s->timeout_shift = 0;
	}
	session_worth(s);
	if (c->mode == CONFIRM_YES)
		session_settle(s, c->proven);
}

/* Where nothing is proven, what has reached the receiver's kernel has a
 * receipt. */
static void
session_acknowledged(struct session *s, int64_t now, int64_t *wait)
{
	uint64_t left = link_acknowledged(s->link);
	size_t n = 0;

	while (n < s->n_marks && s->marks[n].end <= left)
		s->acknowledged = s->marks[n++].lines;
	s->n_marks -= n;
	memmove(s->marks, s->marks + n, s->n_marks * sizeof(s->marks[0]));
	if (s->confirm.mode != CONFIRM_NO && s->confirm.mode != CONFIRM_VOID)
		return;
	session_settle(s, s->acknowledged);
	if (s->n_marks > 0 && now + LOOK < *wait)
		*wait = now + LOOK;
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

	if (c->mode == CONFIRM_NO || c->mode == CONFIRM_VOID)
		return;
	if (link_acknowledged(s->link) < s->due_end)
		confirm_busy(c, now);
	while (confirm_wants(c, idle, now, wait) && link_ask(s->link)) {
		if (!confirm_waits(c))
			s->due_end = link_sent(s->link);
		confirm_asked(c, now);
	}
	session_worth(s);
	if (c->mode == CONFIRM_NO)
		return;
	if (confirm_owed(c, now) > s->conf->timeout << s->timeout_shift)
		fail_silent(s);
}

/* A batch with its checkpoint goes whole, small ones together. */
#define CHUNK_MAX (BATCH_BYTES + (128 << 10))

/* Frames are gathered for one write up to this: several TLS records. */
#define GATHER ((size_t)64 << 10)

/* More than the largest event, split and framed. */
#define FRAMES_MAX ((size_t)1 << 30)

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
	format_free(s->format);
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
		.app = conf->app_name == NULL ? "" : conf->app_name,
		.priority = (unsigned)(conf->facility * 8 + conf->severity),
		.enterprise = (uint64_t)conf->enterprise,
		.max = (size_t)conf->max_message,
		.split = conf->oversize == SYSLOG_SPLIT,
		.lf = conf->framing == SYSLOG_LF,
		.gelf = conf->framing == SYSLOG_GELF,
	};

	if (syslog_address(conf->address, s->host, s->port) != 0)
		return err_set(err, "address: \"%s\" is not host:port",
		    conf->address);
	if (conf->transport == SYSLOG_TLS) {
		s->tls = tls_open(conf, name, err);
		if (s->tls == NULL)
			return -1;
	}
	if (conf->format != FORMAT_RAW) {
		s->format = format_new((enum format_kind)conf->format,
		    s->out->agent, NULL, err);
		if (s->format == NULL)
			return -1;
	}
	spec.format = s->format;
	spec.format_name = format_names[conf->format];
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
	out->mode = s->tls == NULL || s->conf->receipts == SYSLOG_NONE
	    ? MODE_UNCONFIRMED
	    : MODE_UNKNOWN;
	/* Until more is known. */
	out->hold.time = s->conf->hold.time;
	out->hold.bytes = (uint64_t)s->conf->hold.bytes;
	out->poison_waits = s->conf->poison == SYSLOG_POISON_WAIT;
	return 0;
}

static size_t
syslog_window(const struct output *out)
{
	const struct session *s = out->state;

	return s->bytes < IN_FLIGHT_BYTES ? IN_FLIGHT_MAX : s->n;
}

/* The link is down: all chunks in flight begin again. */
static void
fail_all(struct session *s)
{
	enum verdict v =
	    link_settings(s->link) ? VERDICT_BLOCKED : VERDICT_RETRY;

	if (s->up || !s->begun)
		s->out->breaks++;
	s->begun = true;
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
	s->begun = true;
	s->answers = 0;
	s->framed = 0;
	s->n_marks = 0;
	s->acknowledged = 0;
	s->due_end = 0;
	s->counted = 0;
	s->out->connects++;
	confirm_begin(&s->confirm,
	    link_able(s->link) && s->conf->receipts != SYSLOG_NONE, s->known);
	session_worth(s);
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
				"(%lld); raise it if the receiver takes more%s",
				size, (long long)s->conf->max_message,
				s->conf->framing == SYSLOG_GELF
				    ? ""
				    : ", or set oversize: split") == 0)
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
	if (s->line == 0) {
		s->in_flight[s->written].begun = true;
		s->in_flight[s->written].base = s->framed;
	}
	while (s->frames.len < GATHER && s->line < chunk_lines(p)) {
		if (frame_line(s, p, s->line) != 0)
			return true;
		s->line++;
		s->framed++;
	}
	return true;
}

/* All that was gathered is on the wire: whole lines. */
static void
drained(struct session *s)
{
	struct in_flight *f = &s->in_flight[s->written];
	int64_t wait = INT64_MAX, now = clock_monotonic();
	bool full = s->n_marks == MARKS;

	/* Where there is no room the last one is acknowledged later. */
	s->marks[full ? MARKS - 1 : s->n_marks] = (struct mark){
		.end = link_sent(s->link),
		.lines = s->framed,
	};
	s->n_marks += full ? 0 : 1;
	confirm_wrote(&s->confirm, s->framed);
	if (s->written == s->n || s->line < chunk_lines(f->chunk)) {
		session_ask(s, false, now, &wait);
		return;
	}
	chunk_unload(f->chunk);
	s->written++;
	s->line = 0;
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
			if (s->line > 0)
				drained(s);
			if (link_down(s->link) || !gather(s))
				break;
			continue;
		}
		n = link_write(s->link, s->frames.data + s->offset,
		    s->frames.len - s->offset);
		if (n == 0)
			return false;
		s->offset += n;
	}
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
	session_answers(s, now);
	session_ask(s, idle, now, wait);
	session_acknowledged(s, now, wait);
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
	/* It is down, too, until there is something to send. */
	if (!link_down(s->link) || (!s->up && s->n == 0))
		return;
	/* Receipts that came before the end count. */
	if (s->up)
		session_answers(s, clock_monotonic());
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
		if (s->decided || link_rest(s->link, wake_fd, wait))
			break;
	} while (clock_monotonic() < until);
}

static int
syslog_probe(struct output *out, struct buf *message, struct err *err)
{
	struct session *s = out->state;

	return syslog_reach(s->link, s->conf, message, err);
}

static void
syslog_close(struct output *out)
{
	struct session *s = out->state;
	bool up = s->up && !link_down(s->link);
	bool proven = link_close(s->link,
	    s->written > 0 || out->hold.time > 0 ? PARTING_MS : 0);

	if (up && !proven)
		out->breaks++;
	/* Those that stand first are the ones on the wire. */
	for (size_t n = s->n, sent = s->written; n > 0; n--) {
		if (proven && sent > 0) {
			sent--;
			session_decide(s, 0, VERDICT_DELIVERED, "");
		} else {
			session_decide(s, 0, VERDICT_RETRY,
			    "the output was closed");
		}
	}
	session_free(s);
	out->state = NULL;
}

static void
graylog_tcp_prepare(const struct config_type *type, void *conf)
{
	(void)type;
	((struct syslog_conf *)conf)->framing = SYSLOG_GELF;
}

#define SYSLOG_SESSION                                                     \
	.open = syslog_open, .window = syslog_window, .send = syslog_send, \
	.drive = syslog_drive, .probe = syslog_probe, .close = syslog_close

const struct output_type output_syslog = {
	.type.name = "syslog",
	.type.reach = CONFIG_REACHES_NAMED,
	.type.title = "syslog over TLS: rsyslog, syslog-ng and most SIEMs",
	.type.before =
	    "The receiver must take messages of 64 KiB: sealfeed.yaml(5), "
	    "RECEIVERS.\n",
	.type.settings = syslog_settings,
	.type.conf_size = sizeof(struct syslog_conf),
	.type.check = syslog_check,
	.format = syslog_format,
	SYSLOG_SESSION,
};

const struct output_type output_graylog_tcp = {
	.type.name = "graylog-tcp",
	.type.reach = CONFIG_REACHES_NAMED,
	.type.title = "Graylog (GELF over TLS)",
	.type.before = "In Graylog: an input GELF TCP with TLS and Null frame "
		       "delimiter ticked, Maximum\n"
		       "message size left at 2 MiB or more.\n",
	.type.settings = graylog_tcp_settings,
	.type.conf_size = sizeof(struct syslog_conf),
	.type.check = syslog_check_link,
	.type.prepare = graylog_tcp_prepare,
	SYSLOG_SESSION,
};
