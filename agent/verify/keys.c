/*
 * keys.c - the keys that are trusted.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "evidence/note.h"
#include "evidence/rotation.h"
#include "verify/keys.h"

/* An agent that changed its key more often is a forger's. */
#define KEYS_MAX 1024

#define NOBODY SIZE_MAX

struct key {
	struct verifier verifier;
	size_t next;  /* that follows it, NOBODY */
	bool doubted; /* it names several; said */
};

struct keys {
	struct verifier *list; /* as note_open() wants them */
	struct key *key;
	size_t n;
	struct buf told; /* the last notes, read already */
};

/* The key with those bytes; k->n: none. */
static size_t
find(const struct keys *k, const struct verifier *v)
{
	size_t i = 0;

	while (i < k->n &&
	    (!public_same(&k->list[i].key, &v->key) ||
		(!k->list[i].any_name && !v->any_name &&
		    strcmp(k->list[i].name, v->name) != 0)))
		i++;
	return i;
}

static size_t
add(struct keys *k, const struct verifier *v)
{
	k->list = xreallocarray(k->list, k->n + 1, sizeof(*k->list));
	k->key = xreallocarray(k->key, k->n + 1, sizeof(*k->key));
	k->list[k->n] = *v;
	k->key[k->n] = (struct key){ .next = NOBODY };
	return k->n++;
}

struct keys *
keys_new(const struct verifier *given, size_t n)
{
	struct keys *k = xcalloc(1, sizeof(*k));

	k->told = (struct buf)BUF_INIT(KEY_ROTATIONS_MAX);
	for (size_t i = 0; i < n; i++)
		if (find(k, &given[i]) == k->n)
			(void)add(k, &given[i]);
	return k;
}

void
keys_free(struct keys *k)
{
	free(k->list);
	free(k->key);
	buf_release(&k->told);
	free(k);
}

/* Is key i among those that follow it? */
static bool
in_circle(const struct keys *k, size_t i)
{
	size_t steps = 0, at = k->key[i].next;

	while (at != NOBODY && at != i && steps++ < k->n)
		at = k->key[at].next;
	return at == i;
}

/* Key i names its successor. */
static void
set_next(struct keys *k, size_t i, size_t to, struct findings *f)
{
	const struct verifier *next = &k->list[to];

	k->key[i].next = to;
	if (in_circle(k, i))
		finding_feed(f, FINDING_SUCCESSION, "",
		    "keys of %s follow one another in a circle, which key id "
		    "%02x%02x%02x%02x closes: somebody has a retired key, and "
		    "which of them signed last is not known",
		    next->name, next->id[0], next->id[1], next->id[2],
		    next->id[3]);
}

/* Key i says that next follows. */
static void
succeed(struct keys *k, size_t i, const struct verifier *next,
    struct findings *f)
{
	size_t to = find(k, next);

	if (to == i)
		return;
	if (to == k->n) {
		if (k->n >= KEYS_MAX)
			return;
		(void)add(k, next);
		finding_feed(f, FINDING_KEY, "",
		    "a new key of %s is trusted, because a trusted key "
		    "announces it (key id %02x%02x%02x%02x)",
		    next->name, next->id[0], next->id[1], next->id[2],
		    next->id[3]);
	}
	if (k->key[i].next == NOBODY)
		set_next(k, i, to, f);
	if (k->key[i].next == to || k->key[i].doubted)
		return;
	k->key[i].doubted = true;
	finding_feed(f, FINDING_SUCCESSION, "",
	    "a key of %s names two successors (key ids %02x%02x%02x%02x and "
	    "%02x%02x%02x%02x): somebody else has it, too, or it was rotated "
	    "twice",
	    next->name, k->list[k->key[i].next].id[0],
	    k->list[k->key[i].next].id[1], k->list[k->key[i].next].id[2],
	    k->list[k->key[i].next].id[3], next->id[0], next->id[1],
	    next->id[2], next->id[3]);
}

void
keys_follow(struct keys *k, struct slice rest, struct findings *f)
{
	struct slice note;

	if (rest.len == 0 ||
	    (k->told.len == rest.len &&
		memcmp(k->told.data, rest.data, rest.len) == 0))
		return;
	buf_clear(&k->told);
	if (buf_add(&k->told, rest.data, rest.len) == -1)
		return;
	while ((note = rotation_next(&rest)).data != NULL) {
		/* One that nobody trusted signed says nothing; the checkpoint
		 * will show whether that matters. */
		for (size_t i = 0, n = k->n; i < n; i++) {
			struct err why = ERR_INIT;
			struct verifier next;

			if (rotation_open(note, &k->list[i], 1, &next, &why) ==
			    0)
				succeed(k, i, &next, f);
		}
	}
}

int
keys_open(const struct keys *k, struct slice note, struct checkpoint *cp,
    size_t *key, struct err *err)
{
	struct checkpoint by;

	if (note_open(note.data, note.len, k->list, k->n, cp, err) == -1)
		return -1;
	*key = 0;
	for (size_t i = k->n; i-- > 1;) {
		struct err why = ERR_INIT;

		if (note_open(note.data, note.len, &k->list[i], 1, &by, &why) ==
		    0) {
			*key = i;
			break;
		}
	}
	return 0;
}

/* The first of the signed keys that follows key i, near or far; NOBODY, which
 * it also is where the key follows itself. */
static size_t
signed_successor(const struct keys *k, size_t i, const bool *has_signed)
{
	size_t steps = 0;

	if (in_circle(k, i))
		return NOBODY;
	for (i = k->key[i].next; i != NOBODY && steps++ < k->n;
	     i = k->key[i].next)
		if (has_signed[i])
			return i;
	return NOBODY;
}

/* Was m signed by a key that had a successor at work already? */
static void
check_mark(const struct keys *k, const struct stream *s, const struct mark *m,
    const bool *has_signed, struct findings *f, const char *place)
{
	size_t next = signed_successor(k, m->key, has_signed);
	const uint8_t *id = k->list[m->key].id;

	if (next == NOBODY)
		return;
	finding_checkpoint(f, s->label, m->size,
	    "signed by a retired key (key id %02x%02x%02x%02x), behind a "
	    "checkpoint by the key that follows it: somebody has the old key "
	    "(%s)",
	    id[0], id[1], id[2], id[3], place);
}

void
keys_check(const struct keys *k, struct stream *const *trees, size_t n,
    struct findings *f, keys_place *name, const void *ctx)
{
	bool *has_signed = xcalloc(k->n + 1, sizeof(*has_signed));

	for (size_t t = 0; t < n && k->n > 1; t++) {
		const struct stream *s = trees[t];

		for (size_t i = 0, same; i < s->n_marks; i += same) {
			for (same = 0; i + same < s->n_marks &&
			     s->mark[i + same].size == s->mark[i].size;
			     same++)
				check_mark(k, s, &s->mark[i + same], has_signed,
				    f, name(ctx, s->mark[i + same].place));
			for (size_t j = 0; j < same; j++)
				has_signed[s->mark[i + j].key] = true;
		}
	}
	free(has_signed);
}
