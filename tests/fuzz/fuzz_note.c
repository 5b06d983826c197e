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

/* Keys of RFC 8032 section 7.1 and RFC 6979 section A.2.5, so that what is
 * found can be run again. */
static const char *const pems[] = {
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
	"Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
	"+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
	"-----END PRIVATE KEY-----\n",
};
#define KEYS (sizeof(pems) / sizeof(pems[0]))

static struct signer *signers[KEYS];
static struct verifier verifiers[KEYS];

static void
begin(void)
{
	for (size_t i = 0; i < KEYS; i++) {
		struct buf vkey = BUF_INIT(1000);
		struct err err = ERR_INIT;

		signers[i] = signer_open("fra1", pems[i], &err);
		FUZZ_CHECK(signers[i] != NULL);
		FUZZ_CHECK(signer_vkey(signers[i], &vkey, &err) == 0);
		FUZZ_CHECK(verifier_parse(vkey.data, &verifiers[i], &err) == 0);
		buf_release(&vkey);
	}
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
		if (rotation_open(note, verifiers, KEYS, &next, &err) == -1)
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
	int rc = note_open(note->data, note->len, verifiers, KEYS, &cp, &err);

	FUZZ_CHECK((rc == 0) == (err.text[0] == '\0'));
	FUZZ_CHECK((rc == 0) == (cp.signer[0] != '\0'));
	FUZZ_CHECK(strlen(cp.origin) < sizeof(cp.origin));
	FUZZ_CHECK(rc == -1 || strcmp(cp.signer, "fra1") == 0);
	read_succession(note, rc);
	return rc;
}

/* Sign data as the text of a note.  The text decides whether it opens. */
static void
sign(const struct signer *signer, const uint8_t *data, size_t size)
{
	uint8_t blob[KEY_ID_LEN + SIGNATURE_MAX];
	struct signature signature;
	struct buf note = BUF_INIT(MAX);
	struct err err = ERR_INIT;

	FUZZ_CHECK(signer_sign(signer, (const char *)data, size, &signature,
		       &err) == 0);
	memcpy(blob, signer_id(signer), KEY_ID_LEN);
	memcpy(blob + KEY_ID_LEN, signature.data, signature.len);
	FUZZ_CHECK(buf_add(&note, data, size) == 0);
	FUZZ_CHECK(buf_adds(&note, "\n\xe2\x80\x94 fra1 ") == 0);
	FUZZ_CHECK(text_base64(&note, blob, KEY_ID_LEN + signature.len) == 0);
	FUZZ_CHECK(buf_adds(&note, "\n") == 0);
	if (open_note(&note) == 0) {
		/* No other bytes may do. */
		note.data[size / 2] ^= 1;
		FUZZ_CHECK(open_note(&note) == -1);
	}
	buf_release(&note);
}

/* Any bytes as a signature: one that is good stays so in no other form. */
static void
try_signature(const struct verifier *v, const uint8_t *data, size_t size)
{
	struct signature s = { .len = size };

	FUZZ_CHECK(!verifier_check(v, data, size, "text\n", 5));
	if (size > SIGNATURE_MAX)
		return;
	memcpy(s.data, data, size);
	if (public_tidy(&v->key, &s) == 0) {
		struct signature again = s;

		FUZZ_CHECK(s.len <= SIGNATURE_MAX);
		FUZZ_CHECK(public_tidy(&v->key, &again) == 0);
		FUZZ_CHECK(again.len == s.len &&
		    memcmp(again.data, s.data, s.len) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(MAX);
	struct err err = ERR_INIT;
	struct verifier v;
	struct proof proof;

	if (signers[0] == NULL)
		begin();
	if (buf_add(&text, data, size) == -1)
		return 0;
	(void)open_note(&text);
	for (size_t i = 0; i < KEYS; i++) {
		sign(signers[i], data, size);
		try_signature(&verifiers[i], data, size);
	}
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
