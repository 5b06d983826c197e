/*
 * notes.c - what a definition says to the person who sets its vendor up.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "sources/rest/rest_private.h"

#define COLUMNS 76
#define STEPS "     "

/* A line that begins with its name; nothing where there is no text. */
static int
add(struct buf *out, const char *name, const char *text)
{
	char first[80];

	if (text == NULL)
		return 0;
	(void)snprintf(first, sizeof(first), "%s ", name);
	return text_wrap(out, COLUMNS, first, "  ", text);
}

/* What one stream needs, behind a word about it. */
static int
add_permissions(struct buf *out, const char *indent, const char *about,
    char *const *permissions)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	int rc = buf_addf(&text, "%s:", about);

	for (size_t i = 0; permissions[i] != NULL && rc == 0; i++)
		rc =
		    buf_addf(&text, "%s %s", i == 0 ? "" : ",", permissions[i]);
	if (rc == 0)
		rc = text_wrap(out, COLUMNS, indent, STEPS, text.data);
	buf_release(&text);
	return rc;
}

static int
add_stream(struct buf *out, const struct def_stream *s)
{
	char about[128];

	if (s->permissions == NULL || s->permissions[0] == NULL)
		return 0;
	(void)snprintf(about, sizeof(about), "%.60s%s", s->name,
	    s->off ? " (only where streams names it)" : "");
	return add_permissions(out, "  ", about, s->permissions);
}

static bool
same_list(char *const *a, char *const *b)
{
	if (a == NULL || b == NULL)
		return false;
	for (; *a != NULL && *b != NULL; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

/* Every stream, of several, needs the same. */
static bool
all_alike(const struct definition *d)
{
	for (size_t i = 1; i < d->n_streams; i++)
		if (!same_list(d->streams[0].permissions,
			d->streams[i].permissions))
			return false;
	return d->n_streams > 1 && d->streams[0].permissions != NULL &&
	    d->streams[0].permissions[0] != NULL;
}

static int
add_steps(struct buf *out, char *const *steps)
{
	char first[32];
	int rc = buf_adds(out, "Once, at the vendor:\n");

	for (size_t i = 0; steps[i] != NULL && rc == 0; i++) {
		(void)snprintf(first, sizeof(first), "  %zu. ", i + 1);
		rc = text_wrap(out, COLUMNS, first, STEPS, steps[i]);
	}
	return rc;
}

static int
add_streams(struct buf *out, const struct definition *d)
{
	struct buf list = BUF_INIT(SIZE_MAX / 2);
	int rc = 0;

	if (all_alike(d))
		return add_permissions(out, "",
		    "Permissions, the same for every stream",
		    d->streams[0].permissions);
	for (size_t i = 0; i < d->n_streams && rc == 0; i++)
		rc = add_stream(&list, &d->streams[i]);
	if (rc == 0 && list.len > 0)
		rc = buf_addf(out, "Permissions, stream by stream:\n%s",
		    list.data);
	buf_release(&list);
	return rc;
}

char *
rest_notes(const struct definition *d)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);

	if ((d->setup != NULL && d->setup[0] != NULL &&
		add_steps(&out, d->setup) != 0) ||
	    add_streams(&out, d) != 0 || add(&out, "Limits:", d->limits) != 0 ||
	    add(&out, "Events that our requests make:", d->noise) != 0 ||
	    add(&out, "More:", d->docs) != 0)
		mem_gone();
	return out.len == 0 ? NULL : buf_take(&out, NULL);
}
