/*
 * sealed.c - a feed sealed by the book.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "evidence/rotation.h"
#include "tests/lib/sealed.h"

void
sealed_begin(struct sealed *s, const char *name)
{
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	merkle_range_init(&s->peaks, 0);
	s->before = s->peaks;
	s->check = (struct buf)BUF_INIT(PROOF_MAX);
}

void
sealed_end(struct sealed *s)
{
	buf_release(&s->check);
}

static void
die(const char *why)
{
	(void)fprintf(stderr, "sealed: %s\n", why);
	abort();
}

uint64_t
sealed_event(struct digest *d, struct sealed *s, const char *value, size_t len)
{
	uint8_t leaf[DIGEST_LEN];

	merkle_leaf(d, value, len, leaf);
	merkle_append(d, &s->peaks, leaf);
	if (buf_add(&s->check, leaf, PROOF_CODE) == -1)
		die("too many events behind one checkpoint");
	return s->peaks.end - 1;
}

uint64_t
sealed_checkpoint(struct digest *d, struct sealed *s,
    const struct signer *signer, const char *agent, struct buf *value)
{
	struct buf note = BUF_INIT(NOTE_MAX);
	struct err err = ERR_INIT;
	const struct proof_parts parts = { .note = &note,
		.before = &s->before,
		.after = &s->peaks,
		.check = &s->check,
		.keys = signer_rotations(signer) };
	uint8_t root[DIGEST_LEN];
	char origin[256];

	(void)snprintf(origin, sizeof(origin), "%s/%s", agent, s->name);
	merkle_root(d, &s->peaks, root);
	if (note_sign(signer, origin, s->peaks.end, root, &note, &err) == -1 ||
	    proof_build(value, &parts, &err) == -1)
		die(err.text);
	s->before = s->peaks;
	buf_clear(&s->check);
	buf_release(&note);
	return s->peaks.end;
}
