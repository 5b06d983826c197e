/*
 * cmd_rig.c - subcommands on a store made for the occasion.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "cmd/cmd.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/cmd_rig.h"
#include "tests/unit/store_help.h"

#define OUTPUT_MAX (1024 * 1024)

const struct cmd *const rig_cmds[] = { &cmd_dead_letters, &cmd_export,
	&cmd_gaps, &cmd_status, &cmd_store_state, NULL };

struct rig rig;

static char folder[64];
static struct feed *feed;

char *
rig_path(const char *name)
{
	static char path[500];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

void
rig_config(const char *more)
{
	char text[1000];
	struct err err = ERR_INIT;
	int n = snprintf(text, sizeof(text),
	    "agent: { name: fra1, key: /nowhere, store: { path: %s/store.db }, "
	    "seal: { log: %s/seal.log }%s }\n"
	    "outputs: { siem: { type: file, path: /nowhere } }\n",
	    folder, folder, more);

	ck_assert_msg(file_replace(rig_path("sealfeed.yaml"), text, (size_t)n,
			  0600, &err) == 0,
	    "%s", err.text);
}

static void
begin(void)
{
	struct err err = ERR_INIT;
	char path[200];

	store_help_begin(folder, sizeof(folder), path, sizeof(path));
	rig_config("");
	rig.store = store_open(path, STORE_DURABLE, &err);
	store_agent(rig.store, "fra1");
	ck_assert_msg(rig.store != NULL, "%s", err.text);
	feed = feed_open(rig.store, RIG_FEED, 0, &err);
	ck_assert_msg(feed != NULL, "%s", err.text);
	rig.out = rig.message = (struct buf)BUF_INIT(OUTPUT_MAX);
}

void
rig_close_store(void)
{
	feed_close(feed);
	store_close(rig.store);
	feed = NULL;
	rig.store = NULL;
}

static void
end(void)
{
	rig_close_store();
	buf_release(&rig.out);
	buf_release(&rig.message);
	store_help_end(folder);
}

static void
slurp(FILE *f, struct buf *b)
{
	char piece[4096];
	size_t n;

	buf_clear(b);
	ck_assert_int_eq(buf_add(b, "", 0), 0);
	rewind(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		ck_assert_int_eq(buf_add(b, piece, n), 0);
	(void)fclose(f);
}

int
rig_run(const char *line)
{
	char copy[800], *argv[20] = { NULL }, *save = NULL;
	FILE *to[2] = { tmpfile(), tmpfile() };
	int kept[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
	int argc = 0, rc;

	(void)snprintf(copy, sizeof(copy), "sealfeed %s --config %s", line,
	    rig_path("sealfeed.yaml"));
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	(void)fflush(NULL);
	for (int i = 0; i < 2; i++)
		ck_assert_int_ge(dup2(fileno(to[i]), STDOUT_FILENO + i), 0);
	rc = cmd_main(rig_cmds, argc, argv);
	(void)fflush(NULL);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_ge(dup2(kept[i], STDOUT_FILENO + i), 0);
		(void)close(kept[i]);
	}
	slurp(to[0], &rig.out);
	slurp(to[1], &rig.message);
	return rc;
}

void
rig_commit(int first, int n, const struct gap_row *gap)
{
	struct write_batch *p = write_batch_new(feed);
	struct commit_result res;
	struct err err = ERR_INIT;
	const struct slice none = { .data = NULL };

	for (int i = first; i < first + n; i++) {
		char event[40];
		int len = snprintf(event, sizeof(event), "{\"n\":%d}", i);

		ck_assert_int_eq(write_batch_add(p, event, (size_t)len, none,
				     INT64_MIN, &err),
		    0);
	}
	if (gap != NULL)
		write_batch_gap(p, gap);
	ck_assert_msg(feed_commit(p, &res, &err) == 0, "%s", err.text);
	write_batch_free(p);
}

void
rig_seal(const char *value)
{
	static struct unsealed u;
	struct digest *d = digest_new();
	struct merkle_range peaks;
	struct err err = ERR_INIT;

	u.check = (struct buf)BUF_INIT(OUTPUT_MAX);
	ck_assert_msg(batch_next_unsealed(rig.store, &u, &err) == 1, "%s",
	    err.text);
	peaks = u.peaks;
	ck_assert_int_eq(merkle_join(d, &peaks, &u.added), 0);
	ck_assert_msg(batch_seal(rig.store, &u, &peaks, value, &err) == 0, "%s",
	    err.text);
	buf_release(&u.check);
	digest_free(d);
}

TCase *
rig_case(const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	return tc;
}
