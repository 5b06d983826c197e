/*
 * receiver.c - when a parcel counts as delivered: proven by the receiver, or
 * held back for long enough.
 */
#include "outputs/syslog/receiver.h"

#include <string.h>

#include "base/clock.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/syslog.h"

/* How often the kernel is asked what has left, while something is held. */
#define LOOK (50 * CLOCK_SECOND / 1000)

/* Connections in a row whose peer stopped answering before it is believed
 * that it has been replaced by one that does not. */
#define SILENT_MOST 3

/* Waiting for confirmation is extended up to timeout << this. */
#define PATIENCE_MOST 6

void
siem_decide(struct siem *s, size_t i, enum verdict v, const char *why)
{
	struct parcel *p = s->flight[i].parcel;

	s->n--;
	s->bytes -= parcel_bytes(p);
	memmove(&s->flight[i], &s->flight[i + 1],
	    (s->n - i) * sizeof(s->flight[0]));
	if (i < s->written)
		s->written--;
	s->decided = true;
	output_done(s->out, p, v, 0, "%s", why);
}

void
siem_deliver(struct siem *s)
{
	s->delivered++;
	siem_decide(s, 0, VERDICT_DELIVERED, "");
}

void
siem_settle_proven(struct siem *s, int64_t now)
{
	struct confirm *c = &s->confirm;

	for (; s->answers < link_answers(s->link); s->answers++) {
		confirm_answer(c, now);
		s->due_end = link_sent(s->link);
		s->known = true;
		s->silent = 0;
		s->patience = 0;
		s->out->mode = MODE_CONFIRMED;
	}
	while (s->written > 0 && s->delivered < c->proven)
		siem_deliver(s);
}

void
siem_settle_held(struct siem *s, int64_t now, int64_t *wait)
{
	const struct syslog_conf *conf = s->conf;
	uint64_t left = link_left(s->link);

	for (size_t i = 0; i < s->written; i++) {
		if (s->flight[i].left_at == 0 && s->flight[i].end <= left)
			s->flight[i].left_at = now;
	}
	while (s->written > 0) {
		const struct flight *f = &s->flight[0];

		if (now + LOOK < *wait)
			*wait = now + LOOK;
		if (f->left_at == 0 ||
		    (left - f->end < (uint64_t)conf->hold.bytes &&
			now - f->left_at < conf->hold.time))
			break;
		siem_deliver(s);
	}
}

/* The peer has not confirmed for too long. */
static void
fail_silent(struct siem *s)
{
	if (s->confirm.mode == CONFIRM_UNKNOWN && ++s->silent >= SILENT_MOST)
		s->known = false;
	if (s->patience < PATIENCE_MOST)
		s->patience++;
	link_fail(s->link, false,
	    "the receiver takes data and does not confirm it; look whether "
	    "it hangs");
}

void
siem_ask(struct siem *s, bool idle, int64_t now, int64_t *wait)
{
	struct confirm *c = &s->confirm;

	if (c->mode == CONFIRM_NO)
		return;
	if (link_left(s->link) < s->due_end)
		confirm_busy(c, now);
	while (confirm_wants(c, idle, now, wait) && link_ask(s->link)) {
		if (c->asked == c->answered)
			s->due_end = link_sent(s->link);
		confirm_asked(c, now);
	}
	if (c->mode == CONFIRM_NO)
		s->out->mode = MODE_UNCONFIRMED;
	else if (confirm_owed(c, now) > s->conf->timeout << s->patience)
		fail_silent(s);
}
