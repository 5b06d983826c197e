/*
 * identity.c - is an event new, a repeat, or another version of one?
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/feed_private.h"
#include "store/identity.h"
#include "store/seen.h"

#define SET_MIN 64

/* What zero is written with, as a number or in any form of a GUID; an x only
 * as in "0x". */
bool
identity_named(struct slice id)
{
	static const char filler[] = "0-+.,_{}()[]<>\"' \t\r\n";
	static const char urn[] = "urn:uuid:";
	size_t i = 0;

	if (id.data == NULL)
		return false;
	if (id.len > strlen(urn) && strncasecmp(id.data, urn, strlen(urn)) == 0)
		i = strlen(urn);
	for (; i < id.len; i++) {
		const char c = id.data[i];

		if (memchr(filler, c, strlen(filler)) == NULL &&
		    !((c == 'x' || c == 'X') && i > 0 && id.data[i - 1] == '0'))
			return true;
	}
	return false;
}

void
identities_release(struct identities *k)
{
	free(k->entries);
	free(k->set);
}

/* The place of key in the set: where it is, or the free one for it. */
static size_t
set_find(const struct identities *k, const uint8_t key[SEEN_KEY])
{
	uint64_t at;

	memcpy(&at, key, sizeof(at));
	for (at &= k->set_size - 1; k->set[at] != 0;
	     at = (at + 1) & (k->set_size - 1)) {
		if (memcmp(k->entries[k->set[at] - 1].key, key, SEEN_KEY) == 0)
			break;
	}
	return (size_t)at;
}

static void
set_grow(struct identities *k)
{
	k->room = k->room == 0 ? SET_MIN / 2 : k->room * 2;
	k->entries = xreallocarray(k->entries, k->room, sizeof(*k->entries));
	free(k->set);
	k->set_size = k->room * 2;
	k->set = xcalloc(k->set_size, sizeof(*k->set));
	for (size_t i = 0; i < k->n; i++)
		k->set[set_find(k, k->entries[i].key)] = (uint32_t)i + 1;
}

static void
remember(struct identities *k, const uint8_t key[SEEN_KEY], uint64_t index)
{
	if (k->n == k->room)
		set_grow(k);
	seen_entry_set(&k->entries[k->n], key, index);
	k->set[set_find(k, key)] = (uint32_t)++k->n;
}

/* 1 and where its event is: the key is known, from the store or from this
 * commit; 0: it is not; -1. */
static int
look(struct identities *k, const uint8_t key[SEEN_KEY], int64_t *feed,
    uint64_t *index, struct err *err)
{
	struct feed *f = k->feed;
	size_t at;

	if (k->n > 0) {
		at = set_find(k, key);
		if (k->set[at] != 0) {
			*feed = f->id;
			*index = seen_entry_index(&k->entries[k->set[at] - 1]);
			return 1;
		}
	}
	if (!seen_maybe(f->store, key))
		return 0;
	return seen_place(f->store, f->name, key, feed, index, err);
}

/* The keys of an event.  Of the hash over two others other bytes are taken
 * than of the one over an id, so that no id can pass for them. */
struct keys {
	uint8_t id[SEEN_KEY];
	uint8_t bytes[SEEN_KEY];
};

static void
make_keys(const struct identities *k, const struct identity *e,
    struct keys *keys)
{
	uint8_t name[DIGEST_LEN], both[DIGEST_LEN];

	if (e->id.data != NULL)
		digest_sha256(k->digest, NULL, 0, e->id.data, e->id.len, name);
	else
		memcpy(name, e->scope, DIGEST_LEN);
	digest_sha256(k->digest, name, DIGEST_LEN, e->leaf, DIGEST_LEN, both);
	memcpy(keys->id, name, SEEN_KEY);
	memcpy(keys->bytes, both + SEEN_KEY, SEEN_KEY);
}

int
identity_known(struct feed *f, struct digest *digest, struct slice id,
    struct err *err)
{
	uint8_t name[DIGEST_LEN];
	uint64_t index;

	digest_sha256(digest, NULL, 0, id.data, id.len, name);
	if (!seen_maybe(f->store, name))
		return 0;
	return seen_find(f->store, f->name, name, &index, err);
}

int
identity_see(struct identities *k, const struct identity *e, struct sighting *s,
    struct err *err)
{
	struct keys keys;
	int rc;

	*s = (struct sighting){ .repeat = false };
	if (e->id.data == NULL && e->scope == NULL)
		return 0;
	make_keys(k, e, &keys);
	rc = look(k, keys.bytes, &s->feed, &s->index, err);
	if (rc != 0) {
		s->repeat = rc == 1;
		return rc == 1 ? 0 : -1;
	}
	if (e->id.data != NULL) {
		rc = look(k, keys.id, &s->feed, &s->index, err);
		if (rc < 0)
			return -1;
		s->version = rc == 1;
		if (rc == 0)
			remember(k, keys.id, e->index);
	}
	remember(k, keys.bytes, e->index);
	return 0;
}
