/*
 * position.c - how far each output has got.
 */
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/db.h"
#include "store/position.h"

static bool
among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* Forget the outputs that are not among names. */
static int
forget(struct store *s, const char *const *names, size_t n, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err, "SELECT name FROM output", "");
	char name[64];
	int rc;

	if (st == NULL)
		return -1;
	while ((rc = db_step(s, st, err)) == 1) {
		db_text(st, 0, name, sizeof(name));
		if (among(name, names, n))
			continue;
		if (db_run(s, err, "DELETE FROM output WHERE name = ?", "t",
			name) != 0 ||
		    db_run(s, err, "DELETE FROM passed WHERE output = ?", "t",
			name) != 0) {
			db_done(st);
			return -1;
		}
	}
	return rc;
}

int
position_set_outputs(struct store *s, const char *const *names, size_t n,
    struct err *err)
{
	int rc;

	if (db_begin(s, err) != 0)
		return -1;
	rc = forget(s, names, n, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = db_run(s, err,
		    "INSERT INTO output (name, position) SELECT ?, coalesce("
		    "(SELECT min(batch) - 1 FROM payload),"
		    "(SELECT seq FROM sqlite_sequence WHERE name = 'batch'),"
		    " 0) WHERE true ON CONFLICT DO NOTHING",
		    "t", names[i]);
	return db_end(s, rc, err);
}

static void
read_position(sqlite3_stmt *st, int column, struct position *pos)
{
	pos->batch = sqlite3_column_int64(st, column);
	pos->lines = (size_t)sqlite3_column_int64(st, column + 1);
}

int
position_read(struct store *s, const char *output, struct position *pos,
    struct position *received, bool *orderly, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT position, lines, coalesce(received, position),"
	    " coalesce(received_lines, lines), orderly"
	    " FROM output WHERE name = ?",
	    "t", output);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		read_position(st, 0, pos);
		if (received != NULL)
			read_position(st, 2, received);
		if (orderly != NULL)
			*orderly = sqlite3_column_int(st, 4) != 0;
		db_done(st);
	}
	db_unlock(s);
	if (rc == 0)
		return err_set(err, "%s: no output \"%s\"", s->path, output);
	return rc == 1 ? 0 : -1;
}

static int
note(struct store *s, const char *output, const struct output_state *state,
    struct err *err)
{
	const bool well = state->error == NULL;

	if (db_run(s, err,
		"UPDATE output SET mode = coalesce(?2, mode), error = ?3,"
		" failed = iif(?3 = '', NULL, coalesce(failed, "
		"?4))" OUTPUT_COUNTER_ROWS(COUNTER_ADD) " WHERE name = ?1",
		"tttic", output, state->mode, well ? "" : state->error,
		clock_now(), state->add, (size_t)OUTPUT_COUNTERS) != 0)
		return -1;
	if (db_changes(s) != 1)
		return err_set(err, "%s: no output \"%s\"", s->path, output);
	return 0;
}

static int
set_position(struct store *s, const char *output, const struct position *pos,
    const struct output_state *state, struct err *err)
{
	const struct position *received =
	    state->received == NULL ? pos : state->received;
	const int64_t now = clock_now();

	if (db_run(s, err,
		"INSERT INTO passed (output, batch, time)"
		" SELECT name, ?2, ?3 FROM output"
		" WHERE name = ?1 AND coalesce(received, position) < ?2"
		" ON CONFLICT DO NOTHING",
		"tii", output, received->batch, now) != 0)
		return -1;
	return db_run(s, err,
	    "UPDATE output SET position = ?2, lines = ?3, moved = ?4,"
	    " received = ?5, received_lines = ?6, orderly = ?7"
	    " WHERE name = ?1",
	    "tiiiiii", output, pos->batch, (int64_t)pos->lines, now,
	    received->batch, (int64_t)received->lines, (int64_t)state->orderly);
}

int
position_move(struct store *s, const char *output, const struct position *pos,
    const struct output_state *state, struct err *err)
{
	int rc;

	if (db_begin_relaxed(s, err) != 0)
		return -1;
	rc = set_position(s, output, pos, state, err);
	if (rc == 0)
		rc = note(s, output, state, err);
	return db_end(s, rc, err);
}

int
position_note(struct store *s, const char *output,
    const struct output_state *state, struct err *err)
{
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s, note(s, output, state, err), err);
}

int
dead_letter_add(struct store *s, const struct dead_letter *d, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	/* After a crash the same event may be refused again. */
	return db_end(s,
	    db_run(s, err,
		"INSERT INTO dead_letter (output, feed, number, time, reason,"
		" event, event_time, via) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO NOTHING",
		"ttiitbmi", d->output, d->feed, (int64_t)d->index, d->when,
		d->reason, d->event.data, d->event.len, d->event_time,
		(int64_t)d->via),
	    err);
}

int
dead_letter_next(struct store *s, const char *output, int64_t after,
    struct dead_letter *d, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, output, feed, number, time, reason, event, event_time,"
	    " via FROM dead_letter WHERE id > ?1 AND (?2 IS NULL OR output = "
	    "?2)"
	    " ORDER BY id LIMIT 1",
	    "it", after, output);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		d->id = sqlite3_column_int64(st, 0);
		db_text(st, 1, d->output, sizeof(d->output));
		db_text(st, 2, d->feed, sizeof(d->feed));
		d->index = (uint64_t)sqlite3_column_int64(st, 3);
		d->when = db_when(st, 4);
		db_text(st, 5, d->reason, sizeof(d->reason));
		d->event_time = db_time(st, 7);
		d->via = via_number(sqlite3_column_int64(st, 8));
		if (db_blob(st, 6, &d->event, err) != 0)
			rc = -1;
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
dead_letter_remove(struct store *s, int64_t id, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err, "DELETE FROM dead_letter WHERE id = ?", "i", id),
	    err);
}

int
request_add(struct store *s, const struct request *r, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"INSERT INTO request (kind, target, number, argument, made)"
		" VALUES (?, ?, ?, ?, ?)",
		"ttiti", r->kind, r->target, r->number, r->argument,
		clock_now()),
	    err);
}

int
request_next(struct store *s, const char *kind, const char *target,
    struct request *r, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, kind, target, number, argument FROM request"
	    " WHERE kind = ? AND target = ? ORDER BY id LIMIT 1",
	    "tt", kind, target);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		r->id = sqlite3_column_int64(st, 0);
		db_text(st, 1, r->kind, sizeof(r->kind));
		db_text(st, 2, r->target, sizeof(r->target));
		r->number = sqlite3_column_int64(st, 3);
		db_text(st, 4, r->argument, sizeof(r->argument));
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
request_done(struct store *s, int64_t id, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err, "DELETE FROM request WHERE id = ?", "i", id), err);
}
