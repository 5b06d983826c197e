/*
 * relp.c - RFC 5424 messages over RELP, whose server answers each.
 *
 * A line is delivered when all its messages were answered with 200, and not
 * before.  Up to WINDOW messages wait for their answer.  When a connection ends
 * in any way, the lines without an answer are sent again on the next one, and
 * no others.  A line that is refused is sent again before that is believed: a
 * full queue answers 500, too.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "outputs/format.h"
#include "outputs/output.h"
#include "outputs/relp_reply.h"
#include "outputs/syslog/conf.h"
#include "outputs/syslog/framer.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/tls.h"
#include "store/feed.h"

/* As many as rsyslog's own client has. */
#define WINDOW 128

/* Chunks, and bytes of them, that are in flight. */
#define IN_FLIGHT_MAX 64
#define IN_FLIGHT_BYTES (8 << 20)

#define CHUNK_MAX (BATCH_BYTES + (128 << 10))
#define GATHER ((size_t)64 << 10)
#define FRAMES_MAX ((size_t)1 << 30)

/* So often a message must be refused. */
#define REFUSALS 3

/* How long a server may take to answer a close. */
#define PARTING (1500 * CLOCK_SECOND / 1000)

#define OFFERS                                                    \
	"relp_version=0\nrelp_software=sealfeed," PACKAGE_VERSION \
	"\ncommands=syslog"

/* A message that has been framed. */
struct sent {
	uint32_t number;
	bool last;         /* of its line */
	bool alone;        /* all of its line */
	int code;          /* of its answer, 0: none yet */
	char *why;         /* of a refusal */
	unsigned refusals; /* before it was sent again */
};

struct in_flight {
	struct chunk *chunk;
	size_t settled; /* its first lines */
	bool damaged;   /* its bytes are not to be had */
};

enum stage { STAGE_DOWN, STAGE_OPENING, STAGE_OPEN, STAGE_CLOSING };

struct session {
	struct output *out;
	const struct syslog_conf *conf;
	char host[256];
	char port[6];
	struct tls *tls;
	struct format *format;
	struct framer *framer;
	struct link *link;
	enum stage stage;
	uint32_t number; /* of the last transaction */
	uint32_t asked;  /* number of the open or close that is waited for */
	struct relp_reader reader;
	struct buf frames;
	size_t offset; /* of frames, written */
	/* Messages without their verdict, oldest first. */
	struct sent *sent;
	size_t n_sent;
	bool refused;   /* a part of the oldest line was */
	int64_t waited; /* since when the oldest one has had no answer */
	struct in_flight in_flight[IN_FLIGHT_MAX];
	size_t n;
	uint64_t bytes;
	size_t written; /* chunks that are framed whole */
	size_t line;    /* of the next one */
	uint64_t counted;
	bool decided;
};

static void
decide(struct session *s, enum verdict v, const char *why)
{
	struct chunk *p = s->in_flight[0].chunk;

	s->n--;
	s->bytes -= chunk_bytes(p);
	memmove(&s->in_flight[0], &s->in_flight[1],
	    s->n * sizeof(s->in_flight[0]));
	if (s->written > 0)
		s->written--;
	s->decided = true;
	output_done(s->out, p, v, 0, "%s", why);
}

/* The oldest line that has no verdict gets one.  -1: that cannot be kept. */
static int
settle_line(struct session *s, bool refused, int code, const char *why)
{
	struct in_flight *f = &s->in_flight[0];
	size_t i = f->settled++;
	int rc = 0;

	if (refused)
		rc = output_settle(s->out, f->chunk, i, i + 1, VERDICT_REFUSED,
		    "the receiver answered %d %s", code, why);
	else
		(void)output_settle(s->out, f->chunk, i, i + 1,
		    VERDICT_DELIVERED, "%s", "");
	if (f->settled == chunk_lines(f->chunk))
		decide(s, rc == 0 ? VERDICT_DELIVERED : VERDICT_RETRY,
		    rc == 0 ? "" : "a dead letter could not be written");
	return rc;
}

/* Give the lines whose messages all have answers their verdict. */
static void
settle(struct session *s)
{
	size_t n = 0;
	int rc = 0;

	while (rc == 0 && n < s->n_sent && s->sent[n].code != 0) {
		struct sent *m = &s->sent[n++];

		s->refused = s->refused || m->code != 200;
		if (m->last) {
			rc = settle_line(s, s->refused, m->code,
			    m->why == NULL ? "" : m->why);
			s->refused = false;
		}
		free(m->why);
		m->why = NULL;
	}
	s->n_sent -= n;
	if (n > 0) {
		memmove(s->sent, s->sent + n, s->n_sent * sizeof(*s->sent));
		s->waited = clock_monotonic();
	}
	if (rc != 0 && !link_down(s->link))
		link_fail(s->link, false, "a dead letter could not be written");
}

/* Frame the line of the i-th message once more; false: not. */
static bool
send_again(struct session *s, size_t i)
{
	size_t line = s->in_flight[0].settled, size;
	struct in_flight *f = s->in_flight;
	struct chunk_line l;
	struct err err = ERR_INIT;
	bool sent;

	for (size_t k = 0; k < i; k++)
		line += s->sent[k].last;
	for (; line >= chunk_lines(f->chunk); f++)
		line -= chunk_lines(f->chunk);
	sent = chunk_line(f->chunk, line, &l, &err) == 0 &&
	    frame_add(s->framer, &l, &s->frames, &size) == FRAME_ADDED;
	if ((size_t)(f - s->in_flight) < s->written)
		chunk_unload(f->chunk);
	if (sent) {
		s->sent[i].number = s->number;
		s->sent[i].refusals++;
	}
	return sent;
}

static void
answered(struct session *s, const struct relp_reply *reply)
{
	char why[160];

	for (size_t i = 0; i < s->n_sent; i++) {
		struct sent *m = &s->sent[i];

		if (m->number != reply->number || m->code != 0)
			continue;
		if (reply->code != 200 && m->alone &&
		    m->refusals + 1 < REFUSALS && send_again(s, i))
			return;
		m->code = reply->code;
		if (reply->code != 200) {
			text_one_line(why, sizeof(why), reply->text);
			m->why = xstrdup(why);
		}
		return;
	}
	link_fail(s->link, false,
	    "the receiver answers what it was not sent; it is no server of "
	    "RELP, or is out of order");
}

/* Is syslog among the commands that an answer to the offers names? */
static bool
has_syslog(const char *offers)
{
	static const char word[] = "syslog";
	const char *at = strstr(offers, "commands="), *end;

	if (at == NULL)
		return false;
	for (at += strlen("commands="); *at != '\0' && *at != '\n';
	     at = end + (*end == ',')) {
		end = at + strcspn(at, ",\n");
		if ((size_t)(end - at) == strlen(word) &&
		    memcmp(at, word, strlen(word)) == 0)
			return true;
	}
	return false;
}

static void
opened(struct session *s, const struct relp_reply *reply)
{
	char said[160], why[400];

	if (reply->code == 200 && has_syslog(reply->text)) {
		s->stage = STAGE_OPEN;
		s->waited = clock_monotonic();
		s->out->connects++;
		return;
	}
	text_one_line(said, sizeof(said), reply->text);
	(void)snprintf(why, sizeof(why),
	    reply->code == 200
		? "the receiver does not offer the command syslog (%d %s); "
		  "correct its configuration"
		: "the receiver refuses the session: %d %s",
	    reply->code, said);
	link_fail(s->link, reply->code == 200, why);
}

/* link_heard */
static void
heard(void *ctx, const char *said, size_t len)
{
	struct session *s = ctx;
	struct relp_reply reply = { .number = 0 };
	enum relp_said what;

	while (len > 0 && !link_down(s->link)) {
		size_t n = relp_reader_add(&s->reader, said, len);

		said += n;
		len -= n;
		while (!link_down(s->link) &&
		    (what = relp_reader_next(&s->reader, &reply)) !=
			RELP_MORE) {
			if (what == RELP_CLOSES)
				link_fail(s->link, false,
				    "the receiver closes the session");
			else if (what == RELP_WRONG)
				link_fail(s->link, false,
				    "what the receiver says is not RELP; "
				    "correct address, or use an output of "
				    "type syslog");
			else if (s->stage == STAGE_OPENING &&
			    reply.number == s->asked)
				opened(s, &reply);
			else if (s->stage == STAGE_CLOSING &&
			    reply.number == s->asked)
				s->stage = STAGE_DOWN;
			else
				answered(s, &reply);
		}
	}
}

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
	for (size_t i = 0; i < s->n_sent; i++)
		free(s->sent[i].why);
	free(s->sent);
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
		.transaction = &s->number,
		.format_name = format_names[conf->format],
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
	s->framer = framer_new(&spec);
	s->link = link_new(s->host, s->port, s->tls, conf->timeout);
	link_listen(s->link, heard, s);
	buf_init(&s->frames, FRAMES_MAX);
	return 0;
}

static int
relp_open(struct output *out, struct err *err)
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
	out->mode = "acknowledged";
	return 0;
}

static size_t
relp_window(const struct output *out)
{
	const struct session *s = out->state;

	return s->bytes < IN_FLIGHT_BYTES ? IN_FLIGHT_MAX : s->n;
}

/* Nothing is answered any more: lines that were, behind one that was not, are
 * delivered nevertheless. */
static void
settle_behind(struct session *s)
{
	struct in_flight *f = s->in_flight;
	size_t line;
	bool taken;

	settle(s);
	taken = !s->refused;
	line = s->n > 0 ? f->settled : 0;
	for (size_t i = 0; i < s->n_sent; i++) {
		taken = taken && s->sent[i].code == 200;
		if (!s->sent[i].last)
			continue;
		for (; line >= chunk_lines(f->chunk); f++)
			line -= chunk_lines(f->chunk);
		if (taken)
			(void)output_settle(s->out, f->chunk, line, line + 1,
			    VERDICT_DELIVERED, "%s", "");
		line++;
		taken = true;
	}
}

/* The link is down: what has no answer begins again. */
static void
fail_all(struct session *s)
{
	enum verdict v =
	    link_settings(s->link) ? VERDICT_BLOCKED : VERDICT_RETRY;

	if (s->stage == STAGE_OPEN)
		s->out->breaks++;
	settle_behind(s);
	for (size_t i = 0; i < s->n_sent; i++)
		free(s->sent[i].why);
	s->stage = STAGE_DOWN;
	s->n_sent = 0;
	s->refused = false;
	s->written = 0;
	s->line = 0;
	s->offset = 0;
	buf_release(&s->frames);
	while (s->n > 0)
		decide(s, s->in_flight[0].damaged ? VERDICT_REFUSED : v,
		    link_why(s->link));
}

static void
remember(struct session *s, const struct sent *sent)
{
	/* A power of two is full. */
	if ((s->n_sent & (s->n_sent - 1)) == 0)
		s->sent = xreallocarray(s->sent,
		    s->n_sent == 0 ? 1 : 2 * s->n_sent, sizeof(*s->sent));
	if (s->n_sent == 0)
		s->waited = clock_monotonic();
	s->sent[s->n_sent++] = *sent;
}

/* Put line i of p into frames; -1: the link is down now, or p is decided. */
static int
frame_line(struct session *s, struct chunk *p, size_t i)
{
	uint32_t before = s->number;
	struct chunk_line line;
	struct err err = ERR_INIT;
	enum framed rc;
	size_t size = 0;

	if (chunk_line(p, i, &line, &err) != 0) {
		s->in_flight[s->written].damaged = true;
		link_fail(s->link, false, err.text);
		return -1;
	}
	rc = frame_add(s->framer, &line, &s->frames, &size);
	if (rc == FRAME_ADDED) {
		struct sent m = { .number = relp_next(before) };

		m.alone = m.number == s->number;
		for (; !m.last; m.number = relp_next(m.number)) {
			m.last = m.number == s->number;
			remember(s, &m);
		}
		return 0;
	}
	if (rc == FRAME_LARGE &&
	    output_refuse(s->out, p, i,
		"a message of %zu bytes exceeds max_message (%lld); raise it "
		"if the receiver takes more, or set oversize: split",
		size, (long long)s->conf->max_message) == 0) {
		/* It has its verdict, in its turn. */
		remember(s, &(struct sent){ .last = true, .code = 200 });
		return 0;
	}
	link_fail(s->link, false,
	    rc == FRAME_LARGE ? "a dead letter could not be written"
			      : "no memory for a message");
	return -1;
}

/* Gather frames of the lines that are next, as the window allows. */
static void
gather(struct session *s)
{
	while (s->written < s->n && !link_down(s->link)) {
		struct chunk *p = s->in_flight[s->written].chunk;

		while (s->line < chunk_lines(p)) {
			if (s->frames.len >= GATHER || s->n_sent >= WINDOW ||
			    frame_line(s, p, s->line) != 0)
				return;
			s->line++;
		}
		chunk_unload(p);
		s->written++;
		s->line = 0;
	}
}

/* Write what was gathered; false: the link is full. */
static bool
push(struct session *s)
{
	while (s->offset < s->frames.len) {
		size_t n = link_write(s->link, s->frames.data + s->offset,
		    s->frames.len - s->offset);

		if (n == 0)
			return false;
		s->offset += n;
	}
	s->offset = 0;
	buf_clear(&s->frames);
	return true;
}

/* Frame a command of the session's own. */
static void
command(struct session *s, const char *name, const char *data)
{
	s->number = relp_next(s->number);
	s->asked = s->number;
	if (buf_addf(&s->frames, "%u %s %zu%s%s\n", s->number, name,
		strlen(data), data[0] == '\0' ? "" : " ", data) != 0)
		link_fail(s->link, false, "no memory for a message");
}

static void
came_up(struct session *s)
{
	s->stage = STAGE_OPENING;
	s->number = 0;
	s->counted = 0;
	s->waited = clock_monotonic();
	memset(&s->reader, 0, sizeof(s->reader));
	buf_clear(&s->frames);
	s->offset = 0;
	command(s, "open", OFFERS);
}

static void
work_up(struct session *s, int64_t *wait)
{
	int64_t now = clock_monotonic();

	settle(s);
	while (push(s) && s->stage == STAGE_OPEN && !link_down(s->link)) {
		gather(s);
		settle(s);
		if (s->frames.len == 0)
			break;
	}
	if (link_down(s->link))
		return;
	s->out->bytes += link_sent(s->link) - s->counted;
	s->counted = link_sent(s->link);
	if (s->stage == STAGE_OPEN && s->n_sent == 0)
		return;
	if (now - s->waited > s->conf->timeout)
		link_fail(s->link, false,
		    "the receiver does not answer; check whether it hangs, or "
		    "raise timeout");
	else if (now + CLOCK_SECOND < *wait)
		*wait = now + CLOCK_SECOND;
}

static void
work(struct session *s, int64_t *wait)
{
	enum link_state state = link_step(s->link);

	if (state == LINK_UP && s->stage == STAGE_DOWN)
		came_up(s);
	if (state == LINK_UP)
		work_up(s, wait);
	if (link_down(s->link) && (s->stage != STAGE_DOWN || s->n > 0))
		fail_all(s);
}

static void
relp_send(struct output *out, struct chunk *p)
{
	struct session *s = out->state;

	s->in_flight[s->n++] = (struct in_flight){ .chunk = p };
	s->bytes += chunk_bytes(p);
	if (link_down(s->link))
		link_open(s->link);
}

static void
relp_drive(struct output *out, int wake_fd, int timeout_ms)
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

/* Work until the stage is another one, the link is down, or until. */
static void
pass_stage(struct session *s, enum stage stage, int64_t until)
{
	int64_t wait;

	while (clock_monotonic() < until) {
		wait = until;
		work(s, &wait);
		if (link_down(s->link) ||
		    (s->stage != stage && s->stage != STAGE_DOWN) ||
		    (s->stage == STAGE_DOWN && stage == STAGE_CLOSING))
			return;
		(void)link_rest(s->link, -1, wait);
	}
}

/* End the session in order, where nothing waits for an answer. */
static void
part(struct session *s)
{
	if (s->stage != STAGE_OPEN || link_down(s->link) || s->n_sent > 0)
		return;
	s->stage = STAGE_CLOSING;
	s->waited = clock_monotonic();
	command(s, "close", "");
	pass_stage(s, STAGE_CLOSING, clock_monotonic() + PARTING);
}

static int
relp_probe(struct output *out, struct buf *message, struct err *err)
{
	struct session *s = out->state;

	link_open(s->link);
	/* The link gives up after its timeout, and so does the session. */
	pass_stage(s, STAGE_OPENING, clock_monotonic() + 3 * s->conf->timeout);
	if (s->stage != STAGE_OPEN)
		return err_set(err, "%s", link_why(s->link));
	if (link_describe(s->link, message) != 0 ||
	    buf_adds(message,
		"; the receiver speaks RELP and acknowledges each message") !=
		0)
		return err_set(err, "the result is too large");
	return 0;
}

static void
relp_close(struct output *out)
{
	struct session *s = out->state;

	part(s);
	if (s->n_sent > 0 && !link_down(s->link))
		out->breaks++;
	(void)link_close(s->link, 0);
	settle_behind(s);
	while (s->n > 0)
		decide(s, VERDICT_RETRY, "the output was closed");
	session_free(s);
	out->state = NULL;
}

const struct output_type output_relp = {
	.type.name = "relp",
	.type.reach = CONFIG_REACHES_NAMED,
	.type.title =
	    "RELP over TLS: rsyslog's imrelp, which answers each event",
	.type.before =
	    "The receiver must take messages of 64 KiB: sealfeed.yaml(5), "
	    "RECEIVERS.\n",
	.type.settings = relp_settings,
	.type.conf_size = sizeof(struct syslog_conf),
	.type.check = syslog_check,
	.format = syslog_format,
	.open = relp_open,
	.window = relp_window,
	.send = relp_send,
	.drive = relp_drive,
	.probe = relp_probe,
	.close = relp_close,
};
