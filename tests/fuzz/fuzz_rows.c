/*
 * fuzz_rows.c - rows of a store that say something else than they did, and what
 * is repaired and used of it.
 *
 * To open and to check a file is most of what fuzz_store.c does: here the
 * handle stays open, without a WAL, and the file is put back under it.  An
 * input is a change of a row for each 11 of its bytes (damage.h).
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/err.h"
#include "store/db.h"
#include "store/recovery.h"
#include "store/repair.h"
#include "store/seen.h"
#include "store/store.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/roles.h"

static char path[96];
static struct store *store;
static struct damage_image calm; /* before the rows change */

static void
begin(void)
{
	struct err err = ERR_INIT;

	damage_begin(path, sizeof(path));
	damage_small_pages(path);
	roles_fill(path, ROLES_ITEMS);
	store = store_open(path, STORE_RELAXED, &err);
	FUZZ_CHECK(store != NULL &&
	    sqlite3_exec(store->db, "PRAGMA journal_mode=MEMORY", NULL, NULL,
		NULL) == SQLITE_OK);
	damage_list(store->db);
	damage_take(path, &calm);
	FUZZ_CHECK(calm.wal.len == 0);
}

/* The file as it was, with another count of changes (at offsets 24 and 92), by
 * which SQLite knows that its cache is of no use any more. */
static void
put_back(void)
{
	static uint32_t count = UINT32_C(1) << 30;
	const uint32_t next = htonl(++count);

	memcpy(calm.file.data + 24, &next, sizeof(next));
	memcpy(calm.file.data + 92, &next, sizeof(next));
	damage_put(path, "", calm.file.data, calm.file.len);
	damage_put(path, ".mark", calm.mark.data, calm.mark.len);
	filter_free(store->filter);
	store->filter = NULL;
	db_unflag_damage(path);
}

/* Whatever the rows say, a role either finds damage, which it has flagged for
 * the next start, or what the vendor lists from then on arrives. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recovery v = { .whole_feeds = true,
		.whole_batches = true,
		.whole_items = true,
		.whole_pieces = true };
	struct roles_siem siem = { .has = { 0 } };
	struct err err = ERR_INIT;
	int rc;

	if (store == NULL)
		begin();
	damage_now = DAMAGE_BEGIN + CLOCK_HOUR;
	put_back();
	damage_rows(store->db, data, size);
	rc = repair_all(store, &v, &err);
	FUZZ_CHECK(v.lost >= 0 && v.batches >= 0 && v.feeds >= 0);
	if (rc == 0)
		rc = damage_use(store, ROLES_ITEMS + 1, &siem, &err);
	if (rc == 0)
		damage_arrived(&siem, ROLES_ITEMS, ROLES_ITEMS + 1);
	else
		FUZZ_CHECK(store_damaged(path));
	return 0;
}
