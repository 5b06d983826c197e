/*
 * gelf.c - messages in GELF 1.1.
 */
#include "outputs/gelf.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "delivery/member.h"
#include "store/line.h"

/* Syslog's informational. */
#define LEVEL 6

/* More than a checkpoint has. */
#define TEXT_MAX ((size_t)64 << 20)

struct gelf {
	const char *agent;
	struct member_reader *members;
	struct buf text;
};

struct gelf *
gelf_new(const char *agent)
{
	struct gelf *g = xcalloc(1, sizeof(*g));

	g->agent = agent;
	g->members = member_reader_new();
	buf_init(&g->text, TEXT_MAX);
	return g;
}

void
gelf_free(struct gelf *g)
{
	if (g == NULL)
		return;
	member_reader_free(g->members);
	buf_release(&g->text);
	free(g);
}

static int
add_text(struct gelf *g, const struct chunk_line *line, struct buf *out)
{
	const struct line_name name = { g->agent, line->feed, line->via };

	if (!line->checkpoint)
		return text_json_string(out, line->value, line->len);
	buf_clear(&g->text);
	if (line_add(&g->text, LINE_CHECKPOINT, name, line->number, line->value,
		line->len) != 0)
		return -1;
	return text_json_string(out, g->text.data, g->text.len - 1);
}

/* "_id" is Graylog's own. */
static int
add_id(struct gelf *g, const struct chunk_line *line, struct buf *out)
{
	struct slice id = { .data = NULL };

	if (!line->checkpoint && json_valid(line->value, line->len))
		id = member_text(g->members, line->shape->id, line->value,
		    line->len);
	if (id.len == 0)
		return 0;
	if (buf_adds(out, ",\"_sealfeed_id\":\"") != 0 ||
	    buf_add(out, id.data, id.len) != 0)
		return -1;
	return buf_adds(out, "\"");
}

int
gelf_add(struct gelf *g, const struct chunk_line *line, struct buf *out)
{
	if (buf_addf(out,
		"{\"version\":\"1.1\",\"host\":\"%s\",\"short_message\":",
		g->agent) != 0 ||
	    add_text(g, line, out) != 0 ||
	    (line->when != INT64_MIN &&
		buf_addf(out, ",\"timestamp\":%lld.%03lld",
		    (long long)(line->when / CLOCK_SECOND),
		    (long long)(line->when % CLOCK_SECOND / 1000)) != 0) ||
	    buf_addf(out,
		",\"level\":%d,\"_sealfeed_feed\":\"%s\",\"_sealfeed_%s\":%llu,"
		"\"_sealfeed_agent\":\"%s\"",
		LEVEL, line->feed, line->checkpoint ? "size" : "index",
		(unsigned long long)line->number, g->agent) != 0 ||
	    (line->source_type[0] != '\0' &&
		buf_addf(out, ",\"_sealfeed_source\":\"%s\"",
		    line->source_type) != 0) ||
	    add_id(g, line, out) != 0 ||
	    (line->version_of != NULL &&
		buf_addf(out, ",\"_sealfeed_version_of\":\"%s\"",
		    line->version_of) != 0) ||
	    (line->via != NULL &&
		buf_addf(out, ",\"_sealfeed_via\":\"%s\"", line->via) != 0))
		return -1;
	return buf_adds(out, "}");
}
