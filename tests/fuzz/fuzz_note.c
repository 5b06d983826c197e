/*
 * fuzz_note.c - any bytes as a key, a signed note, a checkpoint's value; and
 * any bytes as the text of a note that is signed well.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "evidence/rotation.h"
#include "tests/fuzz/fuzz.h"

#define MAX (256 * 1024)

/* A key of RFC 8032 section 7.1, so that what is found can be run again. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static struct signer *signer;
static struct verifier verifier;

static void
begin(void)
{
	struct buf vkey = BUF_INIT(1000);
	struct err err = ERR_INIT;

	signer = signer_open("fra1", pem, &err);
	FUZZ_CHECK(signer != NULL);
	FUZZ_CHECK(signer_vkey(signer, &vkey, &err) == 0);
	FUZZ_CHECK(verifier_parse(vkey.data, &verifier, &err) == 0);
	buf_release(&vkey);
}

/* The same as notes about keys; a checkpoint is none. */
static void
read_succession(const struct buf *text, int checkpoint)
{
	struct slice rest = { .data = text->data, .len = text->len };
	struct slice note = rotation_next(&rest);
	size_t used = 0;

	for (; note.data != NULL; note = rotation_next(&rest)) {
		struct err err = ERR_INIT;
		struct verifier next;

		used += note.len;
		if (rotation_open(note, &verifier, 1, &next, &err) == -1)
			continue;
		FUZZ_CHECK(checkpoint == -1);
		FUZZ_CHECK(strcmp(next.name, "fra1") == 0);
	}
	FUZZ_CHECK(used + rest.len == text->len);
}

/* Open a note; a signature that nobody made must not be good. */
static int
open_note(const struct buf *note)
{
	struct err err = ERR_INIT;
	struct checkpoint cp;
	int rc = note_open(note->data, note->len, &verifier, 1, &cp, &err);

	FUZZ_CHECK((rc == 0) == (err.text[0] == '\0'));
	FUZZ_CHECK((rc == 0) == (cp.signer[0] != '\0'));
	FUZZ_CHECK(strlen(cp.origin) < sizeof(cp.origin));
	FUZZ_CHECK(rc == -1 || strcmp(cp.signer, "fra1") == 0);
	read_succession(note, rc);
	return rc;
}

/* Sign data as the text of a note.  The text decides whether it opens. */
static void
sign(const uint8_t *data, size_t size)
{
	uint8_t blob[KEY_ID_LEN + 64];
	struct buf note = BUF_INIT(MAX);
	struct err err = ERR_INIT;

	memcpy(blob, signer_id(signer), KEY_ID_LEN);
	FUZZ_CHECK(signer_sign(signer, (const char *)data, size,
		       blob + KEY_ID_LEN, &err) == 0);
	FUZZ_CHECK(buf_add(&note, data, size) == 0);
	FUZZ_CHECK(buf_adds(&note, "\n\xe2\x80\x94 fra1 ") == 0);
	FUZZ_CHECK(text_base64(&note, blob, sizeof(blob)) == 0);
	FUZZ_CHECK(buf_adds(&note, "\n") == 0);
	if (open_note(&note) == 0) {
		/* No other bytes may do. */
		note.data[size / 2] ^= 1;
		FUZZ_CHECK(open_note(&note) == -1);
	}
	buf_release(&note);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(MAX);
	struct err err = ERR_INIT;
	struct verifier v;
	struct proof proof;

	if (signer == NULL)
		begin();
	if (buf_add(&text, data, size) == -1)
		return 0;
	(void)open_note(&text);
	sign(data, size);
	proof_init(&proof);
	if (proof_parse(text.data, text.len, &proof, &err) == 0)
		FUZZ_CHECK(proof.before.len % DIGEST_LEN == 0 &&
		    proof.after.len % DIGEST_LEN == 0);
	proof_release(&proof);
	if (memchr(data, '\0', size) == NULL &&
	    verifier_parse(text.data, &v, &err) == 0)
		FUZZ_CHECK(v.any_name == (v.name[0] == '\0'));
	buf_release(&text);
	return 0;
}
