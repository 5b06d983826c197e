/*
 * status_check.c - the line of a monitoring plugin (monitoring-plugins.org,
 * development guidelines): "SEALFEED OK - running, all well |
 * 'lag'=3s;3600;;0".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "cmd/status.h"

/* The unit of a figure, and how many of its own make one of that. */
static const struct {
	const char *name;
	int64_t size;
} units[] = {
	[FIGURE_SPAN] = { "s", CLOCK_SECOND },
	[FIGURE_COUNT] = { "", 1 },
	[FIGURE_PERCENT] = { "%", 1 },
};

/* A limit as a range of the plugins: "3600"; "3600:" where it is too little
 * below. */
static int
add_limit(struct buf *out, const struct figure_kind *k, int64_t limit)
{
	if (limit < 0)
		return buf_adds(out, ";");
	return buf_addf(out, ";%" PRId64 "%s", limit / units[k->unit].size,
	    k->below ? ":" : "");
}

static int
add_figure(const struct verdict *v, const struct limits *limits, enum figure f,
    struct buf *out)
{
	const struct figure_kind *k = &figure_kinds[f];

	if (v->figure[f] < 0)
		return buf_addf(out, " '%s'=U", k->name);
	if (buf_addf(out, " '%s'=%" PRId64 "%s", k->name,
		v->figure[f] / units[k->unit].size, units[k->unit].name) != 0 ||
	    add_limit(out, k, limits->limit[f][0]) != 0 ||
	    add_limit(out, k, limits->limit[f][1]) != 0)
		return -1;
	return buf_adds(out, k->unit == FIGURE_PERCENT ? ";0;100" : ";0;");
}

/* What has no limits: rates, and each output's own backlog. */
static int
add_rest(const struct status *st, struct buf *out)
{
	uint64_t recent = 0;

	for (size_t i = 0; i < st->n_feeds; i++)
		recent += st->feeds[i].recent;
	if (buf_addf(out, " 'rate'=%.1f;;;0; 'feeds'=%zu;;;0;",
		status_rate(st, recent), st->n_feeds) != 0)
		return -1;
	for (size_t i = 0; i < st->n_outputs; i++)
		if (buf_addf(out, " 'backlog %s'=%" PRIu64 ";;;0;",
			st->outputs[i].name,
			st->outputs[i].backlog_events) != 0)
			return -1;
	return 0;
}

int
status_check_line(const struct status_view *v, const struct limits *limits,
    struct buf *out)
{
	struct buf clean = BUF_INIT(sizeof(v->verdict.line) * 4);
	const char *line = v->verdict.line;
	int rc = text_printable(&clean, line, strlen(line));

	/* What follows this sign is perfdata. */
	for (char *s = clean.data; rc == 0 && (s = strchr(s, '|')) != NULL;)
		*s = '!';
	if (rc == 0)
		rc = buf_addf(out, "SEALFEED %s - %s |",
		    level_name(v->verdict.level), clean.data);
	for (int f = 0; f < FIGURES && rc == 0; f++)
		rc = add_figure(&v->verdict, limits, (enum figure)f, out);
	if (rc == 0 && v->why.text[0] == '\0')
		rc = add_rest(&v->st, out);
	if (rc == 0)
		rc = buf_adds(out, "\n");
	buf_release(&clean);
	return rc;
}
