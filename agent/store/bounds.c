/*
 * bounds.c - numbers in the store that cannot be.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/err.h"
#include "store/bounds.h"
#include "store/db.h"
#include "store/recovery.h"

/* Ids and indexes stay below this, so that something can follow them. */
#define LAST "2305843009213693952"
#define INDEX " BETWEEN 0 AND " LAST

/* Of an event, or the size of a tree: SEEN_INDEX_MAX.  The ids of what came at
 * a larger one would be known by another index, and not be forgotten with it.
 */
#define EVENT " BETWEEN 0 AND 140737488355328"

#define ROWS(table, rule)                                                   \
	.drops = true, .of = table,                                         \
	.find =                                                             \
	    "SELECT 1 FROM " table " WHERE (" rule ") IS NOT TRUE LIMIT 1", \
	.repair = "DELETE FROM " table " WHERE (" rule ") IS NOT TRUE"

/* What a list goes on from: one that does not fit its place, or ends early,
 * would be found again for ever. */
#define FITS(column, size)                                          \
	"typeof(" column ") = 'text' AND length(CAST(" column       \
	" AS BLOB)) < " size " AND instr(CAST(" column " AS BLOB)," \
	" x'00') = 0"

/* Names are printed, signed and sent. */
#define NAME(column)                                                   \
	"typeof(" column ") = 'text' AND " column " <> '' AND " column \
	" NOT GLOB '*[^ -~]*'"

/* The key of a table, whose ends are found without a look at its rows. */
#define KEYS(table, key)                                                 \
	.drops = true, .of = table,                                      \
	.find = "SELECT 1 WHERE (SELECT min(" key ") FROM " table        \
		") < 1 OR (SELECT max(" key ") FROM " table ") > " LAST, \
	.repair = "DELETE FROM " table " WHERE " key " < 1 OR " key " > " LAST

/* Rows of no feed, which nobody would ever look at. */
#define ORPHANS(table)                                       \
	.of = table,                                         \
	.find = "SELECT 1 FROM " table " WHERE feed NOT IN " \
		"(SELECT id FROM feed) LIMIT 1"

#define SEQ "(SELECT seq FROM sqlite_sequence WHERE name = 'batch')"
#define HIGHEST(table) " WHEN '" table "' THEN (SELECT max(id) FROM " table ")"

#define OUTPUT_RULE                                                     \
	"position BETWEEN 0 AND coalesce(" SEQ ", 0)"                   \
	" AND lines BETWEEN 0 AND 8193"                                 \
	" AND coalesce(received, position) BETWEEN 0 AND coalesce(" SEQ \
	", 0) AND coalesce(received_lines, 0) BETWEEN 0 AND 8193"

/* In an order in which each finds what it refers to repaired. */
static const struct bound {
	const char *of;
	const char *find;   /* a row if there is one */
	const char *repair; /* NULL: by repair.c */
	bool drops;         /* rows */
} bounds[] = {
	{ KEYS("feed", "id") },
	{ KEYS("batch", "id") },
	{ KEYS("payload", "batch") },
	{ KEYS("checkpoint", "batch") },
	{ KEYS("item", "id") },
	{ KEYS("run", "id") },
	{ KEYS("seen", "id") },
	{ KEYS("dead_letter", "id") },
	{ KEYS("gap", "id") },
	{ KEYS("version", "id") },
	{ KEYS("request", "id") },
	{ ROWS("feed", NAME("name") " AND " FITS("name", "256")) },
	{ ROWS("feed", NAME("tree") " AND " FITS("tree", "256")) },
	{ ROWS("output", NAME("name") " AND " FITS("name", "64")) },
	{ ROWS("trouble",
	    FITS("subject", "256") " AND " FITS("class",
		"24") " AND " FITS("code", "48")) },
	{ ROWS("expiry", FITS("option", "192")) },
	{ ROWS("batch",
	    "first" EVENT " AND count BETWEEN 1 AND 8192 AND raw_len" INDEX) },
	{ ROWS("run",
	    "first" INDEX " AND rows BETWEEN 0 AND 4294967296"
	    " AND count BETWEEN 0 AND rows * 1000 AND rows <= count / 1000 + 1"
	    " AND level BETWEEN 0 AND 64 AND width BETWEEN 1 AND " LAST
	    " AND bucket" INDEX) },
	{ .of = "sqlite_sequence",
	    .find = "SELECT 1 FROM sqlite_sequence WHERE (seq" INDEX
		    ") IS NOT TRUE LIMIT 1",
	    .repair = "UPDATE sqlite_sequence SET seq = coalesce(CASE "
		      "name" HIGHEST("feed") HIGHEST("batch") HIGHEST("item")
			  HIGHEST("run") HIGHEST("dead_letter") HIGHEST("gap")
			      HIGHEST("version")
				  HIGHEST("request") " END, 0) WHERE (seq" INDEX
						     ") IS NOT TRUE" },
	/* What is still there is sent, or sent again. */
	{ .of = "output",
	    .find = "SELECT 1 FROM output WHERE (" OUTPUT_RULE
		    ") IS NOT TRUE LIMIT 1",
	    .repair = "UPDATE output SET position = coalesce("
		      "(SELECT min(batch) - 1 FROM payload), " SEQ ", 0),"
		      " lines = 0, received = NULL, received_lines = NULL,"
		      " orderly = 0 WHERE (" OUTPUT_RULE ") IS NOT TRUE" },
	/* Only the differences between them count. */
	{ .of = "batch",
	    .find = "SELECT 1 FROM batch WHERE id = (SELECT max(id) FROM batch)"
		    " AND (total_events" INDEX " AND total_bytes" INDEX
		    ") IS NOT TRUE",
	    .repair = "UPDATE batch SET total_events = t.events,"
		      " total_bytes = t.bytes FROM (SELECT id AS of,"
		      " sum(count) OVER (ORDER BY id) AS events,"
		      " sum(raw_len) OVER (ORDER BY id) AS bytes FROM batch"
		      " WHERE count BETWEEN 0 AND 4294967296"
		      " AND raw_len BETWEEN 0 AND 4294967296) AS t"
		      " WHERE t.of = batch.id" },
	{ ORPHANS("batch") },
	{ ORPHANS("item") },
	{ .of = "feed",
	    .find = "SELECT 1 FROM feed WHERE (size" EVENT " AND sealed" EVENT
		    ") IS NOT TRUE LIMIT 1" },
};

/* 1: all is within this bound, 0, -1. */
static int
kept(struct store *s, const struct bound *b, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, b->find, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	(void)sqlite3_finalize(st);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return rc == SQLITE_DONE;
	return db_fail(s, db_blame(s, b->find, rc), err);
}

int
bounds_kept(struct store *s, char *what, size_t size, struct err *err)
{
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		const int rc = kept(s, &bounds[i], err);

		if (rc == 0)
			(void)snprintf(what, size,
			    "table %s has impossible numbers", bounds[i].of);
		if (rc != 1)
			return rc;
	}
	return 1;
}

int
bounds_restore(struct store *s, struct recovery *v, struct err *err)
{
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		const struct bound *b = &bounds[i];
		const int rc = b->repair == NULL ? 1 : kept(s, b, err);

		if (rc < 0 || (rc == 0 && db_exec(s, b->repair, err) != 0))
			return -1;
		if (rc != 0 || !b->drops)
			continue;
		if (strcmp(b->of, "feed") == 0)
			v->whole_feeds = false;
		if (strcmp(b->of, "batch") == 0)
			v->whole_batches = false;
	}
	return 0;
}
