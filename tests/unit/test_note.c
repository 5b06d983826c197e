/*
 * test_note.c - C2SP signed notes and checkpoints.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/merkle.h"
#include "base/text.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "evidence/rotation.h"
#include "tests/unit/unit.h"

/* RFC 8032 section 7.1, test 1, as PKCS#8 and as SubjectPublicKeyInfo. */
#define RFC8032_KEY                                                          \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"
#define RFC8032_PUBLIC                                                   \
	"-----BEGIN PUBLIC KEY-----\n"                                   \
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" \
	"-----END PUBLIC KEY-----\n"

/* RFC 6979 section A.2.5, the same. */
#define RFC6979_KEY                                                          \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n" \
	"Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n" \
	"+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"         \
	"-----END PRIVATE KEY-----\n"
#define RFC6979_PUBLIC                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                       \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n" \
	"Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"     \
	"-----END PUBLIC KEY-----\n"

static const char rfc8032_key[] = RFC8032_KEY, rfc6979_key[] = RFC6979_KEY;
static const char rfc8032_public[] = RFC8032_PUBLIC,
		  rfc6979_public[] = RFC6979_PUBLIC;
static const struct {
	enum key_type type;
	const char *pem, *public;
} keys[] = {
	{ KEY_ED25519, rfc8032_key, rfc8032_public },
	{ KEY_ECDSA, rfc6979_key, rfc6979_public },
};
#define KEYS ((int)(sizeof(keys) / sizeof(keys[0])))

/* The documented example of golang.org/x/mod/sumdb/note. */
#define GO_VKEY \
	"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

static const uint8_t root[DIGEST_LEN] = { 1, 2, 3 };

static void
make(const char *name, const char *key, const char *origin, struct buf *note,
    struct verifier *v)
{
	struct buf vkey = BUF_INIT(1000);
	struct err err = ERR_INIT;
	struct signer *s = signer_open(name, key, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_int_eq(signer_vkey(s, &vkey, &err), 0);
	ck_assert_int_eq(verifier_parse(vkey.data, v, &err), 0);
	ck_assert_int_eq(note_sign(s, origin, 43, root, note, &err), 0);
	signer_free(s);
	buf_release(&vkey);
}

START_TEST(what_is_signed_opens)
{
	struct buf note = BUF_INIT(NOTE_MAX);
	struct err err = ERR_INIT;
	struct checkpoint cp;
	struct verifier v;

	make("fra1", keys[_i].pem, "fra1/contoso/A", &note, &v);
	ck_assert_int_eq(strncmp(note.data,
			     "fra1/contoso/A\n43\n"
			     "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
			     "\xe2\x80\x94 fra1 ",
			     71),
	    0);
	ck_assert_int_eq(note_open(note.data, note.len, &v, 1, &cp, &err), 0);
	ck_assert_str_eq(cp.origin, "fra1/contoso/A");
	ck_assert_str_eq(cp.signer, "fra1");
	ck_assert_uint_eq(cp.size, 43);
	ck_assert_mem_eq(cp.root, root, DIGEST_LEN);
	buf_release(&note);
}
END_TEST

START_TEST(bare_public_key_opens)
{
	struct buf note = BUF_INIT(NOTE_MAX);
	struct err err = ERR_INIT;
	struct checkpoint cp;
	struct verifier v;

	make("fra1", keys[_i].pem, "fra1/contoso/A", &note, &v);
	ck_assert_int_eq(verifier_parse(keys[_i].public, &v, &err), 0);
	ck_assert(v.any_name);
	ck_assert_int_eq(note_open(note.data, note.len, &v, 1, &cp, &err), 0);
	ck_assert_int_eq(verifier_parse(keys[_i].pem, &v, &err), 0);
	ck_assert_int_eq(note_open(note.data, note.len, &v, 1, &cp, &err), 0);
	buf_release(&note);
}
END_TEST

/* Cosignatures of C2SP (tlog-cosignature): Ed25519, ML-DSA-44, and what may
 * come. */
static const size_t cosignatures[] = { 8 + 64, 8 + 2420, 8 + 7856 };

START_TEST(witnesses_may_sign_as_well)
{
	static const uint8_t signature[KEY_ID_LEN + 8 + 7856] = { 7, 6, 5, 4 };
	const size_t n = sizeof(cosignatures) / sizeof(cosignatures[0]);
	struct buf note = BUF_INIT(NOTE_MAX);
	struct err err = ERR_INIT;
	struct checkpoint cp;
	struct verifier v;

	make("fra1", keys[_i].pem, "fra1/contoso/A", &note, &v);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(buf_adds(&note,
				     "\xe2\x80\x94 witness.example/w1 "),
		    0);
		ck_assert_int_eq(text_base64(&note, signature,
				     KEY_ID_LEN + cosignatures[i]),
		    0);
		ck_assert_int_eq(buf_adds(&note, "\n"), 0);
		ck_assert_msg(note_open(note.data, note.len, &v, 1, &cp,
				  &err) == 0,
		    "%zu bytes: %s", cosignatures[i], err.text);
		ck_assert_str_eq(cp.signer, "fra1");
	}
	buf_release(&note);
}
END_TEST

/* Every single changed byte must be noticed. */
START_TEST(altered_note_is_refused)
{
	struct buf note = BUF_INIT(NOTE_MAX);
	struct checkpoint cp;
	struct verifier v;

	make("fra1", keys[_i].pem, "fra1/contoso/A", &note, &v);
	for (size_t i = 0; i < note.len; i++) {
		struct err err = ERR_INIT;

		note.data[i] ^= 1;
		ck_assert_int_eq(note_open(note.data, note.len, &v, 1, &cp,
				     &err),
		    -1);
		ck_assert_str_ne(err.text, "");
		ck_assert_str_eq(cp.signer, "");
		note.data[i] ^= 1;
	}
	for (size_t len = 0; len < note.len; len++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(note_open(note.data, len, &v, 1, &cp, &err),
		    -1);
	}
	buf_release(&note);
}
END_TEST

START_TEST(other_key_is_refused)
{
	struct buf note = BUF_INIT(NOTE_MAX);
	struct buf pem = BUF_INIT(1000);
	struct buf other = BUF_INIT(NOTE_MAX);
	struct err err = ERR_INIT;
	struct checkpoint cp;
	struct verifier v[2];

	ck_assert_int_eq(signer_generate(key_kind(keys[_i].type), &pem, &err),
	    0);
	make("fra1", pem.data, "fra1/contoso/A", &other, &v[1]);
	make("fra1", keys[_i].pem, "fra1/contoso/A", &note, &v[0]);
	ck_assert_int_eq(note_open(other.data, other.len, v, 1, &cp, &err), -1);
	ck_assert_str_eq(err.text, "signed by none of the given keys");
	err_clear(&err);
	ck_assert_int_eq(note_open(other.data, other.len, v, 2, &cp, &err), 0);

	/* A signature by a stranger beside ours is passed over. */
	ck_assert_int_eq(buf_adds(&note, strstr(other.data, "\n\n") + 2), 0);
	ck_assert_int_eq(note_open(note.data, note.len, v, 1, &cp, &err), 0);
	ck_assert_int_eq(note_open(note.data, note.len, v, 2, &cp, &err), 0);
	buf_release(&note);
	buf_release(&other);
	buf_release(&pem);
}
END_TEST

START_TEST(malformed_notes)
{
	static const char *const bad[] = {
		"",
		"\n\n",
		"a\n1\nx\n",
		"a\n01\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
		"\xe2\x80\x94 a AAAAAAA=\n",
		"a\n1\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n",
		"a\n1\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
		"- a AAAAAAA=\n",
		"a\r\n1\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
		"\xe2\x80\x94 a AAAAAAA=\n",
		"\xff\n1\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
		"\xe2\x80\x94 a AAAAAAA=\n",
		"a\n18446744073709551616\n"
		"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
		"\xe2\x80\x94 a AAAAAAA=\n",
	};
	struct verifier v = { .any_name = true };
	struct checkpoint cp;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(note_open(bad[i], strlen(bad[i]), &v, 1, &cp,
				     &err),
		    -1);
		ck_assert_str_ne(err.text, "");
	}
}
END_TEST

START_TEST(verifier_keys)
{
	struct err err = ERR_INIT;
	struct verifier v;

	ck_assert_int_eq(verifier_parse("# kept by audit\n " GO_VKEY "\r\n", &v,
			     &err),
	    0);
	ck_assert_str_eq(v.name, "PeterNeumann");
	ck_assert_mem_eq(v.id, "\xc7\x4f\x20\xa3", 4);
	ck_assert_int_eq(verifier_parse("", &v, &err), -1);
	ck_assert_int_eq(verifier_parse("fra1+00000000+AR==", &v, &err), -1);
	ck_assert_int_eq(verifier_parse("-----BEGIN X-----\n", &v, &err), -1);
	/* The hash binds the name. */
	ck_assert_int_eq(verifier_parse("X" GO_VKEY, &v, &err), -1);
}
END_TEST

START_TEST(signers_that_can_not_be)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(signer_open("a b", RFC8032_KEY, &err));
	ck_assert_ptr_null(signer_open("a+b", RFC8032_KEY, &err));
	ck_assert_ptr_null(signer_open("", RFC8032_KEY, &err));
	ck_assert_ptr_null(signer_open("a", "no PEM", &err));
	ck_assert_ptr_null(signer_open("a", "file:/nonexistent", &err));
	ck_assert_str_ne(err.text, "");
	ck_assert(signer_is_uri("pkcs11:token=x"));
	ck_assert(!signer_is_uri("/etc/sealfeed/seal.pem"));
	ck_assert(!signer_is_uri(RFC8032_KEY));
}
END_TEST

/* The old key tells the new one; who trusts neither learns nothing. */
START_TEST(key_follows_key)
{
	struct buf pem = BUF_INIT(KEY_ROTATIONS_MAX);
	struct buf vkey = BUF_INIT(1000);
	struct err err = ERR_INIT;
	struct signer *old = signer_open("fra1", keys[_i % KEYS].pem, &err);
	struct signer *other = signer_open("fra2", keys[_i % KEYS].pem, &err);
	struct signer *next;
	struct verifier key;
	struct verifier got;
	struct slice rest;

	ck_assert_int_eq(signer_generate(&key_kinds[_i / KEYS], &pem, &err), 0);
	next = signer_open("fra1", pem.data, &err);
	ck_assert_str_eq(signer_rotations(next), "");
	ck_assert_int_eq(rotation_sign(other, next, &pem, &err), -1);
	err_clear(&err);
	ck_assert_int_eq(rotation_sign(old, next, &pem, &err), 0);
	signer_free(next);
	/* A reader of the file may have dropped the last LF. */
	pem.data[pem.len - 1] = '\0';
	next = signer_open("fra1", pem.data, &err);
	rest.data = signer_rotations(next);
	rest.len = strlen(rest.data);
	ck_assert_int_eq(verifier_parse(keys[_i % KEYS].public, &key, &err), 0);
	rest = rotation_next(&rest);
	ck_assert_int_eq(rotation_open(rest, &key, 1, &got, &err), 0);
	ck_assert_int_eq(signer_vkey(next, &vkey, &err), 0);
	ck_assert_int_eq(verifier_parse(vkey.data, &key, &err), 0);
	ck_assert(public_same(&got.key, &key.key));
	ck_assert_int_eq(rotation_open(rest, &key, 1, &got, &err), -1);
	signer_free(old);
	signer_free(other);
	signer_free(next);
	buf_release(&pem);
	buf_release(&vkey);
}
END_TEST

START_TEST(proof_round_trip)
{
	static const char two_keys[] =
	    "sealfeed next key\na\n\n\xe2\x80\x94 a AAAAAAA=\n"
	    "sealfeed next key\nb\n\n\xe2\x80\x94 a AAAAAAA=\n";
	struct digest *d = digest_new();
	struct merkle_range before;
	struct merkle_range after;
	struct buf out = BUF_INIT(PROOF_MAX);
	struct buf note = BUF_INIT(NOTE_MAX);
	struct buf check = BUF_INIT(100);
	const struct proof_parts parts = { .note = &note,
		.before = &before,
		.after = &after,
		.check = &check,
		.keys = two_keys };
	struct err err = ERR_INIT;
	struct proof p;

	merkle_range_init(&before, 0);
	merkle_append(d, &before, root);
	after = before;
	merkle_append(d, &after, root);
	merkle_append(d, &after, root);
	ck_assert_int_eq(buf_adds(&note, "a\nb \xe2\x80\x94\n"), 0);
	ck_assert_int_eq(buf_add(&check, "01234567", 8), 0);
	ck_assert_int_eq(proof_build(&out, &parts, &err), 0);
	ck_assert_ptr_eq(strstr(out.data, "{\"note\":\"a\\nb "), out.data);
	ck_assert_ptr_nonnull(strstr(out.data, ",\"from\":1,\"before\":[\""));
	proof_init(&p);
	ck_assert_int_eq(proof_parse(out.data, out.len, &p, &err), 0);
	ck_assert_str_eq(p.note.data, note.data);
	ck_assert_uint_eq(p.from, 1);
	ck_assert_uint_eq(p.before.len, DIGEST_LEN);
	ck_assert_mem_eq(p.before.data, root, DIGEST_LEN);
	ck_assert_uint_eq(p.after.len, 2 * DIGEST_LEN);
	ck_assert_mem_eq(p.after.data, after.node, 2 * DIGEST_LEN);
	ck_assert_str_eq(p.check.data, "01234567");
	ck_assert_str_eq(p.keys.data, two_keys);
	for (size_t len = 0; len < out.len; len++)
		ck_assert_int_eq(proof_parse(out.data, len, &p, &err), -1);
	proof_release(&p);
	buf_release(&out);
	buf_release(&note);
	buf_release(&check);
	digest_free(d);
}
END_TEST

Suite *
suite_note(void)
{
	Suite *s = suite_create("note");
	TCase *tc = tcase_create("note");

	tcase_add_loop_test(tc, what_is_signed_opens, 0, KEYS);
	tcase_add_loop_test(tc, bare_public_key_opens, 0, KEYS);
	tcase_add_loop_test(tc, witnesses_may_sign_as_well, 0, KEYS);
	tcase_add_loop_test(tc, altered_note_is_refused, 0, KEYS);
	tcase_add_loop_test(tc, other_key_is_refused, 0, KEYS);
	tcase_add_test(tc, malformed_notes);
	tcase_add_test(tc, verifier_keys);
	tcase_add_test(tc, signers_that_can_not_be);
	/* Each kind after each. */
	tcase_add_loop_test(tc, key_follows_key, 0, KEYS * KEYS);
	tcase_add_test(tc, proof_round_trip);
	suite_add_tcase(s, tc);
	return s;
}
