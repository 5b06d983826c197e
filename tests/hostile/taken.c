/*
 * taken.c - sealfeed as ever, but for a role that somebody has taken over.
 *
 * SEALFEED_TAKEN, "ROLE:DEED", says which ("ship siem"), and what it does once
 * it works: see deeds.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/err.h"
#include "base/log.h"
#include "base/role.h"
#include "collect/collect.h"
#include "config/config.h"
#include "run/hand_over.h"
#include "seal/seal.h"
#include "ship/ship.h"
#include "store/store.h"
#include "watch/watch.h"

#define TURN_MS 2
#define TURNS 50 /* until all that can be filled is full */

/* Run another program, which none may. */
static void
deed_execve(const struct role *r)
{
	char *const argv[] = { NULL };

	(void)r;
	(void)execve("/bin/true", argv, argv);
}

/* Say what this is, and whether it is to be spoilt: what its role may write of
 * the store it can damage, which is said elsewhere. */
static bool
look_at(int fd, const struct role *r)
{
	const char *store = r->config->agent.store.path;
	const size_t len = strlen(store);
	char name[64], target[4096] = "?";
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, target, sizeof(target) - 1);
	if (n >= 0)
		target[n] = '\0';
	log_notice("holds %s", target);
	return r->kind == ROLE_WATCH || strncmp(target, store, len) != 0 ||
	    strcmp(target + len, ".lock") == 0;
}

/* Whoever shares this descriptor is to wait, or to believe something. */
static void
spoil(int fd)
{
	static const char said[] =
	    "well\nMAINPID=1\nSTOPPING=1\nREADY=1\nSTATUS=\033[2Jforged\n";
	static const char endless[8192] = "no end of a line";
	const uint64_t full = UINT64_MAX - 1;

	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)!write(fd, said, sizeof(said) - 1);
	(void)!write(fd, endless, sizeof(endless));
	(void)!write(fd, &full, sizeof(full));
	(void)!ftruncate(fd, 0);
	(void)flock(fd, LOCK_UN);
	(void)fcntl(fd, F_SETFL, 0);
}

static int
open_descriptors(int *list, int max)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	int n = 0;

	while (dir != NULL && n < max && (e = readdir(dir)) != NULL)
		if (atoi(e->d_name) > STDERR_FILENO &&
		    atoi(e->d_name) != dirfd(dir))
			list[n++] = atoi(e->d_name);
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

/* Read the store, as watch does, and try to have what else it is made of. */
static void
open_store(const struct role *r)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	const char *store = r->config->agent.store.path;
	struct err err = ERR_INIT;
	char name[4096];

	if (store_open(store, STORE_READ, &err) == NULL)
		log_err("%s", err.text);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", store, tails[i]);
		if (truncate(name, 0) == 0 || open(name, O_WRONLY) >= 0)
			log_err("may write to %s", name);
	}
}

/* All that it has from the supervisor, and what it shares with it. */
static void
deed_descriptors(const struct role *r)
{
	unsigned char *shared = (unsigned char *)r->signs;
	int list[256], held, n = 0;

	if (r->kind == ROLE_WATCH)
		open_store(r);
	held = open_descriptors(list, 256);
	for (int i = 0; i < held; i++)
		if (look_at(list[i], r))
			list[n++] = list[i];
	log_notice("that is all");
	for (unsigned turn = 1; !role_stopping(r); turn++) {
		for (size_t i = 0; i < sizeof(struct hand_over_slot); i++)
			shared[i] = (unsigned char)(turn * (2 * i + 1));
		/* Who waits for it in vain would never be told. */
		r->signs->ready = true;
		for (int i = 0; i < n; i++)
			spoil(list[i]);
		if (turn == TURNS)
			log_notice("has spoilt all of them");
		(void)poll(NULL, 0, TURN_MS);
	}
}

/* A statement of the caller's, whatever comes of it. */
static void
change(sqlite3 *db, const char *table, const char *column, const char *value,
    int row)
{
	char *sql = sqlite3_mprintf("UPDATE \"%w\" SET \"%w\" = %s "
				    "WHERE rowid %% 5 = %d",
	    table, column, value, row);

	(void)sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
}

/* Rows that no role writes. */
static void
deed_rows(const struct role *r)
{
	static const char *const values[] = { "-1", "9223372036854775807",
		"NULL", "''", "randomblob(37)", "zeroblob(1000000)",
		"'no number'", "1e308" };
	static const char columns[] =
	    "SELECT m.name, c.name FROM sqlite_master AS m, "
	    "pragma_table_info(m.name) AS c WHERE m.type = 'table' "
	    "ORDER BY random()";
	sqlite3_stmt *all = NULL;
	sqlite3 *db = NULL;
	int n = 0;

	if (sqlite3_open(r->config->agent.store.path, &db) != SQLITE_OK)
		return;
	(void)sqlite3_busy_timeout(db, 1000);
	(void)sqlite3_exec(db, "PRAGMA ignore_check_constraints = 1", NULL,
	    NULL, NULL);
	while (!role_stopping(r)) {
		if (sqlite3_prepare_v2(db, columns, -1, &all, NULL) !=
		    SQLITE_OK)
			break;
		while (!role_stopping(r) && sqlite3_step(all) == SQLITE_ROW) {
			change(db, (const char *)sqlite3_column_text(all, 0),
			    (const char *)sqlite3_column_text(all, 1),
			    values[n % 8], n % 5);
			n++;
			role_alive(r);
		}
		(void)sqlite3_finalize(all);
		log_notice("changed %d columns", n);
		role_rest(r, 50);
	}
	(void)sqlite3_close(db);
}

static const struct {
	const char *name;
	void (*fn)(const struct role *r);
} deeds[] = {
	{ "execve", deed_execve },
	{ "descriptors", deed_descriptors },
	{ "rows", deed_rows },
};

static int
run(const struct role *r, const char *name, int (*fn)(const struct role *r))
{
	const char *taken = getenv("SEALFEED_TAKEN");
	char who[128], both[160];

	(void)snprintf(who, sizeof(who), "%s%s%s", name,
	    r->output != NULL ? " " : "",
	    r->output != NULL ? r->output->name : "");
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		(void)snprintf(both, sizeof(both), "%s:%s", who, deeds[i].name);
		if (taken == NULL || strcmp(taken, both) != 0)
			continue;
		role_ready(r);
		role_rest(r, 100);
		deeds[i].fn(r);
		return 0;
	}
	return fn(r);
}

#define TAKE(name)                                    \
	static int taken_##name(const struct role *r) \
	{                                             \
		return run(r, #name, name##_run);     \
	}
TAKE(collect)
TAKE(seal)
TAKE(ship)
TAKE(watch)

#define collect_run taken_collect
#define seal_run taken_seal
#define ship_run taken_ship
#define watch_run taken_watch
#include "run/roles.c"
