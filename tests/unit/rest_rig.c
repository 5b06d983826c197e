/*
 * rest_rig.c - see rest_rig.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "run/types.h"
#include "sources/rest/rest_private.h"
#include "store/batch.h"
#include "store/feed.h"
#include "store/line.h"
#include "tests/unit/rest_rig.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define TEXT_MAX (16 << 20)

struct rest_rig rest_rig;

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

/* Nobody waits here: what was to pass by then has passed.  And no vendor says
 * that it takes long. */
static bool
rest(void *ctx, int64_t us)
{
	(void)ctx;
	ck_assert_int_le(us, 5 * CLOCK_MINUTE);
	(void)usleep(1000);
	rate_free(rest_rig.source.rate);
	rest_rig.source.rate = rate_new(600000, 600000);
	rest_rig.stream.hold = 0;
	return true;
}

static void
ignore(void *ctx, struct stream *st)
{
	(void)ctx;
	(void)st;
}

static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	(void)ctx;
	(void)st;
	rest_rig_tell(r);
}

void
rest_rig_tell(const struct outcome *r)
{
	rest_rig.last = *r;
	ck_assert_int_eq(buf_addf(&rest_rig.told, "%s\n", r->text), 0);
}

void
rest_rig_begin(void)
{
	memset(&rest_rig, 0, sizeof(rest_rig));
	err_clear(&rest_rig.err);
	buf_init(&rest_rig.told, TEXT_MAX);
	store_help_begin(rest_rig.dir, sizeof(rest_rig.dir), rest_rig.path,
	    sizeof(rest_rig.path));
}

static void
name_definition(const char *type)
{
	char *folder = xasprintf("%s/sources.d", rest_rig.dir);

	rest_rig.definition = xasprintf("%s/%s.yaml", folder, type);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	free(folder);
}

void
rest_rig_define(const char *type, const char *definition)
{
	name_definition(type);
	ck_assert_int_eq(file_replace(rest_rig.definition, definition,
			     strlen(definition), 0600, &rest_rig.err),
	    0);
}

void
rest_rig_link(const char *type, const char *file)
{
	name_definition(type);
	ck_assert_int_eq(symlink(file, rest_rig.definition), 0);
}

void
rest_rig_load(const char *yaml)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	char *file = xasprintf("%s/sealfeed.yaml", rest_rig.dir);

	ck_assert_int_eq(file_replace(file, yaml, strlen(yaml), 0600,
			     &rest_rig.err),
	    0);
	rest_rig.config = config_load(file, &agent_types, &errors);
	for (size_t i = 0; i < errors.n; i++)
		(void)fprintf(stderr, "%s\n", errors.line[i]);
	ck_assert_ptr_nonnull(rest_rig.config);
	config_errors_release(&errors);
	free(file);
}

void
rest_rig_configure(const char *type, const char *options)
{
	char *yaml = xasprintf("agent: { name: a, key: %s/seal.pem "
			       "}\nsources:\n  v:\n    type: "
			       "\"%s\"\n    initial: 4d\n%s"
			       "outputs: { f: { type: file, path: %s/out } }\n",
	    rest_rig.dir, type, options, rest_rig.dir);

	rest_rig_load(yaml);
	free(yaml);
}

void
rest_rig_open(const char *stream)
{
	const struct config_entry *e = &rest_rig.config->sources[0];
	struct source *s = &rest_rig.source;
	char *feed = xasprintf("v/%s", stream);

	rest_rig.s = store_help_open(rest_rig.path, STORE_DURABLE);
	*s = (struct source){ .type = source_type_of(e->type),
		.name = e->name,
		.conf = e->conf,
		.folder = rest_rig.dir,
		.rate = rate_new(600000, 600000),
		.clock = server_clock_new(),
		.stop = never,
		.rest = rest,
		.listed = ignore,
		.committed = ignore,
		.trouble = trouble };
	s->type->define(s->conf, &s->definition);
	s->access = http_access_open(s->definition.http, &rest_rig.err);
	ck_assert_ptr_nonnull(s->access);
	ck_assert_msg(s->type->open(s, &rest_rig.err) == 0, "%s",
	    rest_rig.err.text);
	rest_rig.stream = (struct stream){ .source = s,
		.name = stream,
		.listed = INT64_MIN,
		.feed =
		    store_help_feed(rest_rig.s, feed, s->definition.dedupe) };
	stream_begin(&rest_rig.stream);
	feed_hours(rest_rig.stream.feed);
	rest_rig.w = (struct worker){ .source = s,
		.stream = &rest_rig.stream,
		.http = http_new(s->access, NULL, NULL) };
	free(feed);
}

void
rest_rig_close(void)
{
	struct source *s = &rest_rig.source;

	http_free(rest_rig.w.http);
	feed_close(rest_rig.stream.feed);
	stream_end(&rest_rig.stream);
	s->type->close(s);
	http_access_free(s->access);
	rate_free(s->rate);
	server_clock_free(s->clock);
	store_close(rest_rig.s);
}

/* The definition and its folder are what store_help_end() does not expect. */
void
rest_rig_end(void)
{
	config_free(rest_rig.config);
	ck_assert_int_eq(unlink(rest_rig.definition), 0);
	*strrchr(rest_rig.definition, '/') = '\0';
	ck_assert_int_eq(rmdir(rest_rig.definition), 0);
	free(rest_rig.definition);
	buf_release(&rest_rig.told);
	store_help_end(rest_rig.dir);
}

struct rest_stream *
rest_rig_state(void)
{
	return *(struct rest_stream **)rest_rig.stream.state;
}

void
rest_rig_lines(struct buf *lines)
{
	struct gzip *g = gzip_new();
	struct batch b;
	int64_t at = 0;

	batch_init(&b);
	while (store_help_seal(rest_rig.s, &rest_rig.err) == 1)
		continue;
	while (batch_next_sealed(rest_rig.s, at, &b, &rest_rig.err) == 1) {
		at = b.id;
		ck_assert_int_eq(gzip_unpack(g, b.payload.data, b.payload.len,
				     lines, &rest_rig.err),
		    0);
	}
	batch_release(&b);
	gzip_free(g);
}

int
rest_rig_by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
rest_rig_events(size_t *n)
{
	struct buf lines = BUF_INIT(TEXT_MAX);
	char **list = xcalloc(1, sizeof(*list));
	const char *at, *end;

	*n = 0;
	/* An empty store has a text, too. */
	ck_assert_int_eq(buf_adds(&lines, ""), 0);
	rest_rig_lines(&lines);
	at = lines.data;
	end = at + lines.len;
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		struct line line;

		ck_assert_ptr_nonnull(nl);
		if (line_parse(at, (size_t)(nl - at), &line) == 0 &&
		    line.kind == LINE_EVENT) {
			list = xreallocarray(list, *n + 1, sizeof(*list));
			list[(*n)++] =
			    xstrndup(line.value.data, line.value.len);
		}
		at = nl + 1;
	}
	qsort(list, *n, sizeof(*list), rest_rig_by_text);
	buf_release(&lines);
	return list;
}
