/*
 * fuzz_store.c - a store that is damaged, and what the roles get out of it.
 *
 * An input's first byte says how it is damaged (enum kind) and under which
 * circumstances (the bits above).  Whatever it was, a few starts later the
 * store can be used and is found sound, an event is delivered as it was made,
 * and what the vendor lists from then on arrives.  Where the damage is one that
 * must be seen, because bytes are missing, nothing is lost at all: each event
 * that was not delivered before is delivered or fetched again.
 */
#include <stdbool.h>
#include <string.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/store.h"
#include "tests/fuzz/blocks.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/roles.h"

#define MAX ((size_t)64 << 20)
#define STARTS 4 /* until all is well again */

enum kind {
	KIND_BYTES, /* a byte here and there */
	KIND_END,   /* the end of the file is missing */
	KIND_ROWS,  /* rows say something else than they did */
	KIND_PAGES, /* pages are empty, of others, or of an earlier time */
	KIND_WAL,   /* what is not in the file yet */
	KINDS
};

#define NO_MARK 0x08 /* the file beside the store is gone, too */
#define FLAGGED 0x10 /* a role has met the damage already */
#define LATER 0x20   /* and how it is when much has become too old */

static char path[96];

/* The store before it is damaged, and some time before that; where there is
 * something in the first. */
static struct damage_image whole, earlier;
static size_t *place, places;

/* -- before -------------------------------------------------------------- */

static void
list_places(void)
{
	place = xcalloc(whole.file.len, sizeof(*place));
	for (size_t i = 0; i < whole.file.len; i++)
		if (whole.file.data[i] != 0)
			place[places++] = i;
	FUZZ_CHECK(places > 1000);
}

/* One more commit that stays in the WAL, as when the machine goes down. */
static void
take_whole(void)
{
	struct err err = ERR_INIT;
	sqlite3 *db = NULL;
	struct store *s;

	FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	damage_list(db);
	s = store_open(path, STORE_DURABLE, &err);
	FUZZ_CHECK(s != NULL);
	FUZZ_CHECK(roles_collect(s, ROLES_ITEMS, &err) == 0);
	damage_take(path, &whole);
	FUZZ_CHECK(whole.wal.len > 0);
	store_close(s);
	(void)sqlite3_close(db);
}

static void
begin(void)
{
	damage_begin(path, sizeof(path));
	damage_small_pages(path);
	roles_fill(path, ROLES_ITEMS - 2);
	damage_take(path, &earlier);
	damage_clear();
	damage_small_pages(path);
	roles_fill(path, ROLES_ITEMS - 1);
	take_whole();
	list_places();
}

/* -- damage -------------------------------------------------------------- */

/* Three bytes where, one what. */
static void
damage_bytes(struct damage_image *i, const uint8_t *data, size_t size)
{
	for (; size >= 4; data += 4, size -= 4) {
		size_t at = (size_t)(data[0] << 16 | data[1] << 8 | data[2]);

		i->file.data[place[at % places]] ^= (char)data[3];
	}
}

/* One byte which, one from where, one how.  Returns whether pages are missing,
 * and nothing else. */
static bool
damage_pages(struct damage_image *i, const uint8_t *data, size_t size)
{
	const size_t pages = i->file.len / DAMAGE_PAGE;
	bool missing = true;

	for (; size >= 3; data += 3, size -= 3) {
		char *to = i->file.data + data[0] % pages * DAMAGE_PAGE;
		const size_t from = data[1] % pages * DAMAGE_PAGE;

		if (data[2] % 3 == 0) {
			memset(to, 0, DAMAGE_PAGE);
			continue;
		}
		missing = false;
		if (data[2] % 3 == 1)
			memcpy(to, whole.file.data + from, DAMAGE_PAGE);
		else if (from < earlier.file.len)
			memcpy(to, earlier.file.data + from, DAMAGE_PAGE);
	}
	return missing;
}

/* Two bytes where it ends now. */
static void
damage_end(struct buf *b, const uint8_t *data, size_t size)
{
	const size_t len = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]);

	b->len = b->len * len / 65536;
}

static void
damage_file_rows(const uint8_t *data, size_t size)
{
	sqlite3 *db = NULL;

	FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	damage_rows(db, data, size);
	(void)sqlite3_close(db);
}

/* Put the damaged store into its place.  Returns whether its damage is one
 * that must be seen. */
static bool
damage(uint8_t how, const uint8_t *data, size_t size)
{
	const enum kind kind = how % 8;
	const bool mark = (how & NO_MARK) == 0;
	struct damage_image i = { BUF_INIT(MAX), BUF_INIT(MAX), whole.mark };
	bool seen = mark;

	FUZZ_CHECK(buf_add(&i.file, whole.file.data, whole.file.len) == 0 &&
	    buf_add(&i.wal, whole.wal.data, whole.wal.len) == 0);
	if (kind == KIND_BYTES)
		damage_bytes(&i, data, size);
	else if (kind == KIND_END || kind == KIND_WAL)
		damage_end(kind == KIND_END ? &i.file : &i.wal, data, size);
	else if (kind == KIND_PAGES)
		seen = damage_pages(&i, data, size) && mark;
	damage_put(path, "", i.file.data, i.file.len);
	damage_put(path, "-wal", i.wal.data, i.wal.len);
	if (mark)
		damage_put(path, ".mark", i.mark.data, i.mark.len);
	buf_release(&i.file);
	buf_release(&i.wal);
	if (kind == KIND_ROWS)
		damage_file_rows(data, size);
	return seen && kind != KIND_BYTES && kind != KIND_ROWS;
}

/* -- and after ----------------------------------------------------------- */

static int
open_and_use(int items, struct roles_siem *siem, struct err *err)
{
	struct store *s = store_open(path, STORE_RELAXED, err);
	int rc = s == NULL ? -1 : damage_use(s, items, siem, err);

	store_close(s);
	return rc;
}

/* Start, use, and start again where that has met damage, until all is well.
 * Returns whether it is: nothing but a store of somebody else is refused. */
static bool
starts(int items, struct roles_siem *siem)
{
	char message[1024];
	struct err err = ERR_INIT;

	for (int i = 0; i < STARTS; i++) {
		err_clear(&err);
		if (store_check(path, message, sizeof(message), &err) != 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			FUZZ_CHECK(strstr(err.text, "newer version") != NULL ||
			    strstr(err.text, "another program") != NULL);
			return false;
		}
		if (open_and_use(items, siem, &err) == 0 &&
		    !store_damaged(path))
			return true;
		if (!store_damaged(path))
			break;
	}
	(void)fprintf(stderr, "not well after %d starts: %s\n", STARTS,
	    err.text);
	abort();
}

static void
recover(bool seen, bool later)
{
	struct roles_siem siem = { .has = { 0 } };
	char message[1024];
	struct err err = ERR_INIT;

	if (!starts(ROLES_ITEMS + 1, &siem))
		return;
	damage_arrived(&siem, seen ? 1 : ROLES_ITEMS, ROLES_ITEMS + 1);
	if (!later)
		return;
	damage_now += 3 * CLOCK_DAY;
	FUZZ_CHECK(starts(ROLES_ITEMS + 2, &siem));
	damage_arrived(&siem, ROLES_ITEMS + 1, ROLES_ITEMS + 2);
	FUZZ_CHECK(store_check(path, message, sizeof(message), &err) == 0);
	FUZZ_CHECK(message[0] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static size_t used;
	bool seen;

	if (whole.file.data == NULL) {
		begin();
		used = blocks_used();
	}
	if (size == 0 || data[0] % 8 >= KINDS)
		return 0;
	damage_now = DAMAGE_BEGIN + CLOCK_HOUR;
	damage_clear();
	seen = damage(data[0], data + 1, size - 1);
	if ((data[0] & FLAGGED) != 0)
		damage_put(path, ".suspect", "", 0);
	recover(seen, (data[0] & LATER) != 0);
	FUZZ_CHECK(blocks_used() == used);
	return 0;
}
