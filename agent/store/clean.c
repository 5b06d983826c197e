/*
 * clean.c - limits of the store, and housekeeping in small steps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/mark.h"
#include "store/seen.h"

#define STEPS_MOST 64        /* transactions a call */
#define TRACE_TIME CLOCK_DAY /* for which batches are remembered */
#define FREE_PAGES 1024      /* 16 MiB stay for what comes next */
#define VACUUM_PAGES "128"
#define VACUUM_PAGES_N 128
#define WAL_MOST (16 << 20)
#define OPEN_LEAST (1 << 20) /* of free space, to open a store */
#define FREE_LEAST (4 << 20) /* below that it is about to fail */
#define SLACK 20             /* full ends a twentieth below the limit */

void
store_limits(struct store *s, int64_t max_size, int64_t min_free)
{
	s->max_size = max_size;
	s->min_free = min_free;
}

static int
pragma(struct store *s, const char *sql, int64_t *n, struct err *err)
{
	return db_number(s, err, 0, n, sql, "");
}

static int
used(struct store *s, int64_t *bytes, struct err *err)
{
	int64_t pages, unused, size;

	if (pragma(s, "PRAGMA page_count", &pages, err) != 0 ||
	    pragma(s, "PRAGMA freelist_count", &unused, err) != 0 ||
	    pragma(s, "PRAGMA page_size", &size, err) != 0)
		return -1;
	*bytes = (pages - unused) * size;
	return 0;
}

int
store_room_now(struct store *s, struct store_room *room, struct err *err)
{
	struct store_room r = {
		.max_size = s->max_size,
		.min_free = s->min_free > FREE_LEAST ? s->min_free : FREE_LEAST,
	};
	const int64_t reserve = mark_reserve_wants(s);
	struct statvfs fs;
	int64_t most, least;
	int rc;

	if (statvfs(s->path, &fs) != 0)
		return err_set(err, "%s: %s", s->path, strerror(errno));
	/* Nothing is collected before the reserve is there again. */
	if (r.min_free < reserve)
		r.min_free = reserve;
	r.free = (int64_t)(fs.f_bavail * fs.f_frsize);
	db_lock(s);
	rc = used(s, &r.used, err);
	if (rc == 0) {
		most = s->max_size;
		least = r.min_free;
		if (s->full) {
			most -= most / SLACK;
			least += least / SLACK;
		}
		r.full = (most > 0 && r.used >= most) || r.free < least;
		s->full = r.full;
		*room = r;
	}
	db_unlock(s);
	return rc;
}

bool
store_cramped(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL
	    ? xstrdup(".")
	    : xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	struct statvfs fs;
	bool cramped =
	    statvfs(dir, &fs) == 0 && fs.f_bavail * fs.f_frsize < OPEN_LEAST;

	free(dir);
	return cramped;
}

/* What a step works with. */
struct clean {
	struct store *s;
	int64_t now;
	int64_t retain;
	int64_t passed; /* by every output, for longer than retain */
	int64_t keep;   /* how long batches are remembered */
};

static int
find_passed(struct clean *c, struct err *err)
{
	/* An output that is new, or has not moved for so long, has no row:
	 * it holds everything back. */
	static const char retained[] =
	    "SELECT min(coalesce((SELECT batch FROM passed p"
	    " WHERE p.output = o.name AND p.time <= ?"
	    " ORDER BY p.time DESC, p.batch DESC LIMIT 1), 0)) FROM output o";

	if (db_number(c->s, err, CLOCK_DAY, &c->keep,
		"SELECT max(dedupe) FROM feed", "") != 0)
		return -1;
	if (c->keep < TRACE_TIME)
		c->keep = TRACE_TIME;
	if (c->retain > 0)
		return db_number(c->s, err, 0, &c->passed, retained, "i",
		    c->now - c->retain);
	return db_number(c->s, err, 0, &c->passed,
	    "SELECT min(position) FROM output", "");
}

/* Each returns 1 when it did something and may find more, 0, or -1. */
typedef int clean_fn(struct clean *c, struct err *err);

static int
done_some(struct clean *c, int rc)
{
	if (rc != 0)
		return -1;
	return db_changes(c->s) > 0 ? 1 : 0;
}

static int
clean_payloads(struct clean *c, struct err *err)
{
	if (db_run(c->s, err,
		"DELETE FROM checkpoint WHERE batch IN (SELECT batch"
		" FROM payload WHERE batch <= ? ORDER BY batch LIMIT 32)",
		"i", c->passed) != 0)
		return -1;
	return done_some(c,
	    db_run(c->s, err,
		"DELETE FROM payload WHERE batch IN (SELECT batch"
		" FROM payload WHERE batch <= ? ORDER BY batch LIMIT 32)",
		"i", c->passed));
}

static int
clean_batches(struct clean *c, struct err *err)
{
	return done_some(c,
	    db_run(c->s, err,
		"DELETE FROM batch WHERE id IN (SELECT id FROM"
		" (SELECT id, committed FROM batch WHERE id <= ?1"
		" AND id < coalesce((SELECT min(batch) FROM payload), 1 << 62)"
		" ORDER BY id LIMIT 1000) WHERE committed < ?2)",
		"ii", c->passed, c->now - c->keep));
}

static int
clean_passed(struct clean *c, struct err *err)
{
	return done_some(c,
	    db_run(c->s, err,
		"DELETE FROM passed WHERE (output, batch) IN ("
		"SELECT p.output, p.batch FROM output o CROSS JOIN passed p"
		" ON p.output = o.name AND p.batch < coalesce("
		"(SELECT min(id) FROM batch), 0) LIMIT 1000)",
		""));
}

static int
clean_pieces(struct clean *c, struct err *err)
{
	return done_some(c,
	    db_run(c->s, err,
		"DELETE FROM piece WHERE (feed, first) IN ("
		"SELECT p.feed, p.first FROM feed f CROSS JOIN piece p"
		" ON p.feed = f.id AND p.first < coalesce("
		"(SELECT min(first) FROM batch b WHERE b.feed = f.id), f.size)"
		" LIMIT 1000)",
		""));
}

static int
clean_items(struct clean *c, struct err *err)
{
	return done_some(c,
	    db_run(c->s, err,
		"DELETE FROM item WHERE id IN (SELECT id FROM item"
		" WHERE expires < ? AND state <> 0 ORDER BY expires"
		" LIMIT 1000)",
		"i", c->now - TRACE_TIME));
}

static int
clean_seen(struct clean *c, struct err *err)
{
	return seen_expire(c->s, c->now, err);
}

/* Trees that a recovery closed, once nothing refers to them. */
static int
clean_feeds(struct clean *c, struct err *err)
{
	return done_some(c,
	    db_run(c->s, err,
		"DELETE FROM feed WHERE id < (SELECT max(id) FROM feed g"
		" WHERE g.name = feed.name)"
		" AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.feed = feed.id)"
		" AND NOT EXISTS (SELECT 1 FROM run r WHERE r.feed = feed.id)"
		" AND NOT EXISTS (SELECT 1 FROM gap x WHERE x.feed = feed.id)",
		""));
}

static clean_fn *const clean_steps[] = { clean_payloads, clean_batches,
	clean_passed, clean_pieces, clean_feeds, NULL };
static clean_fn *const forget_steps[] = { clean_items, clean_seen, NULL };

/* One transaction; 1 it did something, 0, -1. */
static int
step(struct clean *c, clean_fn *fn, struct err *err)
{
	int rc;

	if (db_begin_relaxed(c->s, err) != 0)
		return -1;
	rc = find_passed(c, err);
	if (rc == 0)
		rc = fn(c, err);
	if (db_end(c->s, rc < 0 ? -1 : 0, err) != 0)
		return -1;
	return rc;
}

static int64_t
wal_size(const struct store *s)
{
	char *name = xasprintf("%s-wal", s->path);
	struct stat st;
	int64_t size = stat(name, &st) == 0 ? st.st_size : 0;

	free(name);
	return size;
}

/* Give pages back, some at a time, and keep the WAL short; all of it where
 * there is not even room for the reserve. */
static int
give_back(struct store *s, bool all, struct err *err)
{
	int64_t unused;
	int rc;

	db_lock(s);
	rc = pragma(s, "PRAGMA freelist_count", &unused, err);
	for (int i = 0; rc == 0 && unused > (all ? 0 : FREE_PAGES) &&
	     i < (all ? STEPS_MOST : 1);
	     i++) {
		rc = db_exec(s, "PRAGMA incremental_vacuum(" VACUUM_PAGES ")",
		    err);
		unused -= VACUUM_PAGES_N;
	}
	if (rc == 0 && (all || wal_size(s) > WAL_MOST))
		(void)db_checkpoint(s, true);
	db_unlock(s);
	return rc;
}

static int
run(struct clean *c, clean_fn *const *steps, struct err *err)
{
	int left = STEPS_MOST;

	for (; *steps != NULL; steps++) {
		int rc;

		do {
			rc = step(c, *steps, err);
		} while (rc == 1 && --left > 0);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int
store_forget(struct store *s, int64_t now, struct err *err)
{
	struct clean c = { .s = s, .now = now };

	return run(&c, forget_steps, err);
}

int
store_clean(struct store *s, int64_t retain, struct err *err)
{
	struct clean c = { .s = s, .now = clock_now(), .retain = retain };

	if (run(&c, clean_steps, err) != 0)
		return -1;
	return give_back(s, s->tight || !mark_keep_reserve(s), err);
}
