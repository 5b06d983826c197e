/*
 * cursor.c - what the store keeps of where a stream is.
 *
 * {"from":T,"newest":T,"token":TEXT} of a vendor's own cursor, with
 * "begun":true of an iterator that has brought a batch and "asked":true before
 * one that cannot be had again is asked for; that of windows
 * is window.c's, and while a window is not finished it has
 * "part":{"from":T,"to":T,"date":T,"at":T,"page":TEXT}, too, with
 * "job":TEXT,"job_at":T where the vendor has to work for it.
 */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "sources/rest/rest_private.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"

/* A longer page token is not kept: the window is read again instead. */
#define PAGE_KEPT (32 * 1024)

/* The time of that key, 0: there is none. */
static int64_t
time_of(const json_t *top, const char *key)
{
	const json_t *v = json_object_get(top, key);
	int64_t when = 0;

	if (json_is_string(v) &&
	    clock_parse(json_string_value(v), json_string_length(v), &when) !=
		0)
		when = 0;
	return when;
}

static void
text_of(const json_t *top, const char *key, struct buf *out)
{
	const json_t *v = json_object_get(top, key);

	buf_clear(out);
	if (json_is_string(v) &&
	    buf_add(out, json_string_value(v), json_string_length(v)) != 0)
		buf_clear(out);
}

void
rest_cursor_read(struct rest_stream *rs, const char *json)
{
	json_t *top = json_loads(json, 0, NULL);
	const json_t *part = json_object_get(top, "part");

	if (rs->def->cursor.kind != CURSOR_WINDOW) {
		rs->from = time_of(top, "from");
		rs->newest = time_of(top, "newest");
		text_of(top, "token", &rs->token);
		rs->begun = json_is_true(json_object_get(top, "begun"));
		/* What the last request gave may have died with the process
		 * that asked. */
		rs->in_doubt = rs->begun &&
		    (rs->def->resend.path != NULL ||
			json_is_true(json_object_get(top, "asked")));
	} else {
		rs->part.from = time_of(part, "from");
		rs->part.to = time_of(part, "to");
		rs->part_date = time_of(part, "date");
		rs->part_at = time_of(part, "at");
		text_of(part, "page", &rs->part_page);
		text_of(part, "job", &rs->job);
		rs->job_at = time_of(part, "job_at");
		if (rs->part.from == 0 || rs->part.to <= rs->part.from)
			buf_clear(&rs->part_page);
		if (rs->part.from == 0 || rs->part.to <= rs->part.from)
			buf_clear(&rs->job);
	}
	json_decref(top);
}

static int
add_time(struct buf *out, const char *before, const char *key, int64_t when)
{
	char text[CLOCK_TEXT];

	(void)clock_format(when, 6, text);
	return buf_addf(out, "%s\"%s\":\"%s\"", before, key, text);
}

static int
write_token(const struct rest_stream *rs, struct buf *out)
{
	if (add_time(out, "{", "from", rs->from) != 0 ||
	    (rs->newest != 0 &&
		add_time(out, ",", "newest", rs->newest) != 0) ||
	    buf_adds(out, ",\"token\":") != 0 ||
	    text_json_string(out, rs->token.len > 0 ? rs->token.data : "",
		rs->token.len) != 0)
		return -1;
	return buf_addf(out, "%s%s}", rs->begun ? ",\"begun\":true" : "",
	    rs->in_doubt ? ",\"asked\":true" : "");
}

int
rest_cursor_write(const struct rest_stream *rs, struct buf *out)
{
	if (rs->def->cursor.kind != CURSOR_WINDOW)
		return write_token(rs, out);
	if (window_cursor_write(&rs->spec, &rs->window.cursor, out) != 0)
		return -1;
	if ((rs->part_page.len == 0 && rs->job.len == 0) ||
	    rs->part_page.len > PAGE_KEPT)
		return 0;
	out->len--; /* the bracket at its end */
	if (add_time(out, ",\"part\":{", "from", rs->part.from) != 0 ||
	    add_time(out, ",", "to", rs->part.to) != 0 ||
	    add_time(out, ",", "date", rs->part_date) != 0 ||
	    add_time(out, ",", "at", rs->part_at) != 0 ||
	    buf_adds(out, ",\"page\":") != 0 ||
	    text_json_string(out,
		rs->part_page.len > 0 ? rs->part_page.data : "",
		rs->part_page.len) != 0)
		return -1;
	if (rs->job.len > 0 &&
	    (add_time(out, ",", "job_at", rs->job_at) != 0 ||
		buf_adds(out, ",\"job\":") != 0 ||
		text_json_string(out, rs->job.data, rs->job.len) != 0))
		return -1;
	return buf_adds(out, "}}");
}

enum reply_class
rest_cursor_put(const struct rest_stream *rs, struct write_batch *p,
    struct outcome *r)
{
	struct buf json = BUF_INIT((size_t)1 << 20);

	(void)outcome_set(r, REPLY_OK, "written");
	if (rs->aside)
		return r->class;
	if (rest_cursor_write(rs, &json) != 0)
		(void)outcome_set(r, REPLY_RETRY, "the cursor is too long");
	else
		write_batch_cursor(p, json.data);
	buf_release(&json);
	return r->class;
}

enum reply_class
rest_cursor_save(struct rest_stream *rs, struct stream *st,
    const struct gap_row *gap, struct outcome *r)
{
	struct write_batch *p = write_batch_new(st->feed);
	struct commit_result res;
	struct err err = ERR_INIT;

	if (gap != NULL)
		write_batch_gap(p, gap);
	if (rest_cursor_put(rs, p, r) == REPLY_OK &&
	    feed_commit(p, &res, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	write_batch_free(p);
	return r->class;
}
