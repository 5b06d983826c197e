/*
 * store_help.c - a store in a folder of its own, for the suites about it.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/merkle.h"
#include "store/batch.h"
#include "store/commit.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

void
store_help_begin(char *dir, size_t dir_size, char *path, size_t path_size)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, dir_size, "%s/sealfeed-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, path_size, "%s/store.db", dir);
}

void
store_help_end(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.')
			ck_assert_int_eq(unlinkat(dirfd(d), e->d_name, 0), 0);
	}
	(void)closedir(d);
	ck_assert_int_eq(rmdir(dir), 0);
}

int
store_help_seal(struct store *s, struct err *err)
{
	struct digest *d = digest_new();
	struct unsealed u = { .feed_id = 0 };
	struct merkle_range peaks;
	char value[64];
	int rc = batch_next_unsealed(s, &u, err);

	if (rc == 1) {
		peaks = u.peaks;
		ck_assert_int_eq(merkle_join(d, &peaks, &u.added), 0);
		ck_assert_uint_eq(u.check.len,
		    4 * (u.added.end - u.added.first));
		(void)snprintf(value, sizeof(value), "{\"size\":%" PRIu64 "}",
		    peaks.end);
		if (batch_seal(s, &u, &peaks, value, err) != 0)
			rc = -1;
	}
	buf_release(&u.check);
	digest_free(d);
	return rc;
}

struct store *
store_help_open(const char *path, enum store_access access)
{
	struct err err = ERR_INIT;
	struct store *s = store_open(path, access, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	return s;
}

struct feed *
store_help_feed(struct store *s, const char *name, int64_t dedupe)
{
	struct err err = ERR_INIT;
	struct feed *f = feed_open(s, name, dedupe, &err);

	ck_assert_msg(f != NULL, "%s", err.text);
	return f;
}

void
store_help_add(struct write_batch *p, const char *id, const char *data)
{
	struct slice slice = { .data = id, .len = id == NULL ? 0 : strlen(id) };
	struct err err = ERR_INIT;

	ck_assert_msg(write_batch_add(p, data, strlen(data), slice,
			  1700000000 * CLOCK_SECOND, &err) == 0,
	    "%s", err.text);
}

struct commit_result
store_help_commit(struct write_batch *p)
{
	struct commit_result res = { .events = 0 };
	struct err err = ERR_INIT;

	ck_assert_msg(feed_commit(p, &res, &err) == 0, "%s", err.text);
	return res;
}
