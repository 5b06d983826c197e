/*
 * ship.c - one destination: sealed batches out, its position behind them.
 *
 * The loop fills, sends, waits for verdicts and settles.  It owns order,
 * retry, back-off, bisection, dead letters and the position, so that a
 * destination only moves chunks and says how each ended.
 *
 * The position is written without fsync and may fall back with a crash: then
 * events are sent again, never skipped.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "http/certificates.h"
#include "ship/ship.h"
#include "ship/ship_private.h"
#include "store/store.h"

/* The position is written at most that often. */
#define MOVE_EVERY (CLOCK_SECOND / 10)

/* The store is cleaned that often behind a moving position, and at rest, for
 * the sake of retain. */
#define CLEAN_MOVING (5 * CLOCK_SECOND)
#define CLEAN_RESTING CLOCK_MINUTE

/* Longest sleep, and how long verdicts are waited for at the end. */
#define REST_MS 1000
#define STOP_WAIT (3 * CLOCK_SECOND / 2)

/* Memory is given back when there has been nothing to send for that long. */
#define LEAN_AFTER (5 * CLOCK_SECOND)

/* A store that fails is tried again that often, and for that long; then this
 * role ends, and the supervisor looks at the store before the next start. */
#define STORE_AGAIN CLOCK_SECOND
#define STORE_TIMEOUT (30 * CLOCK_SECOND)

/* Go on where the last run ended.  What was received by then and is not sent
 * again now is still held. */
static int
resume(struct ship *s, struct err *err)
{
	struct position received;
	bool orderly = false;

	if (position_read(s->store, s->out.name, &s->progress.position,
		&received, &orderly, err) != 0)
		return -1;
	s->progress.received = s->progress.position;
	if (orderly)
		ship_hold_begin(s, &received);
	s->next.after = s->progress.received.batch;
	s->next.line = s->progress.received.lines;
	s->progress.moved = orderly; /* this is true of the last run only */
	return 0;
}

static int
begin(struct ship *s, const struct role *r, struct err *err)
{
	const struct config_entry *conf = r->output;

	s->role = r;
	s->out = (struct output){
		.type = output_type_of(conf->type),
		.name = conf->name,
		.agent = r->config->agent.name,
		.conf = conf->conf,
		.mode = "",
		.owner = &ship_owner,
		.owner_ctx = s,
	};
	s->store = store_open(r->config->agent.store.path, STORE_RELAXED, err);
	if (s->store == NULL)
		return -1;
	store_limits(s->store, r->config->agent.store.max_size,
	    r->config->agent.store.min_free);
	s->reader = batch_reader_new(s->store, r->config);
	return resume(s, err);
}

/* Open the output if it is to be: at first, and behind a block. */
static void
open_output(struct ship *s, int64_t now)
{
	struct err err = ERR_INIT;

	if (s->open || now < s->health.hold)
		return;
	if (s->out.type->open(&s->out, &err) == 0) {
		s->open = true;
		role_ready(s->role);
		return;
	}
	ship_health(s, SHIP_BLOCKED, err.text);
	s->health.hold = now +
	    ship_backoff(++s->health.level, SHIP_BLOCKED_FIRST,
		SHIP_BLOCKED_MAX);
}

/* Close what is blocked; it is opened again, with its credentials read again,
 * after a while. */
static void
shut_output(struct ship *s, int64_t now)
{
	if (!s->health.shut)
		return;
	s->out.type->close(&s->out);
	s->open = false;
	s->health.shut = false;
	s->health.hold = now +
	    ship_backoff(++s->health.level, SHIP_BLOCKED_FIRST,
		SHIP_BLOCKED_MAX);
}

/* What status shows, with what is to be added since it was written. */
static void
describe(struct ship *s, struct output_state *state)
{
	s->progress.add[OUTPUT_BYTES] = s->out.bytes - s->progress.bytes;
	s->progress.add[OUTPUT_CONNECTS] =
	    s->out.connects - s->progress.connects;
	state->mode = s->out.mode;
	state->received = &s->progress.received;
	state->orderly = s->progress.orderly;
	state->error = s->out.trouble[0] == '\0' ? NULL : s->out.trouble;
	memcpy(state->add, s->progress.add, sizeof(state->add));
}

/* Write position and state when there is something to write. */
static int
write_position(struct ship *s, int64_t now, struct err *err)
{
	struct output_state state;
	int rc;

	if ((!s->progress.moved && !s->progress.changed) ||
	    now < s->progress.move_at)
		return 0;
	describe(s, &state);
	rc = s->progress.moved
	    ? position_move(s->store, s->out.name, &s->progress.position,
		  &state, err)
	    : position_note(s->store, s->out.name, &state, err);
	if (rc != 0)
		return -1;
	s->progress.bytes = s->out.bytes;
	s->progress.connects = s->out.connects;
	memset(s->progress.add, 0, sizeof(s->progress.add));
	s->progress.moved = false;
	s->progress.changed = false;
	s->progress.move_at = now + MOVE_EVERY;
	return 0;
}

static int
clean(struct ship *s, int64_t now, struct err *err)
{
	if (now < s->keeping.clean_at)
		return 0;
	if (!s->keeping.passed && now < s->keeping.clean_at + CLEAN_RESTING)
		return 0;
	s->keeping.clean_at = now + CLEAN_MOVING;
	s->keeping.passed = false;
	if (store_clean(s->store, s->role->config->agent.retain, err) != 0)
		return -1;
	/* It may have been waiting for room. */
	role_wake(s->role, ROLE_COLLECT);
	return 0;
}

/* Milliseconds until something is due that no descriptor announces. */
static int
rest_ms(const struct ship *s, int64_t now)
{
	int64_t due = now + REST_MS * CLOCK_SECOND / 1000;
	int64_t release = ship_hold_due(s);

	if (release < due)
		due = release;
	if (s->health.hold > now && s->health.hold < due)
		due = s->health.hold;
	if (s->progress.moved && s->progress.move_at < due)
		due = s->progress.move_at;
	if (s->keeping.turn_at > now)
		return (int)((s->keeping.turn_at - now + 999) / 1000);
	for (const struct delivery *t = s->queue.first; t != NULL;
	     t = t->next) {
		if (t->state == DELIVERY_REFUSED ||
		    (t->state == DELIVERY_SETTLED &&
			(t == s->queue.first || t->dead_letter != 0 ||
			    t->replay)))
			return 0;
		if (t->state == DELIVERY_WAITING && t->due > now &&
		    t->due < due)
			due = t->due;
	}
	return due <= now ? 0 : (int)((due - now + 999) / 1000);
}

static void
drive(struct ship *s, int64_t now)
{
	int ms = rest_ms(s, now);

	if (s->open)
		s->out.type->drive(&s->out, s->role->wake_fd, ms);
	/* Clears the wake, before the store is looked into again. */
	role_rest(s->role, s->open ? 0 : ms);
}

/* When the certificates of the output end. */
static int
note_certificates(struct ship *s, int64_t now, struct err *err)
{
	const struct config_entry *e = s->role->output;
	char where[128];

	if (now < s->keeping.certificates_at)
		return 0;
	s->keeping.certificates_at = now + CLOCK_HOUR;
	(void)snprintf(where, sizeof(where), "outputs.%s", e->name);
	return certificates_note(s->store, where, e->type->settings, e->conf,
	    err);
}

/* One turn of everything that uses the store. */
static int
turn(struct ship *s, int64_t now, struct err *err)
{
	int rc;

	if (ship_bisect(s, err) != 0 || ship_requests(s, now, err) != 0)
		return -1;
	if (ship_breaks(s, now, err) != 0)
		return -1;
	ship_settle(s);
	ship_hold_release(s, now);
	if (ship_replay(s, now, err) != 0)
		return -1;
	if (write_position(s, now, err) != 0 || clean(s, now, err) != 0 ||
	    note_certificates(s, now, err) != 0)
		return -1;
	do {
		rc = ship_fill(s, err);
	} while (ship_send_due(s, now) && rc == 0);
	return rc;
}

/* A turn, while the store lets us.  -1: it has failed for too long. */
static int
try_turn(struct ship *s, int64_t now)
{
	struct err err = ERR_INIT;

	if (now < s->keeping.turn_at)
		return 0;
	if (turn(s, now, &err) == 0) {
		if (s->keeping.failing != 0)
			log_notice("the store works again");
		s->keeping.failing = 0;
		return 0;
	}
	if (s->keeping.failing == 0) {
		s->keeping.failing = now;
		log_err("%s", err.text);
	}
	s->keeping.turn_at = now + STORE_AGAIN;
	return now - s->keeping.failing > STORE_TIMEOUT ? -1 : 0;
}

/* Say what delivery is worth when that changes. */
static void
watch_mode(struct ship *s, const char **mode)
{
	if (strcmp(s->out.mode, *mode) == 0)
		return;
	if ((*mode)[0] != '\0')
		log_notice("delivery is %s", s->out.mode);
	*mode = s->out.mode;
	s->progress.changed = true;
}

/* Say so while it is not known what became of chunks that were taken. */
static void
watch_unheard(struct ship *s, bool *unheard)
{
	bool now = s->out.unheard[0] != '\0';

	if (now && s->health.state == SHIP_WELL)
		ship_health(s, SHIP_RETRYING, s->out.unheard);
	else if (*unheard && !now && s->health.state == SHIP_RETRYING &&
	    s->health.retries == 0)
		ship_health(s, SHIP_WELL, "");
	*unheard = now;
}

static void
keep_lean(struct ship *s, int64_t now)
{
	if (s->queue.first != NULL) {
		s->keeping.busy = now;
	} else if (s->keeping.busy != 0 && now - s->keeping.busy > LEAN_AFTER) {
		s->keeping.busy = 0;
		batch_reader_rest(s->reader);
		store_rest(s->store);
		mem_give_back();
	}
}

/* SIGUSR1: files are opened again, and a destination in trouble is begun with
 * anew at once: perhaps what was wrong has been put right. */
static void
begin_anew(struct ship *s)
{
	if (s->open && s->out.type->reopen != NULL)
		s->out.type->reopen(&s->out);
	if (s->health.state == SHIP_WELL)
		return;
	s->health.shut = true; /* what is cut short now is nobody's fault */
	if (s->open)
		s->out.type->close(&s->out);
	s->open = false;
	s->health.shut = false;
	s->health.level = 0;
	s->health.hold = 0;
}

static int
work(struct ship *s)
{
	const char *mode = s->out.mode;
	bool unheard = false;
	int64_t now;

	while (!role_stopping(s->role)) {
		role_alive(s->role);
		now = clock_monotonic();
		if (role_reopen(s->role)) {
			s->keeping.certificates_at = 0;
			begin_anew(s);
		}
		open_output(s, now);
		if (try_turn(s, now) != 0)
			return -1;
		drive(s, now);
		shut_output(s, clock_monotonic());
		watch_mode(s, &mode);
		watch_unheard(s, &unheard);
		keep_lean(s, now);
	}
	return 0;
}

/* Wait a little for what is under way, and close. */
static void
finish(struct ship *s)
{
	int64_t now, until = clock_monotonic() + STOP_WAIT;

	while (s->open && s->queue.in_flight > 0) {
		now = clock_monotonic();
		if (now >= until)
			break;
		role_alive(s->role);
		role_rest(s->role, 0);
		s->out.type->drive(&s->out, s->role->wake_fd,
		    (int)((until - now) / 1000) + 1);
	}
	s->health.shut = true; /* what is cut short now is nobody's fault */
	if (s->open)
		s->out.type->close(&s->out);
	s->open = false;
}

int
ship_run(const struct role *r)
{
	struct ship s = { .health.state = SHIP_WELL };
	struct err err = ERR_INIT;
	int rc;

	rc = begin(&s, r, &err);
	if (rc == 0) {
		rc = work(&s);
		finish(&s);
		if (s.out.breaks != s.in_flight.breaks)
			ship_hold_break(&s);
		ship_settle(&s);
		s.progress.orderly = ship_hold_orderly(&s);
		s.progress.moved = s.progress.moved || s.progress.orderly;
		s.progress.move_at = 0;
		if (write_position(&s, clock_monotonic(), &err) != 0)
			rc = -1;
	}
	if (err.text[0] != '\0')
		log_err("%s", err.text);
	ship_drop_all(&s);
	batch_reader_free(s.reader);
	store_close(s.store);
	return rc == 0 ? 0 : 1;
}
