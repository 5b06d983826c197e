/*
 * fuzz_store.c - a store that is damaged, and what is recovered from it.
 *
 * An input's first byte says how it is damaged: 0, a byte here and there; 1,
 * its end is missing; else, rows say something else than they did, as they do
 * when a disk returns old pages.  Whatever it was, the store can be used
 * afterwards, a second look finds nothing, and an event is delivered as it was
 * committed or not at all.
 *
 * Files live in memory where there is /dev/shm, in a folder that the process
 * removes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/merkle.h"
#include "base/text.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/line.h"
#include "store/position.h"
#include "store/recovery.h"
#include "store/report.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/fuzz/fuzz.h"

#define MAX ((size_t)64 << 20)
#define FEEDS 2
#define BATCHES 5 /* of a feed */
#define EVENTS 3  /* of a batch */
#define COLUMNS 256

static char dir[64];
static char path[96], fresh[96];
static const char *const feeds[FEEDS] = { "a/one", "a/two" };

/* The store before it is damaged, one without anything in it, and what an SQL
 * statement may change of the first. */
static struct buf whole, empty;
static char *change[COLUMNS];
static size_t changes;

static void
clear_folder(void)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	FUZZ_CHECK(d != NULL);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			FUZZ_CHECK(unlinkat(dirfd(d), e->d_name, 0) == 0);
	(void)closedir(d);
}

static void
remove_folder(void)
{
	clear_folder();
	(void)rmdir(dir);
}

static void
event_text(int feed, uint64_t index, char out[64])
{
	(void)snprintf(out, 64, "{\"Id\":\"%d-%llu\",\"n\":%llu}", feed,
	    (unsigned long long)index, (unsigned long long)index * 7919);
}

static void
put(const char *name, const void *data, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd != -1 && file_write_all(fd, data, size) == 0);
	(void)close(fd);
}

/* Stop where rc is not 0, and say why. */
static void
must(int rc, const struct err *err)
{
	if (rc != 0)
		(void)fprintf(stderr, "%s\n", err->text);
	FUZZ_CHECK(rc == 0);
}

static int
add_events(struct write_batch *p, int feed, int batch, struct err *err)
{
	char text[64], id[32];
	int rc = 0;

	for (int i = 0; i < EVENTS && rc == 0; i++) {
		struct slice s = { .data = id };

		event_text(feed, (uint64_t)(batch * EVENTS + i), text);
		s.len = (size_t)snprintf(id, sizeof(id), "%d-%d-%d", feed,
		    batch, i);
		rc = write_batch_add(p, text, strlen(text), s, 1, err);
	}
	return rc;
}

/* One item with its events, as collect commits them. */
static int
fill_one(struct feed *f, int feed, int batch, struct err *err)
{
	struct write_batch *p = write_batch_new(f);
	const uint8_t chain[32] = { 1 };
	char key[32];
	struct listed l = { key, "https://x/y", 1, INT64_MAX };
	struct item it;
	int rc;

	(void)snprintf(key, sizeof(key), "item-%d", batch);
	write_batch_listed(p, &l);
	rc = feed_commit(p, NULL, err);
	if (rc == 0 && item_claim(f, &it, NULL, err) == 1) {
		rc = add_events(p, feed, batch, err);
		write_batch_item(p, it.id, EVENTS, chain, true);
		write_batch_cursor(p, "{\"n\":1}");
		if (rc == 0)
			rc = feed_commit(p, NULL, err);
		if (rc == 0)
			rc = item_return(f, &it, 0, NULL, err);
		item_release(&it);
	} else if (rc == 0) {
		rc = err_set(err, "nothing to claim");
	}
	write_batch_free(p);
	return rc;
}

/* Seal what is next, as seal does but without a signature: 1, 0 nothing is,
 * -1. */
static int
seal_one(struct store *s, struct err *err)
{
	struct digest *d = digest_new();
	struct unsealed u = { .feed_id = 0 };
	struct merkle_range peaks;
	int rc = batch_next_unsealed(s, &u, err);

	if (rc == 1) {
		peaks = u.peaks;
		if (merkle_join(d, &peaks, &u.added) != 0)
			rc = err_set(err, "the trees do not join");
		else if (batch_seal(s, &u, &peaks, "{}", err) != 0)
			rc = -1;
	}
	buf_release(&u.check);
	digest_free(d);
	return rc;
}

static int
seal_all(struct store *s, struct err *err)
{
	int rc;

	do {
		rc = seal_one(s, err);
	} while (rc == 1);
	return rc;
}

/* Make the store that is to be damaged: most of it sealed, some passed. */
static void
fill(void)
{
	static const char *const outputs[] = { "siem" };
	const struct position pos = { .batch = 2, .lines = 1 };
	const struct output_state state = { .mode = "confirmed" };
	struct err err = ERR_INIT;
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct feed *f[FEEDS];

	FUZZ_CHECK(s != NULL);
	FUZZ_CHECK(position_set_outputs(s, outputs, 1, &err) == 0);
	for (int i = 0; i < FEEDS; i++) {
		f[i] = feed_open(s, feeds[i], CLOCK_DAY, &err);
		FUZZ_CHECK(f[i] != NULL);
	}
	for (int batch = 0; batch < BATCHES; batch++) {
		for (int i = 0; i < FEEDS; i++)
			must(fill_one(f[i], i, batch, &err), &err);
		if (batch < BATCHES - 1)
			must(seal_all(s, &err), &err);
	}
	FUZZ_CHECK(position_move(s, "siem", &pos, &state, &err) == 0);
	for (int i = 0; i < FEEDS; i++)
		feed_close(f[i]);
	store_close(s);
}

/* Each column of each table becomes a statement that sets it in one row. */
static void
list_changes(void)
{
	static const char tables[] =
	    "SELECT t.name, c.name, (SELECT k.name FROM pragma_table_info("
	    "t.name) k WHERE k.pk = 1), c.type FROM sqlite_schema t,"
	    " pragma_table_info(t.name) c WHERE t.type = 'table'"
	    " ORDER BY t.name, c.cid";
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	FUZZ_CHECK(sqlite3_prepare_v2(db, tables, -1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW && changes < COLUMNS) {
		const char *table = (const char *)sqlite3_column_text(st, 0);
		const char *key = (const char *)sqlite3_column_text(st, 2);

		change[changes++] = xasprintf("UPDATE %s SET \"%s\" = ?1 WHERE "
					      "\"%s\" = (SELECT \"%s\" FROM %s "
					      "LIMIT 1 OFFSET ?2)",
		    table, (const char *)sqlite3_column_text(st, 1),
		    key == NULL ? "rowid" : key, key == NULL ? "rowid" : key,
		    table);
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	FUZZ_CHECK(changes > 80);
}

static void
begin(void)
{
	struct err err = ERR_INIT;
	struct store *s;

	(void)snprintf(dir, sizeof(dir), "%s/sealfeed-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	FUZZ_CHECK(mkdtemp(dir) != NULL && atexit(remove_folder) == 0);
	(void)snprintf(path, sizeof(path), "%s/store.db", dir);
	(void)snprintf(fresh, sizeof(fresh), "%s/fresh.db", dir);
	buf_init(&whole, MAX);
	buf_init(&empty, MAX);
	s = store_open(fresh, STORE_DURABLE, &err);
	FUZZ_CHECK(s != NULL);
	store_close(s);
	FUZZ_CHECK(file_read(fresh, &empty, &err) == 0);
	fill();
	FUZZ_CHECK(file_read(path, &whole, &err) == 0);
	list_changes();
}

/* What is delivered, feed by feed. */
struct delivery {
	struct gzip *gzip;
	struct buf lines;
	uint64_t seen[FEEDS]; /* a bit an event */
};

/* Events of the trees that were there before are as they were. */
static void
check_line(struct delivery *d, const char *text, size_t len)
{
	struct line line;
	char event[64];

	FUZZ_CHECK(line_parse(text, len, &line) == 0);
	for (int i = 0; i < FEEDS; i++) {
		if (line.feed.len != strlen(feeds[i]) ||
		    memcmp(line.feed.data, feeds[i], line.feed.len) != 0)
			continue;
		FUZZ_CHECK(line.number < BATCHES * EVENTS);
		event_text(i, line.number, event);
		FUZZ_CHECK(line.value.len == strlen(event) &&
		    memcmp(line.value.data, event, line.value.len) == 0);
		FUZZ_CHECK((d->seen[i] >> line.number & 1) == 0);
		d->seen[i] |= UINT64_C(1) << line.number;
	}
}

/* batch_fn */
static int
check_batch(void *ctx, const struct batch *b, struct err *err)
{
	static int64_t when[BATCH_EVENTS];
	struct delivery *d = ctx;
	const char *at, *end, *lf;
	size_t n = 0;

	FUZZ_CHECK(b->count <= BATCH_EVENTS);
	(void)batch_times(b, when, err);
	err_clear(err);
	buf_clear(&d->lines);
	if (gzip_unpack(d->gzip, b->payload.data, b->payload.len, &d->lines,
		err) != 0) {
		err_clear(err);
		return 0;
	}
	at = d->lines.data;
	end = at + d->lines.len;
	for (; at < end; at = lf + 1, n++) {
		lf = memchr(at, '\n', (size_t)(end - at));
		FUZZ_CHECK(lf != NULL);
		check_line(d, at, (size_t)(lf - at));
	}
	return 0;
}

/* Read all that the store delivers. */
static int
deliver(struct store *s, struct err *err)
{
	struct delivery d = { .gzip = gzip_new(), .lines = BUF_INIT(MAX) };
	struct feed_report r = { .id = 0 };
	int rc = batch_walk(s, NULL, check_batch, &d, err);

	while (rc == 0 && (rc = report_feed(s, r.id, &r, err)) == 1)
		rc = 0;
	gzip_free(d.gzip);
	buf_release(&d.lines);
	return rc;
}

/* A feed goes on, and what it commits is sealed. */
static int
go_on(struct store *s, struct err *err)
{
	struct feed *f;
	int rc;

	/* The default would be most of the work. */
	s->filter_bytes = 4096;
	f = feed_open(s, feeds[0], CLOCK_DAY, err);
	if (f == NULL)
		return -1;
	rc = fill_one(f, 0, 100, err);
	feed_close(f);
	return rc == 0 ? seal_all(s, err) : rc;
}

static int
use(const char *name, struct err *err)
{
	struct store *s = store_open(name, STORE_RELAXED, err);
	int rc;

	if (s == NULL)
		return -1;
	rc = deliver(s, err);
	if (rc == 0)
		rc = go_on(s, err);
	store_close(s);
	return rc;
}

/* As at a start of the agent.  What use finds damaged it says, and at the next
 * start that is replaced. */
static void
recover(void)
{
	char message[1024];
	struct err err = ERR_INIT;

	if (store_check(path, message, sizeof(message), &err) != 0) {
		/* Nothing but a store of somebody else is refused. */
		FUZZ_CHECK(strstr(err.text, "newer version") != NULL ||
		    strstr(err.text, "another program") != NULL);
		return;
	}
	if (use(path, &err) == 0)
		return;
	if (!store_damaged(path))
		must(-1, &err);
	err_clear(&err);
	must(store_check(path, message, sizeof(message), &err), &err);
	must(use(path, &err), &err);
	must(store_check(path, message, sizeof(message), &err), &err);
	FUZZ_CHECK(message[0] == '\0');
}

/* Three bytes where, one what. */
static void
damage_bytes(const uint8_t *data, size_t size)
{
	struct buf copy = BUF_INIT(MAX);

	FUZZ_CHECK(buf_add(&copy, whole.data, whole.len) == 0);
	for (; size >= 4; data += 4, size -= 4) {
		size_t at = (size_t)(data[0] << 16 | data[1] << 8 | data[2]);

		copy.data[at % copy.len] ^= (char)data[3];
	}
	put(path, copy.data, copy.len);
	buf_release(&copy);
	recover();
}

static void
damage_end(const uint8_t *data, size_t size)
{
	size_t len = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]);

	put(path, whole.data, whole.len * len / 65536);
	recover();
}

/* One change: which column, which row, a kind of value, and its eight bytes.
 * Returns how many bytes that took, 0: there are no more. */
static size_t
change_row(sqlite3 *db, const uint8_t *data, size_t size)
{
	sqlite3_stmt *st = NULL;
	int64_t value;

	if (size < 11)
		return 0;
	memcpy(&value, data + 3, sizeof(value));
	FUZZ_CHECK(sqlite3_prepare_v2(db, change[data[0] % changes], -1, &st,
		       NULL) == SQLITE_OK);
	if (data[2] % 4 == 0)
		(void)sqlite3_bind_int64(st, 1, value);
	else if (data[2] % 4 == 1)
		(void)sqlite3_bind_int64(st, 1, value % 64);
	else if (data[2] % 4 == 2)
		(void)sqlite3_bind_blob(st, 1, data + 3, data[2] / 4 % 9,
		    SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(st, 1);
	(void)sqlite3_bind_int(st, 2, data[1]);
	/* What a rule of the table forbids is not changed. */
	(void)sqlite3_step(st);
	(void)sqlite3_finalize(st);
	return 11;
}

static void
damage_rows(const uint8_t *data, size_t size)
{
	sqlite3 *db = NULL;
	size_t n;

	put(path, whole.data, whole.len);
	FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	FUZZ_CHECK(sqlite3_exec(db, "PRAGMA synchronous=OFF; BEGIN", NULL, NULL,
		       NULL) == SQLITE_OK);
	while ((n = change_row(db, data, size)) > 0) {
		data += n;
		size -= n;
	}
	FUZZ_CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	(void)sqlite3_close(db);
}

/* What can be read of path, made to agree with itself. */
static void
rebuild(void)
{
	struct recovery v = { .whole_feeds = true,
		.whole_batches = true,
		.whole_items = true,
		.whole_pieces = true };
	struct err err = ERR_INIT;
	struct store *from = store_open_bare(path, &err), *to;

	put(fresh, empty.data, empty.len);
	to = store_open(fresh, STORE_RELAXED, &err);
	FUZZ_CHECK(from != NULL && to != NULL);
	must(recovery_begin(to, "fuzz", &err), &err);
	must(recovery_copy(from, to, &v, &err), &err);
	must(recovery_repair(to, &v, &err), &err);
	must(recovery_end(to, &err), &err);
	FUZZ_CHECK(v.lost >= 0 && v.batches >= 0 && v.feeds >= 0);
	store_close(from);
	store_close(to);
	must(use(fresh, &err), &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct store *s;

	if (whole.data == NULL)
		begin();
	if (size == 0)
		return 0;
	clear_folder();
	if (data[0] == 0) {
		damage_bytes(data + 1, size - 1);
	} else if (data[0] == 1) {
		damage_end(data + 1, size - 1);
	} else {
		damage_rows(data + 1, size - 1);
		s = store_open(path, STORE_READ, &err);
		if (s != NULL)
			(void)deliver(s, &err);
		store_close(s);
		rebuild();
	}
	return 0;
}
