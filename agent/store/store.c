/*
 * store.c - the one SQLite file that the roles share: open and clean.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/commit.h"
#include "store/connect.h"
#include "store/db.h"
#include "store/hours.h"
#include "store/migrate.h"
#include "store/pack.h"
#include "store/reserve.h"
#include "store/seen.h"
#include "store/size_log.h"
#include "store/store.h"

static int
set_up(struct store *s, struct err *err)
{
	if (s->reads && access(s->path, F_OK) != 0)
		return err_set(err,
		    "%s: %s; the agent creates the store on its first run; "
		    "check agent.store.path",
		    s->path, strerror(errno));
	/* By its name: a descriptor of it that is closed would take SQLite's
	 * locks along. */
	if (file_is_regular(s->path, err) != 0 ||
	    (!s->reads && file_parents(s->path, err) != 0))
		return -1;
	if ((s->reads ? connect_to_read(s, err) : connect_to_write(s, err)) !=
		0 ||
	    migrate(s, s->reads, err) != 0)
		return -1;
	if (s->reads)
		return 0;
	(void)reserve_keep(s->path);
	s->relaxed = !s->durable;
	if (db_exec(s,
		s->relaxed ? "PRAGMA synchronous=NORMAL"
			   : "PRAGMA synchronous=FULL",
		err) != 0)
		return -1;
	s->size_log = size_log_open(s->path, err);
	return s->size_log < 0 ? -1 : 0;
}

/* What the link at path leads to, by its text; NULL: it is no link. */
static char *
link_target(const char *path)
{
	const char *slash = strrchr(path, '/');
	char target[PATH_MAX];
	const ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return NULL;
	target[n] = '\0';
	if (target[0] == '/' || slash == NULL)
		return xstrdup(target);
	return xasprintf("%.*s/%s", (int)(slash - path), path, target);
}

/* The name of a file that is not there yet in its real directory. */
static char *
real_new(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	char *dir = file_folder(path);
	char *real = realpath(dir, NULL);
	char *name = real == NULL
	    ? xstrdup(path)
	    : xasprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real, base);

	free(real);
	free(dir);
	return name;
}

#define LINKS_MAX 8 /* to a file that is not there yet */

char *
store_real_path(const char *path)
{
	char *name = xstrdup(path);
	char *real = realpath(name, NULL);

	for (int i = 0; real == NULL && i < LINKS_MAX; i++) {
		char *next = link_target(name);

		if (next == NULL)
			break;
		free(name);
		name = next;
		real = realpath(name, NULL);
	}
	if (real == NULL)
		real = real_new(name);
	free(name);
	return real;
}

/* Pages of its cache one by one, so that a handle at rest can give them back,
 * and not twenty at once for good.  Too late where SQLite is in use already,
 * which is no matter. */
static void
set_up_sqlite(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

static struct store *
new_handle(const char *path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *s = xcalloc(1, sizeof(*s));

	(void)pthread_once(&once, set_up_sqlite);
	s->path = store_real_path(path);
	s->size_log = -1;
	s->filter_bytes = SEEN_FILTER;
	(void)pthread_mutex_init(&s->mutex, NULL);
	(void)pthread_mutex_init(&s->scratch_mutex, NULL);
	(void)pthread_cond_init(&s->scratch_given, NULL);
	(void)pthread_rwlock_init(&s->filling, NULL);
	return s;
}

struct store *
store_open_bare(const char *path, struct err *err)
{
	struct store *s = new_handle(path);

	if (connect_bare(s, err) == 0)
		return s;
	store_close(s);
	return NULL;
}

int
store_older(const char *path, int64_t *version, struct err *err)
{
	struct store *s;
	int rc;

	*version = 0;
	if (access(path, F_OK) != 0)
		return 0;
	s = store_open_bare(path, err);
	if (s == NULL)
		return -1;
	rc = migrate_version(s, version, err);
	if (rc != 0 || *version >= migrate_newest())
		*version = 0;
	store_close(s);
	return rc;
}

struct store *
store_open(const char *path, enum store_access access, struct err *err)
{
	struct store *s = new_handle(path);

	s->durable = access == STORE_DURABLE;
	s->copy = access == STORE_COPY;
	s->reads = access == STORE_READ || s->copy;
	if (set_up(s, err) == 0)
		return s;
	store_close(s);
	return NULL;
}

/* Polls that find nothing commit their progress, and where many feeds do they
 * would read the same pages each time. */
static void
rest_cache(struct store *s)
{
	char pragma[64];

	(void)snprintf(pragma, sizeof(pragma), "PRAGMA cache_size=-%zu",
	    16 + s->feeds / 2);
	(void)sqlite3_exec(s->db, pragma, NULL, NULL, NULL);
}

void
store_rest(struct store *s)
{
	pack_release(s);
	db_lock(s);
	db_forget(s);
	rest_cache(s);
	(void)sqlite3_db_release_memory(s->db);
	s->committed = 0;
	s->rests = true;
	db_unlock(s);
}

void
store_wake(struct store *s)
{
	if (s->rests)
		(void)sqlite3_exec(s->db, "PRAGMA cache_size=" DB_CACHE_BUSY,
		    NULL, NULL, NULL);
	s->committed = clock_monotonic();
	s->rests = false;
}

int64_t
store_committed(const struct store *s)
{
	return s->committed;
}

void
store_on_wait(void (*fn)(void *ctx), void *ctx)
{
	db_on_wait(fn, ctx);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	db_forget(s);
	seen_release(s);
	pack_release(s);
	(void)sqlite3_close_v2(s->db);
	if (s->size_log >= 0)
		(void)close(s->size_log);
	(void)pthread_rwlock_destroy(&s->filling);
	(void)pthread_mutex_destroy(&s->mutex);
	(void)pthread_mutex_destroy(&s->scratch_mutex);
	(void)pthread_cond_destroy(&s->scratch_given);
	free(s->path);
	free(s);
}

#define STEPS_MAX 64         /* transactions a call */
#define TRACE_TIME CLOCK_DAY /* for which batches are remembered */
/* A gap's item is remembered so much longer: one that is listed again and again
 * does not come back to life each time. */
#define GAP_TIME (14 * CLOCK_DAY)
#define FREE_PAGES 1024 /* 16 MiB stay for what comes next */
#define VACUUM_PAGES "128"
#define VACUUM_PAGES_N 128
#define WAL_MAX (16 << 20)
#define WAL_SHARE 8        /* of a small store that its WAL may be */
#define CARRY_TRIES 40     /* some 0.4 s */
#define OPEN_MIN (1 << 20) /* of free space, to open a store */
#define FREE_MIN (4 << 20) /* below that an open is about to fail */
#define SLACK 20           /* full ends a twentieth below the limit */

void
store_agent(struct store *s, const char *name)
{
	(void)snprintf(s->agent, sizeof(s->agent), "%s", name);
}

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

static int64_t
wal_size(const struct store *s)
{
	char *name = xasprintf("%s-wal", s->path);
	struct stat st;
	int64_t size = stat(name, &st) == 0 ? st.st_size : 0;

	free(name);
	return size;
}

static int
used(struct store *s, int64_t *bytes, int64_t *wal, struct err *err)
{
	int64_t pages, unused, size;

	if (pragma(s, "PRAGMA page_count", &pages, err) != 0 ||
	    pragma(s, "PRAGMA freelist_count", &unused, err) != 0 ||
	    pragma(s, "PRAGMA page_size", &size, err) != 0)
		return -1;
	*wal = wal_size(s);
	*bytes = (pages - unused) * size + *wal;
	return 0;
}

/* Cut the WAL off; false: somebody is in the way, which is no matter where it
 * is for a moment. */
static bool
carry_over(struct store *s)
{
	const bool done = db_checkpoint(s, true);

	if (done || wal_size(s) <= WAL_MAX)
		s->starved = 0;
	else if (s->starved == 0)
		s->starved = clock_monotonic();
	return done;
}

/* The WAL alone makes it full: carry that over before anything pauses for it,
 * and wait for who reads or writes just now.  A handle that only reads can't,
 * and takes it for full where one that could has said so. */
static int
make_fit(struct store *s, int64_t max, struct store_room *r, struct err *err)
{
	const int tries = s->full ? 0 : CARRY_TRIES;

	if (s->reads) {
		r->by_size = s->full;
		return 0;
	}
	for (int i = 0; !carry_over(s) && i < tries; i++)
		(void)db_busy(NULL, i);
	if (used(s, &r->used, &r->wal, err) != 0)
		return -1;
	r->by_size = r->used >= max;
	return 0;
}

static int
measure(struct store *s, struct store_room *r, struct err *err)
{
	int64_t max = s->max_size, min = r->min_free;

	if (s->full) {
		max -= max / SLACK;
		min += min / SLACK;
	}
	if (used(s, &r->used, &r->wal, err) != 0)
		return -1;
	r->by_size = max > 0 && r->used >= max;
	if (r->by_size && r->used - r->wal < max &&
	    make_fit(s, max, r, err) != 0)
		return -1;
	r->full = r->by_size || r->free < min;
	return 0;
}

int
store_room_now(struct store *s, struct store_room *room, struct err *err)
{
	struct store_room r = {
		.max_size = s->max_size,
		.min_free = s->min_free > FREE_MIN ? s->min_free : FREE_MIN,
	};
	const int64_t reserve = reserve_needs(s->path);
	struct statvfs fs;
	int rc;

	if (statvfs(s->path, &fs) != 0)
		return err_set(err, "%s: %s", s->path, strerror(errno));
	/* Nothing is collected before the reserve is there again. */
	if (r.min_free < reserve)
		r.min_free = reserve;
	r.free = (int64_t)(fs.f_bavail * fs.f_frsize);
	db_lock(s);
	rc = measure(s, &r, err);
	if (rc == 0) {
		s->full = r.full;
		*room = r;
	}
	db_unlock(s);
	return rc;
}

void
store_was_full(struct store *s, bool full)
{
	db_lock(s);
	s->full = full;
	db_unlock(s);
}

bool
store_cramped(const char *path)
{
	char *dir = file_folder(path);
	struct statvfs fs;
	bool cramped =
	    statvfs(dir, &fs) == 0 && fs.f_bavail * fs.f_frsize < OPEN_MIN;

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
	    "SELECT min(coalesce(min(o.position, (SELECT batch FROM passed p"
	    " WHERE p.output = o.name AND p.time <= ?"
	    " ORDER BY p.time DESC, p.batch DESC LIMIT 1)), 0)) FROM output o";

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
clean_versions(struct clean *c, struct err *err)
{
	return done_some(c,
	    db_run(c->s, err,
		"DELETE FROM version WHERE id IN ("
		"SELECT v.id FROM feed f CROSS JOIN version v"
		" ON v.feed = f.id AND v.number < coalesce("
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
		" WHERE (expires < ?1 AND state = 1)"
		" OR (expires < ?2 AND state = 2) LIMIT 1000)",
		"ii", c->now - TRACE_TIME, c->now - GAP_TIME));
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
		" AND NOT EXISTS (SELECT 1 FROM hour h WHERE h.feed = feed.id)"
		" AND NOT EXISTS (SELECT 1 FROM gap x WHERE x.feed = feed.id)",
		""));
}

static int
join_hours(struct clean *c, struct err *err)
{
	int64_t passed;

	return db_number(c->s, err, 0, &passed,
		   "SELECT min(position) FROM output", "") != 0
	    ? -1
	    : hours_join(c->s, passed, err);
}

static clean_fn *const clean_steps[] = { clean_payloads, clean_batches,
	clean_passed, clean_pieces, clean_versions, clean_feeds, join_hours,
	NULL };
#define BACKFILLS_KEPT (30 * CLOCK_DAY)

static int
clean_backfills(struct clean *c, struct err *err)
{
	return done_some(c,
	    db_run(c->s, err, "DELETE FROM backfill WHERE ended < ?", "i",
		c->now - BACKFILLS_KEPT));
}

/* What a reconciliation found, by the age of the events. */
static int
clean_reconciled(struct clean *c, struct err *err)
{
	static const char *const steps[] = {
		"DELETE FROM span WHERE until < ? AND ended IS NOT NULL",
		"DELETE FROM hour WHERE hour < ?",
		"DELETE FROM confirmed WHERE hour < ?",
		"DELETE FROM missing WHERE time < ?",
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (db_run(c->s, err, steps[i], "i", c->now - HOURS_KEPT) != 0)
			return -1;
	return 0;
}

static clean_fn *const forget_steps[] = { clean_items, clean_seen,
	clean_backfills, clean_reconciled, NULL };

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

/* What a WAL may have at rest.  It counts as used: one that was carried over
 * long ago and is as large as a small store would make it look full. */
static int64_t
wal_most(const struct store *s)
{
	const int64_t share = s->max_size / WAL_SHARE;

	return share > 0 && share < WAL_MAX ? share : WAL_MAX;
}

int64_t
store_starved(struct store *s)
{
	int64_t since;

	db_lock(s);
	/* What was too large may have been carried over by another. */
	if (s->starved != 0 && wal_size(s) <= WAL_MAX)
		s->starved = 0;
	since = s->starved;
	db_unlock(s);
	return since;
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
	     i < (all ? STEPS_MAX : 1);
	     i++) {
		rc = db_exec(s, "PRAGMA incremental_vacuum(" VACUUM_PAGES ")",
		    err);
		unused -= VACUUM_PAGES_N;
	}
	if (rc == 0 && (all || s->full || wal_size(s) > wal_most(s)))
		(void)carry_over(s);
	db_unlock(s);
	return rc;
}

static int
run(struct clean *c, clean_fn *const *steps, struct err *err)
{
	int left = STEPS_MAX;

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
	return give_back(s, s->tight || !reserve_keep(s->path), err);
}
