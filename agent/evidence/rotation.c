/*
 * rotation.c - a change of the signing key, announced by the old key.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "evidence/note.h"
#include "evidence/rotation.h"

#define TITLE KEY_ROTATION_TITLE

int
rotation_sign(const struct signer *old, const struct signer *next,
    struct buf *out, struct err *err)
{
	size_t start;

	if (strcmp(signer_name(old), signer_name(next)) != 0)
		return err_set(err, "the key of %s cannot follow the key of %s",
		    signer_name(next), signer_name(old));
	if (buf_adds(out, signer_rotations(old)) == -1)
		return err_set(err, "too many keys have followed each other");
	start = out->len;
	if (buf_adds(out, TITLE) == -1 || signer_vkey(next, out, err) == -1 ||
	    buf_adds(out, "\n") == -1)
		return err_set(err, "too many keys have followed each other");
	return note_finish(old, out, start, err);
}

struct slice
rotation_next(struct slice *rest)
{
	struct slice note = *rest;
	const char *next;

	if (rest->len < strlen(TITLE) ||
	    memcmp(rest->data, TITLE, strlen(TITLE)) != 0)
		return (struct slice){ .data = NULL };
	next = memmem(rest->data + 1, rest->len - 1, "\n" TITLE,
	    strlen("\n" TITLE));
	if (next != NULL)
		note.len = (size_t)(next + 1 - note.data);
	rest->data += note.len;
	rest->len -= note.len;
	return note;
}

int
rotation_open(struct slice note, const struct verifier *keys, size_t n,
    struct verifier *next, struct err *err)
{
	const struct trust trust = { .keys = keys, .n = n };
	char vkey[sizeof(next->name) + 256];
	char signer[256];
	struct slice text;
	size_t len;

	if (note_split(note.data, note.len, &text, err) == -1)
		return -1;
	if (text.len <= strlen(TITLE) + 1 ||
	    memcmp(text.data, TITLE, strlen(TITLE)) != 0)
		return err_set(err, "not a note about a key");
	len = text.len - strlen(TITLE) - 1;
	if (len >= sizeof(vkey) ||
	    memchr(text.data + strlen(TITLE), '\n', len) != NULL)
		return err_set(err, "not a note about one key");
	memcpy(vkey, text.data + strlen(TITLE), len);
	vkey[len] = '\0';
	if (note_check(note.data, note.len, text, trust, signer, err) == -1 ||
	    verifier_parse(vkey, next, err) == -1)
		return -1;
	if (next->any_name || strcmp(next->name, signer) != 0)
		return err_set(err,
		    "%s cannot announce the key of another agent", signer);
	return 0;
}
