/*
 * export.c - the lines that the store keeps, written out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "cmd/export.h"
#include "store/batch.h"
#include "store/line.h"

/* A line around a checkpoint's value. */
#define FRAME_MOST 1024

struct job {
	const struct export_want *want;
	FILE *to;
	struct export_done *done;
	struct gzip *gzip;
	struct buf lines;
	struct buf line;
};

static int
put(struct job *j, const char *data, size_t len, struct err *err)
{
	if (fwrite(data, 1, len, j->to) != len)
		return err_set(err, "the export can't be written: %s",
		    strerror(errno));
	j->done->bytes += len;
	return 0;
}

/* The tally of a batch's feed, made with its first batch. */
static struct export_feed *
tally(struct export_done *done, const struct batch *b)
{
	struct export_feed *f;

	for (size_t i = 0; i < done->n; i++)
		if (strcmp(done->feed[i].name, b->feed) == 0)
			return &done->feed[i];
	done->feed =
	    xreallocarray(done->feed, done->n + 1, sizeof(*done->feed));
	f = &done->feed[done->n++];
	*f = (struct export_feed){ .events = 0 };
	(void)snprintf(f->name, sizeof(f->name), "%s", b->feed);
	return f;
}

/* Bytes of the first n lines of s, SIZE_MAX when there are fewer. */
static size_t
skip_lines(const char *s, size_t len, uint64_t n)
{
	const char *at = s, *end = s + len;

	for (; n > 0; n--) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (lf == NULL)
			return SIZE_MAX;
		at = lf + 1;
	}
	return (size_t)(at - s);
}

static int
unpack(struct job *j, const struct batch *b, struct err *err)
{
	buf_clear(&j->lines);
	j->lines.ceiling = b->raw_len;
	if (gzip_unpack(j->gzip, b->payload.data, b->payload.len, &j->lines,
		err) != 0)
		return -1;
	if (j->lines.len == 0 ||
	    skip_lines(j->lines.data, j->lines.len, b->count) != j->lines.len)
		return err_set(err, "there are not %zu lines in it", b->count);
	return 0;
}

/* Events [from, to) of the batch, unpacked before. */
static int
put_events(struct job *j, const struct batch *b, uint64_t from, uint64_t to,
    struct err *err)
{
	const struct buf *l = &j->lines;
	size_t at = skip_lines(l->data, l->len, from - b->first);
	size_t end = skip_lines(l->data, l->len, to - b->first);
	struct export_feed *f = tally(j->done, b);

	if (f->events == 0)
		f->first = f->next = from;
	if (from > f->next)
		f->missing += from - f->next;
	f->next = to;
	f->events += to - from;
	return put(j, l->data + at, end - at, err);
}

/* Note a batch that is damaged; the others are worth having. */
static void
note_damage(struct job *j, const struct batch *b, struct err *why)
{
	(void)err_prefix(why, "batch %" PRId64 " of %s, events from %" PRIu64,
	    b->id, b->feed, b->first);
	if (j->done->damaged++ == 0)
		(void)snprintf(j->done->trouble, sizeof(j->done->trouble), "%s",
		    why->text);
}

static int
put_checkpoint(struct job *j, const struct batch *b, struct err *err)
{
	struct export_feed *f = tally(j->done, b);

	buf_clear(&j->line);
	j->line.ceiling = b->checkpoint.len + FRAME_MOST;
	if (line_add(&j->line, LINE_CHECKPOINT, b->feed, b->size,
		b->checkpoint.data, b->checkpoint.len) != 0)
		return err_set(err, "%s: the checkpoint doesn't fit", b->feed);
	f->checkpoints++;
	f->covered = b->size;
	return put(j, j->line.data, j->line.len, err);
}

static int
put_batch(void *ctx, const struct batch *b, struct err *err)
{
	struct job *j = ctx;
	const struct export_want *w = j->want;
	struct err why = ERR_INIT;
	uint64_t from = b->first, to = b->first + b->count;

	if (w->from > from)
		from = w->from;
	if (w->to != UINT64_MAX && w->to + 1 < to)
		to = w->to + 1;
	if (from < to && unpack(j, b, &why) != 0)
		note_damage(j, b, &why);
	else if (from < to && put_events(j, b, from, to, err) != 0)
		return -1;
	if (b->checkpoint.len == 0 || b->size <= w->from || b->size - 1 > w->to)
		return 0;
	return put_checkpoint(j, b, err);
}

int
export_lines(struct store *s, const struct export_want *want, FILE *to,
    struct export_done *done, struct err *err)
{
	struct job j = { .want = want, .to = to, .done = done };
	int rc;

	j.gzip = gzip_new();
	rc = batch_walk(s, want->feed, put_batch, &j, err);
	if (rc == 0 && fflush(to) != 0)
		rc = err_set(err, "the export can't be written: %s",
		    strerror(errno));
	gzip_free(j.gzip);
	buf_release(&j.lines);
	buf_release(&j.line);
	return rc;
}

void
export_release(struct export_done *done)
{
	free(done->feed);
	*done = (struct export_done){ .n = 0 };
}
