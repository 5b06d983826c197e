/*
 * check.c - is the store sound, and if not, put another in its place.
 *
 * The steps of the exchange can be cut off anywhere: PATH.new is not
 * finished, and gone on with as long as PATH is as it was; PATH.recovered is
 * finished and takes the place of PATH at the next start.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/bounds.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/recovery.h"
#include "store/repair.h"
#include "store/size_log.h"
#include "store/store.h"

/* Up to here everything is read at each start; beyond, what is small, and the
 * rest when a role has met damage. */
#define ALL_MAX (256 << 20)

/* Feeds that a store can have lost without a trace of their number. */
#define FEEDS_LOST_MAX 256

/* A store that an older version wrote has no other. */
static const char *const small_tables[] = { "feed", "batch", "item", "piece",
	"output", "passed", "run", "dead_letter", "gap", "request" };

/* Files that belong to a database. */
static const char *const tails[] = { "", "-wal", "-shm" };

/* Run a check and take its first complaint. */
static bool
complains(struct store *s, const char *pragma, char *what, size_t size)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, pragma, -1, &st, NULL);
	bool bad = true;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	else
		rc = db_blame(s, pragma, rc);
	if (rc == SQLITE_ROW) {
		db_text(st, 0, what, size);
		bad = strcmp(what, "ok") != 0;
	} else {
		(void)snprintf(what, size, "%s", sqlite3_errmsg(s->db));
		bad = db_means_damage(s, rc);
	}
	(void)sqlite3_finalize(st);
	for (char *c = what; *c != '\0'; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	return bad;
}

static bool
small_bad(struct store *s, char *what, size_t size)
{
	char pragma[128];

	for (size_t i = 0; i < sizeof(small_tables) / sizeof(*small_tables);
	     i++) {
		(void)snprintf(pragma, sizeof(pragma),
		    "PRAGMA integrity_check(%s)", small_tables[i]);
		if (complains(s, pragma, what, size))
			return true;
	}
	return false;
}

/* What is wrong with a store. */
enum state { STATE_SOUND, STATE_ROWS, STATE_DAMAGED };

/* Sets *state, and what to the reason.  -1: it cannot be read, or was written
 * by a newer version. */
static int
inspect(struct store *s, enum state *state, char *what, size_t size,
    struct err *err)
{
	struct err why = ERR_INIT;
	struct stat st;
	int64_t version;
	bool all = db_damage_flagged(s->path);
	int good = 1;

	if (stat(s->path, &st) == 0 && st.st_size <= ALL_MAX)
		all = true;
	*state = STATE_DAMAGED;
	if (migrate_version(s, &version, &why) != 0) {
		(void)snprintf(what, size, "%s", sqlite3_errmsg(s->db));
		if (db_means_damage(s, sqlite3_errcode(s->db)))
			return 0;
		return err_set(err, "%s", why.text);
	}
	if (migrate_newer(s, version, err) != 0)
		return -1;
	/* A file without tables was created just now, or has been emptied. */
	if (version > 0 &&
	    (all ? complains(s, "PRAGMA integrity_check(1)", what, size)
		 : small_bad(s, what, size)))
		return 0;
	/* One that an older version wrote has not all of the columns yet. */
	if (version == migrate_newest())
		good = bounds_kept(s, what, size, &why);
	if (good == 1 && version > 0 && all)
		good = repair_payloads_good(s, what, size, &why);
	if (good < 0 && db_means_damage(s, sqlite3_errcode(s->db))) {
		(void)snprintf(what, size, "%s", sqlite3_errmsg(s->db));
		return 0;
	}
	*state = good == 1 ? STATE_SOUND : STATE_ROWS;
	return good < 0 ? err_set(err, "%s", why.text) : 0;
}

/* Move the database at from, with its companions, to the name to. */
static int
move_database(const char *from, const char *to, struct err *err)
{
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		char *a = xasprintf("%s%s", from, tails[i]);
		char *b = xasprintf("%s%s", to, tails[i]);
		int rc = rename(a, b);

		if (rc != 0 && errno != ENOENT)
			(void)err_set(err, "%s: cannot be renamed to %s: %s", a,
			    b, strerror(errno));
		else
			rc = rc == 0 ? file_sync_folder(b, err) : 0;
		free(a);
		free(b);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static void
remove_all(const char *path)
{
	static const char *const more[] = { "", "-wal", "-shm", "-journal",
		".mark", ".reserve", ".suspect" };

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		char *name = xasprintf("%s%s", path, more[i]);

		(void)unlink(name);
		free(name);
	}
}

/* The name for what is moved aside. */
static void
name_aside(const char *path, char *aside, size_t size)
{
	char when[CLOCK_TEXT];

	(void)clock_format(clock_now(), 3, when);
	for (char *c = when; *c != '\0'; c++) {
		if (*c == ':')
			*c = '-';
	}
	(void)snprintf(aside, size, "%s.damaged-%s", path, when);
}

/* Put the finished recovery in the place of the damaged file. */
static int
exchange(const char *path, const char *recovered, char *aside, size_t size,
    struct err *err)
{
	name_aside(path, aside, size);
	if (move_database(path, aside, err) != 0 ||
	    move_database(recovered, path, err) != 0)
		return -1;
	return 0;
}

/* Which file the damaged store is, and in what state: it must not change while
 * it is copied, however often that is begun. */
static void
describe_source(const char *path, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (size_t i = 0; i < 2 && n < size; i++) {
		char *name = xasprintf("%s%s", path, tails[i]);
		struct stat st;

		if (stat(name, &st) == 0)
			n += (size_t)snprintf(out + n, size - n,
			    "%llu %lld %lld.%09ld;",
			    (unsigned long long)st.st_ino,
			    (long long)st.st_size, (long long)st.st_mtim.tv_sec,
			    st.st_mtim.tv_nsec);
		free(name);
	}
}

/* A WAL would have each page written twice; with a journal, new pages are
 * written once, into the file. */
static struct store *
open_journalled(const char *fresh, struct err *err)
{
	struct store *to = store_open(fresh, STORE_RELAXED, err);

	if (to != NULL && db_exec(to, "PRAGMA journal_mode=TRUNCATE", err) == 0)
		return to;
	store_close(to);
	return NULL;
}

/* The new store: the one that was begun out of the same source, or another.
 * What a crash loses of it is copied again; at the end all of it is durable. */
static struct store *
open_fresh(struct store *from, const char *fresh, struct err *err)
{
	struct err why = ERR_INIT;
	struct store *to = NULL;
	char source[200];

	describe_source(from->path, source, sizeof(source));
	if (access(fresh, F_OK) == 0)
		to = open_journalled(fresh, &why);
	if (to != NULL && recovery_begun(to, source))
		return to;
	store_close(to);
	remove_all(fresh);
	to = open_journalled(fresh, err);
	if (to == NULL || recovery_begin(to, source, err) == 0)
		return to;
	store_close(to);
	return NULL;
}

/* Build PATH.recovered out of the damaged store. */
static int
rebuild(struct store *from, const char *fresh, struct recovery *v,
    struct err *err)
{
	struct store *to = open_fresh(from, fresh, err);
	int rc;

	if (to == NULL)
		return -1;
	rc = recovery_copy(from, to, v, err);
	if (rc == 0)
		rc = repair_all(to, v, err);
	if (rc == 0)
		rc = recovery_end(to, err);
	if (rc == 0)
		rc = db_exec(to, "PRAGMA journal_mode=WAL", err);
	if (rc == 0 && !db_checkpoint(to, true))
		rc = err_set(err,
		    "%s: the last pages of the recovered store cannot be "
		    "written",
		    fresh);
	store_close(to);
	return rc;
}

/* Feeds whose rows are gone will be made anew: not with the old tree. */
static void
forget_ids(struct store *s, int64_t seq)
{
	for (int64_t id = seq + 1; id <= seq + FEEDS_LOST_MAX; id++) {
		if (size_log_get(s->size_log, id) == 0)
			size_log_set(s->size_log, id, SIZE_LOG_LOST);
	}
}

static int
forget_feeds(const char *path, struct err *err)
{
	struct store *s = store_open(path, STORE_RELAXED, err);
	int64_t seq = 0;
	int rc;

	if (s == NULL)
		return -1;
	rc = db_number(s, err, 0, &seq,
	    "SELECT seq FROM sqlite_sequence WHERE name = 'feed'", "");
	if (rc == 0)
		forget_ids(s, seq);
	store_close(s);
	return rc;
}

static int
replace(struct store **from, const char *what, char *message, size_t size,
    struct err *err)
{
	char *path = xstrdup((*from)->path);
	char *fresh = xasprintf("%s.new", path);
	char *recovered = xasprintf("%s.recovered", path);
	struct recovery v = {
		.whole_feeds = true,
		.whole_batches = true,
		.whole_items = true,
		.whole_pieces = true,
	};
	char aside[1024];
	int rc = rebuild(*from, fresh, &v, err);

	store_close(*from);
	*from = NULL;
	if (rc == 0)
		rc = move_database(fresh, recovered, err);
	if (rc == 0)
		rc = exchange(path, recovered, aside, sizeof(aside), err);
	if (rc == 0 && !v.whole_feeds)
		rc = forget_feeds(path, err);
	if (rc == 0) {
		db_unflag_damage(path);
		if (v.whole_feeds)
			(void)snprintf(message, size,
			    "%s: damaged (%s); moved aside as %s; recovered "
			    "with %lld batches, %lld events are to be fetched "
			    "again from the vendor, %lld feeds begin a new "
			    "tree",
			    path, what, aside, (long long)v.batches,
			    (long long)v.lost, (long long)v.feeds);
		else
			(void)snprintf(message, size,
			    "%s: damaged (%s); moved aside as %s; recovered "
			    "with %lld batches; what the vendor still has is "
			    "fetched again, in new trees",
			    path, what, aside, (long long)v.batches);
	}
	remove_all(fresh);
	free(recovered);
	free(fresh);
	free(path);
	return rc;
}

/* The file is sound but for some rows: it stays, and they are repaired or go.
 * *worse: it is not that sound. */
static int
repair_in_place(const char *path, const char *what, bool *worse, char *message,
    size_t size, struct err *err)
{
	struct store *s = store_open(path, STORE_DURABLE, err);
	char aside[1024];
	struct recovery v = {
		.aside = aside,
		.whole_feeds = true,
		.whole_batches = true,
		.whole_items = true,
		.whole_pieces = true,
	};
	int rc;

	if (s == NULL)
		return -1;
	name_aside(path, aside, sizeof(aside));
	rc = repair_all(s, &v, err);
	*worse = rc != 0 && db_damage_flagged(path);
	store_close(s);
	if (rc == 0 && !v.whole_feeds)
		rc = forget_feeds(path, err);
	if (rc == 0)
		(void)snprintf(message, size,
		    "%s: damaged (%s); what cannot be read is kept as %s-*; "
		    "%lld events are to be fetched again from the vendor, %lld "
		    "feeds begin a new tree",
		    path, what, aside, (long long)v.lost, (long long)v.feeds);
	return rc;
}

static bool
is_empty_folder(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	bool empty = d != NULL;

	while (empty && (e = readdir(d)) != NULL)
		empty =
		    strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d != NULL)
		(void)closedir(d);
	return empty;
}

/* What has the name of a file of the store and is no file: a directory that
 * somebody made.  One that holds something, a FIFO or a device at the path
 * itself is no store of ours: it was not meant, and stays where it is. */
static int
move_strange(const char *path, char *message, size_t size, struct err *err)
{
	char aside[1024];
	int rc = 0;

	name_aside(path, aside, sizeof(aside));
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]) && rc == 0;
	     i++) {
		char *name = xasprintf("%s%s", path, tails[i]);
		char *to = xasprintf("%s%s", aside, tails[i]);
		struct stat st;

		if (stat(name, &st) == 0 && !S_ISREG(st.st_mode) &&
		    *tails[i] == '\0' && !is_empty_folder(name)) {
			rc = file_is_regular(name, err);
		} else if (stat(name, &st) == 0 && !S_ISREG(st.st_mode)) {
			rc = rename(name, to);
			if (rc != 0)
				(void)err_set(err,
				    "%s: not a regular file, and cannot be "
				    "renamed: %s; move it away",
				    name, strerror(errno));
			else
				(void)snprintf(message, size,
				    "%s: not a regular file; moved aside as %s",
				    name, to);
		}
		free(name);
		free(to);
	}
	return rc;
}

/* Finish a recovery that was interrupted. */
static int
resume(const char *path, char *message, size_t size, struct err *err)
{
	char *recovered = xasprintf("%s.recovered", path);
	char aside[1024];
	int rc = 0;

	if (access(recovered, F_OK) == 0) {
		rc = exchange(path, recovered, aside, sizeof(aside), err);
		if (rc == 0) {
			db_unflag_damage(path);
			(void)snprintf(message, size,
			    "%s: was damaged, moved aside as %s and recovered",
			    path, aside);
		}
	}
	free(recovered);
	return rc;
}

/* How many events the feed with that id has lost, said once. */
static int64_t
lost_of(struct store *s, int64_t id, int64_t size)
{
	const uint64_t had = size_log_get(s->size_log, id);

	if (had == SIZE_LOG_LOST || had <= (uint64_t)size)
		return 0;
	size_log_set(s->size_log, id, SIZE_LOG_LOST);
	return (int64_t)had - size;
}

/* Say when the store has fewer events than it had: an old copy, or one that
 * lost its WAL. */
static int
compare_mark(const char *path, char *message, size_t size, struct err *err)
{
	struct store *s = store_open(path, STORE_RELAXED, err);
	int64_t seq = 0, lost = 0;
	sqlite3_stmt *st;
	int rc;

	if (s == NULL)
		return -1;
	rc = db_number(s, err, 0, &seq,
	    "SELECT seq FROM sqlite_sequence WHERE name = 'feed'", "");
	for (int64_t id = seq + 1; id <= size_log_last(s->size_log); id++)
		lost += lost_of(s, id, 0);
	if (rc == 0 && lost > 0)
		forget_ids(s, seq);
	st = rc != 0 ? NULL
		     : db_query(s, err,
			   "SELECT max(id), size FROM feed GROUP BY name", "");
	rc = st == NULL ? -1 : 1;
	while (rc == 1 && (rc = db_step(s, st, err)) == 1)
		lost += lost_of(s, sqlite3_column_int64(st, 0),
		    sqlite3_column_int64(st, 1));
	store_close(s);
	if (rc == 0 && lost > 0 && message[0] == '\0')
		(void)snprintf(message, size,
		    "%s: has lost the last %lld events that were in it (an old "
		    "copy, or its WAL is gone); they are fetched again from "
		    "the vendor, and their feeds begin a new tree",
		    path, (long long)lost);
	return rc;
}

/* What a recovery has left that is not needed. */
static void
forget_fresh(const char *path)
{
	char *fresh = xasprintf("%s.new", path);

	remove_all(fresh);
	free(fresh);
}

/* Look at the file, repair it or put another in its place; damaged: it is known
 * to be.  What its use met is damage, too, where a look finds none: that does
 * not hold the schema against ours, and the same would be met again.  *worse:
 * what seemed sound turned out not to be, after err. */
static int
check_file(const char *path, bool damaged, bool *worse, char *message,
    size_t size, struct err *err)
{
	struct store *s = store_open_bare(path, err);
	enum state state = STATE_DAMAGED;
	char what[256] = "its tables contradict each other";
	int rc = 0;

	if (s == NULL)
		return -1;
	if (!damaged)
		rc = inspect(s, &state, what, sizeof(what), err);
	if (rc == 0 && state == STATE_SOUND && db_damage_flagged(path)) {
		state = STATE_DAMAGED;
		(void)snprintf(what, sizeof(what), "its use met damage");
	}
	if (rc == 0 && state == STATE_DAMAGED)
		rc = replace(&s, what, message, size, err);
	store_close(s);
	if (rc == 0 && state == STATE_ROWS)
		rc = repair_in_place(path, what, worse, message, size, err);
	if (rc != 0)
		return -1;
	forget_fresh(path);
	db_unflag_damage(path);
	rc = compare_mark(path, message, size, err);
	*worse = rc != 0 && db_damage_flagged(path);
	return rc;
}

/* store_check() of the real file. */
static int
check(const char *path, char *message, size_t size, struct err *err)
{
	bool worse = false;
	int rc;

	if (move_strange(path, message, size, err) != 0 ||
	    resume(path, message, size, err) != 0)
		return -1;
	if (access(path, F_OK) != 0) {
		db_unflag_damage(path);
		return compare_mark(path, message, size, err);
	}
	rc = check_file(path, false, &worse, message, size, err);
	if (rc == 0 || !worse)
		return rc;
	err_clear(err);
	return check_file(path, true, &worse, message, size, err);
}

int
store_check(const char *path, char *message, size_t size, struct err *err)
{
	char *real = store_real_path(path);
	int rc;

	message[0] = '\0';
	rc = check(real, message, size, err);
	free(real);
	return rc;
}

bool
store_damaged(const char *path)
{
	char *real = store_real_path(path);
	bool flagged = db_damage_flagged(real);

	free(real);
	return flagged;
}

void
store_flag_damage(struct store *s)
{
	db_flag_damage(s->path);
}
