/*
 * recovery_help.c - stores that are damaged, and go on.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/report.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/recovery_help.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

struct recovery recovery;

void
recovery_help_begin(void)
{
	store_help_begin(recovery.dir, sizeof(recovery.dir), recovery.path,
	    sizeof(recovery.path));
	err_clear(&recovery.err);
}

void
recovery_help_end(void)
{
	store_help_end(recovery.dir);
}

void
recovery_help_check(void)
{
	ck_assert_msg(store_check(recovery.path, recovery.message,
			  sizeof(recovery.message), &recovery.err) == 0,
	    "%s", recovery.err.text);
}

int
recovery_help_damaged(void)
{
	DIR *d = opendir(recovery.dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, ".damaged-") != NULL;
	(void)closedir(d);
	return n;
}

/* Add the three events of an item. */
static void
add_events(struct write_batch *p, int number, const char *salt)
{
	char data[200], id[48];

	for (int i = 0; i < 3; i++) {
		struct slice s = { .data = id };

		(void)snprintf(id, sizeof(id), "id-%d-%d", number, i);
		(void)snprintf(data, sizeof(data),
		    "{\"Id\":\"%s\",\"pad\":\"%x%x%x%s\"}", id,
		    (unsigned)number * 2654435761u,
		    (unsigned)(number + i) * 40503u, (unsigned)i * 97u, salt);
		s.len = strlen(id);
		ck_assert_int_eq(write_batch_add(p, data, strlen(data), s, 1,
				     &recovery.err),
		    0);
	}
}

void
recovery_help_fill_one(struct feed *f, int number, const char *salt)
{
	struct write_batch *p = write_batch_new(f);
	char key[32];
	struct listed l = { key, "https://x/y", 1, INT64_MAX };
	const uint8_t chain[32] = { 1 };
	struct item it;

	(void)snprintf(key, sizeof(key), "item-%d", number);
	write_batch_listed(p, &l);
	ck_assert_int_eq(feed_commit(p, NULL, &recovery.err), 0);
	ck_assert_int_eq(item_claim(f, &it, NULL, &recovery.err), 1);
	add_events(p, number, salt);
	write_batch_item(p, it.id, 3, chain, true);
	write_batch_cursor(p, "{\"n\":1}");
	ck_assert_msg(feed_commit(p, NULL, &recovery.err) == 0, "%s",
	    recovery.err.text);
	ck_assert_int_eq(item_return(f, &it, 0, NULL, &recovery.err), 0);
	item_release(&it);
	write_batch_free(p);
}

void
recovery_help_fill_with(int n, bool each)
{
	static const char *const names[] = { "siem" };
	struct store *s =
	    store_open(recovery.path, STORE_DURABLE, &recovery.err);
	struct feed *f;

	ck_assert_msg(s != NULL, "%s", recovery.err.text);
	ck_assert_int_eq(position_set_outputs(s, names, 1, &recovery.err), 0);
	f = feed_open(s, RECOVERY_FEED, CLOCK_DAY, &recovery.err);
	ck_assert_msg(f != NULL, "%s", recovery.err.text);
	for (int i = 0; i < n; i++) {
		recovery_help_fill_one(f, i, "");
		if (each)
			ck_assert_int_eq(store_help_seal(s, &recovery.err), 1);
	}
	while (store_help_seal(s, &recovery.err) == 1)
		;
	feed_close(f);
	store_close(s);
}

void
recovery_help_fill(int n)
{
	recovery_help_fill_with(n, false);
}

void
recovery_help_come_again(int number)
{
	struct store *s =
	    store_open(recovery.path, STORE_DURABLE, &recovery.err);
	struct feed *f = feed_open(s, RECOVERY_FEED, CLOCK_DAY, &recovery.err);
	struct write_batch *p;

	ck_assert_msg(f != NULL, "%s", recovery.err.text);
	p = write_batch_new(f);
	add_events(p, number, "");
	ck_assert_msg(feed_commit(p, NULL, &recovery.err) == 0, "%s",
	    recovery.err.text);
	write_batch_free(p);
	feed_close(f);
	ck_assert_msg(store_forget(s, clock_now() + 9 * CLOCK_DAY,
			  &recovery.err) == 0,
	    "%s", recovery.err.text);
	store_close(s);
}

void
recovery_help_go_on(char *tree, size_t size)
{
	struct store *s =
	    store_open(recovery.path, STORE_DURABLE, &recovery.err);
	struct feed_report r = { .id = 0 };
	struct feed *f;

	ck_assert_msg(s != NULL, "%s", recovery.err.text);
	f = feed_open(s, RECOVERY_FEED, CLOCK_DAY, &recovery.err);
	ck_assert_msg(f != NULL, "%s", recovery.err.text);
	recovery_help_fill_one(f, 1000, "more");
	while (store_help_seal(s, &recovery.err) == 1)
		;
	ck_assert_str_eq(recovery.err.text, "");
	do {
		(void)report_feed(s, r.id, &r, &recovery.err);
	} while (r.id != feed_id(f));
	(void)snprintf(tree, size, "%s", r.tree);
	feed_close(f);
	store_close(s);
}

uint64_t
recovery_help_deliverable(void)
{
	struct store *s =
	    store_open(recovery.path, STORE_DURABLE, &recovery.err);
	uint64_t n = 0, next[16] = { 0 };
	struct batch b;
	int rc;

	batch_init(&b);
	while ((rc = batch_next_sealed(s, b.id, &b, &recovery.err)) == 1) {
		ck_assert_uint_eq(b.first, next[b.feed_id]);
		next[b.feed_id] += b.count;
		n += b.count;
	}
	ck_assert_msg(rc == 0, "%s", recovery.err.text);
	batch_release(&b);
	store_close(s);
	return n;
}

void
recovery_help_overwrite(const char *name, off_t at, const char *bytes,
    size_t len)
{
	int fd = open(name, O_RDWR);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
	(void)close(fd);
}
