/*
 * gaps.c - `sealfeed gaps`: what can no longer be read from a vendor.
 */
#include <inttypes.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/table.h"
#include "config/config.h"
#include "store/report.h"

static const struct column columns[] = {
	{ .head = "ID", .right = true },
	{ .head = "FEED", .cut = true },
	{ .head = "RECORDED" },
};

static void
put_gap(struct json_put *j, const struct gap_row *g)
{
	json_put_open(j, NULL, '{');
	json_put_count(j, "id", (uint64_t)g->id);
	json_put_text(j, "feed", g->feed);
	if (g->item == 0) {
		json_put_null(j, "item");
		json_put_time(j, "from", g->from);
		json_put_time(j, "to", g->to);
	} else {
		json_put_text(j, "item", g->key);
		json_put_null(j, "from");
		json_put_null(j, "to");
	}
	json_put_time(j, "recorded", g->recorded);
	json_put_time(j, "closed", g->closed);
	json_put_text(j, "cause", g->cause);
	json_put_close(j, '}');
}

static void
add_gap(struct table *t, const struct gap_row *g)
{
	char when[CLOCK_TEXT], from[CLOCK_TEXT], to[CLOCK_TEXT];

	(void)clock_format(g->recorded, 0, when);
	table_cell(t, "%" PRId64, g->id);
	table_cell(t, "%s", g->feed);
	table_cell(t, "%s", when);
	if (g->item == 0) {
		(void)clock_format(g->from, 0, from);
		(void)clock_format(g->to, 0, to);
		table_note(t, "from %s to %s", from, to);
	} else {
		table_note(t, "item %s", g->key);
	}
	table_note(t, "%s", g->cause);
	if (g->closed == INT64_MIN)
		return;
	(void)clock_format(g->closed, 0, when);
	table_note(t,
	    "closed at %s: the vendor listed it again, and it is "
	    "fetched after all",
	    when);
}

static int
list_gaps(struct store *s, bool json, struct err *err)
{
	struct gap_row g = { .id = 0 };
	struct listing l;
	int rc;

	listing_open(&l, json, columns, sizeof(columns) / sizeof(columns[0]));
	while ((rc = report_gap(s, g.id, &g, err)) == 1) {
		if (g.closes != 0)
			continue;
		if (json)
			put_gap(&l.json, &g);
		else
			add_gap(l.table, &g);
		rc = listing_next(&l, err);
		if (rc != 0)
			break;
	}
	return listing_close(&l, rc, "There are no gaps.", err);
}

static int
gaps_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct config *config = cmd_config(line);
	struct err err = ERR_INIT;
	struct store *s;
	int rc = -1;

	if (config == NULL)
		return EXIT_CONF;
	s = cmd_store(config, STORE_READ, &err);
	if (s != NULL)
		rc = list_gaps(s, line->json, &err);
	store_close(s);
	config_free(config);
	return rc != 0 ? cmd_failed(cmd, &err) : EXIT_FINE;
}

const struct cmd cmd_gaps = {
	.name = "gaps",
	.summary = "List what can no longer be read from a vendor.",
	.help =
	    "List what can no longer be read from a vendor, each with its "
	    "cause: time spans and listed items that expired or were refused "
	    "for good, and single events that are too large for memory. A gap "
	    "is closed when the vendor lists the item again. The "
	    "exit status is 0 if the list could be read, with or without gaps.",
	.run = gaps_run,
};
