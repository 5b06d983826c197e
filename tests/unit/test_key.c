/*
 * test_key.c - ECDSA keys and signatures, as notes have them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "evidence/key.h"
#include "evidence/note.h"
#include "tests/unit/unit.h"

/* The log of Sigstore's Rekor, and a checkpoint that it published. */
#define REKOR_KEY                                                \
	"AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBo" \
	"gSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP" \
	"22Ni4Qt9DPfkWLc="
#define REKOR_VKEY "rekor.sigstore.dev+c0d23d6a+" REKOR_KEY
#define REKOR_NOTE                                                      \
	"Rekor\n798034\n"                                               \
	"f+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\n\n"              \
	"\xe2\x80\x94 rekor.sigstore.dev wNI9ajBEAiARInWIWyCdyG27CO6LP" \
	"nPekyw20qO0YJfoaPaowGp/XgIgc+qEHS3+GKVClgqq20uDLet7MCoTURUCRd" \
	"xwWBHHufk=\n"

START_TEST(what_others_sign_opens)
{
	struct err err = ERR_INIT;
	struct checkpoint cp;
	struct verifier v;

	ck_assert_int_eq(verifier_parse(REKOR_VKEY, &v, &err), 0);
	ck_assert_int_eq(note_open(REKOR_NOTE, strlen(REKOR_NOTE), &v, 1, &cp,
			     &err),
	    0);
	ck_assert_str_eq(cp.signer, "rekor.sigstore.dev");
	ck_assert_uint_eq(cp.size, 798034);
}
END_TEST

/* RFC 6979 section A.2.5, "With SHA-256, message = "sample"", whose s is the
 * larger one of the two. */
static const char point[] =
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
#define R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
#define LOW "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define HALF "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8"
#define MORE "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9"

static size_t
from_hex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static struct public_key
rfc6979(void)
{
	struct public_key p;
	uint8_t xy[2 * KEY_NUMBER];

	ck_assert_uint_eq(from_hex(point, xy), sizeof(xy));
	public_p256(&p, xy, xy + KEY_NUMBER);
	return p;
}

/* OpenSSL's DER of two numbers. */
static struct signature
der(const char *r, const char *s)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *number[2] = { NULL, NULL };
	struct signature out;
	uint8_t *at = out.data;
	int len;

	ck_assert_int_gt(BN_hex2bn(&number[0], r), 0);
	ck_assert_int_gt(BN_hex2bn(&number[1], s), 0);
	ck_assert_int_eq(ECDSA_SIG_set0(sig, number[0], number[1]), 1);
	len = i2d_ECDSA_SIG(sig, &at);
	ck_assert_int_gt(len, 0);
	out.len = (size_t)len;
	ECDSA_SIG_free(sig);
	return out;
}

static bool
is_good(const struct signature *s)
{
	const struct public_key p = rfc6979();

	return public_check(&p, s->data, s->len, "sample", 6);
}

START_TEST(a_signature_has_one_form)
{
	const struct public_key p = rfc6979();
	struct signature high = der(R, S), low = der(R, LOW);

	ck_assert(is_good(&low));
	/* As good for anyone else, and yet another one. */
	ck_assert(!is_good(&high));
	ck_assert_int_eq(public_tidy(&p, &high), 0);
	ck_assert_uint_eq(high.len, low.len);
	ck_assert_mem_eq(high.data, low.data, low.len);
	ck_assert_int_eq(public_tidy(&p, &low), 0);
	ck_assert_mem_eq(high.data, low.data, low.len);
	low.data[low.len - 1] ^= 1;
	ck_assert(!is_good(&low));
}
END_TEST

/* What public_tidy() says of two numbers: -1, or whether it changed s. */
static const struct {
	const char *r, *s;
	int rc;
	bool changes;
} numbers[] = {
	{ R, "1", 0, false },
	{ R, HALF, 0, false },
	{ R, MORE, 0, true },
	{ R, "0", -1, false },
	{ R, ORDER, -1, false },
	{ R, ORDER "00", -1, false },
	{ "1", "1", 0, false },
};

START_TEST(numbers_of_a_signature)
{
	const struct public_key p = rfc6979();
	struct signature s = der(numbers[_i].r, numbers[_i].s), was = s;

	ck_assert_int_eq(public_tidy(&p, &s), numbers[_i].rc);
	if (numbers[_i].rc == 0)
		ck_assert((s.len != was.len ||
			      memcmp(s.data, was.data, s.len) != 0) ==
		    numbers[_i].changes);
	ck_assert(!is_good(&was));
}
END_TEST

/* Other bytes for the numbers of a good signature: LOW has a high byte of 08,
 * R one of ef, before which DER has a zero. */
static const char *const encodings[] = {
	"",
	"30",
	"3000",
	/* a byte behind it, and one inside */
	"3045022100" R "0220" LOW "00",
	"3046022100" R "0220" LOW "00",
	/* lengths in a longer form, or without one */
	"308145022100" R "0220" LOW,
	"304602812100" R "0220" LOW,
	"3080022100" R "0220" LOW "0000",
	/* zeros too many, and one too few: a negative number */
	"304602220000" R "0220" LOW,
	"3046022100" R "022100" LOW,
	"30440220" R "0220" LOW,
	/* cut off */
	"3045022100" R "0220",
	"3045022100" R,
	"3044022100" R "0220" LOW,
	/* other types */
	"3145022100" R "0220" LOW,
	"3045032100" R "0220" LOW,
	/* the numbers without DER, as JOSE has them */
	R LOW,
};

START_TEST(other_encodings_are_refused)
{
	const struct public_key p = rfc6979();
	uint8_t bytes[256];
	size_t n;

	ck_assert_uint_lt(strlen(encodings[_i]), 2 * sizeof(bytes));
	n = from_hex(encodings[_i], bytes);
	ck_assert(!public_check(&p, bytes, n, "sample", 6));
	/* The right one, in the same way. */
	n = from_hex("3045022100" R "0220" LOW, bytes);
	ck_assert(public_check(&p, bytes, n, "sample", 6));
}
END_TEST

START_TEST(long_signatures_are_refused)
{
	const struct public_key p = rfc6979();
	uint8_t bytes[65536] = { 0x30, 0x82, 0xff, 0xfc, 0x02, 0x82, 0x7f,
		0xff };

	ck_assert(!public_check(&p, bytes, sizeof(bytes), "sample", 6));
}
END_TEST

/* Verifier keys: those that are none. */
static const char *const vkeys[] = {
	/* another hash, the hash of the other type, another name's */
	"fra1+5a7a78cd+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGD+1LolWp0xyWHrdMY1"
	"bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk=",
	/* a point that is not on the curve */
	"fra1+00000000+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGD+1LolWp0xyWHrdMY1"
	"bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpg=",
	/* type 1, and none */
	"fra1+5a7a78cc+ATBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGD+1LolWp0xyWHrdMY1"
	"bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk=",
	"fra1+5a7a78cc+MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVt"
	"aMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==",
	/* the compressed point, and an end that is cut off */
	"fra1+43c0a6b1+AjA5MBMGByqGSM49AgEGCCqGSM49AwEHAyIAA2D+1LolWp0xyWHrdMY1"
	"bWjASbiSO2H6bOZpYi5g8p+2",
	"fra1+5a7a78cc+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGD+1LolWp0xyWHrdMY1"
	"bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRG",
};
#define GOOD_VKEY                                                          \
	"fra1+5a7a78cc+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGD+1LolWp0xyW" \
	"HrdMY1bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6" \
	"PClNRGIpk="

START_TEST(verifier_keys_that_are_none)
{
	struct err err = ERR_INIT;
	struct verifier v;

	ck_assert_int_eq(verifier_parse(vkeys[_i], &v, &err), -1);
	ck_assert_str_ne(err.text, "");
}
END_TEST

START_TEST(a_verifier_key)
{
	const struct public_key p = rfc6979();
	struct err err = ERR_INIT;
	struct verifier v;

	ck_assert_int_eq(verifier_parse(GOOD_VKEY, &v, &err), 0);
	ck_assert_str_eq(v.name, "fra1");
	ck_assert_int_eq(v.key.type, KEY_ECDSA);
	ck_assert(public_same(&v.key, &p));
}
END_TEST

/* Keys of OpenSSL's that sign no notes: what it makes, and what is said. */
static const struct {
	const char *algorithm, *group, *why;
} others[] = {
	{ "EC", "P-384", "another curve than P-256" },
	{ "EC", "secp256k1", "another curve than P-256" },
	{ "ED448", NULL, "neither an Ed25519 key nor" },
	{ "X25519", NULL, "neither an Ed25519 key nor" },
};

START_TEST(keys_of_other_kinds)
{
	const struct key_kind kind = { .algorithm = others[_i].algorithm,
		.group = others[_i].group };
	struct buf pem = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct verifier v;

	ck_assert_int_eq(signer_generate(&kind, &pem, &err), 0);
	ck_assert_ptr_null(signer_open("fra1", pem.data, &err));
	ck_assert_msg(strstr(err.text, others[_i].why) != NULL, "%s", err.text);
	err_clear(&err);
	ck_assert_int_eq(verifier_parse(pem.data, &v, &err), -1);
	ck_assert_msg(strstr(err.text, others[_i].why) != NULL, "%s", err.text);
	buf_release(&pem);
}
END_TEST

/* The key of RFC 6979 with three bits of its number changed. */
START_TEST(halves_of_two_keys)
{
	static const char pem[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
	    "Z7HWk05Q2w6s9JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
	    "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
	    "-----END PRIVATE KEY-----\n";
	struct err err = ERR_INIT;

	ck_assert_ptr_null(signer_open("fra1", pem, &err));
	ck_assert_msg(strstr(err.text, "do not belong together") != NULL, "%s",
	    err.text);
}
END_TEST

/* Texts that hold no key which can be used: each says why, in words. */
static const struct {
	const char *text, *why;
} no_keys[] = {
	{ "", "no private key is in it, which begins with a line" },
	{ "-----BEGIN CERTIFICATE-----\nMIGH\n-----END CERTIFICATE-----\n",
	    "no private key is in it, which begins with a line" },
	{ "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n",
	    "the private key in it is cut off or damaged (" },
	{ "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
	    "the private key in it is cut off or damaged (" },
	{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	  "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCsKRMwhqxUgLzwC7k4\n"
	  "-----END ENCRYPTED PRIVATE KEY-----\n",
	    "the private key in it is encrypted with a passphrase" },
	{ "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	  "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
	  "MIGHAgEAMBMGByqGSM49\n-----END EC PRIVATE KEY-----\n",
	    "the private key in it is encrypted with a passphrase" },
	{ "nobody:knows", "OpenSSL finds no private key by this URI (" },
	{ "file:/nonexistent/key", "(No such file or directory)" },
};

START_TEST(why_there_is_no_key)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(signer_open("fra1", no_keys[_i].text, &err));
	ck_assert_msg(strstr(err.text, no_keys[_i].why) != NULL, "%s",
	    err.text);
	ck_assert_msg(strstr(err.text, "error:") == NULL, "%s", err.text);
}
END_TEST

START_TEST(why_there_is_no_verifier)
{
	struct err err = ERR_INIT;
	struct verifier v;

	ck_assert_int_eq(verifier_parse("-----BEGIN PUBLIC KEY-----\nMCow\n"
					"-----END PUBLIC KEY-----\n",
			     &v, &err),
	    -1);
	ck_assert_msg(strstr(err.text,
			  "the public key in it is cut off or damaged (") !=
		NULL,
	    "%s", err.text);
	ck_assert_msg(strstr(err.text, "error:") == NULL, "%s", err.text);
}
END_TEST

/* The setting's file is named. */
START_TEST(a_key_by_its_setting)
{
	char path[] = "/tmp/sealfeed-test-key-XXXXXX";
	struct err err = ERR_INIT;
	int fd = mkstemp(path);

	ck_assert_int_eq((int)write(fd, "nothing\n", 8), 8);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_ptr_null(signer_load("fra1", path, &err));
	ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0 &&
		strstr(err.text, ": no private key is in it") != NULL,
	    "%s", err.text);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* What a signer makes is tidy every time, whatever chance gives it. */
START_TEST(every_signature_is_tidy)
{
	struct buf pem = BUF_INIT(4096), vkey = BUF_INIT(1000);
	struct err err = ERR_INIT;
	struct signature s;
	struct signer *signer;
	struct verifier v;

	ck_assert_int_eq(signer_generate(key_kind(KEY_ECDSA), &pem, &err), 0);
	signer = signer_open("fra1", pem.data, &err);
	ck_assert_int_eq(signer_vkey(signer, &vkey, &err), 0);
	ck_assert_int_eq(verifier_parse(vkey.data, &v, &err), 0);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(signer_sign(signer, pem.data, pem.len, &s,
				     &err),
		    0);
		ck_assert(verifier_check(&v, s.data, s.len, pem.data, pem.len));
		s.data[s.len / 2] ^= 1;
		ck_assert(!verifier_check(&v, s.data, s.len, pem.data,
		    pem.len));
	}
	signer_free(signer);
	buf_release(&pem);
	buf_release(&vkey);
}
END_TEST

/* A key that is elsewhere, by its text. */
static const struct {
	const char *text;
	bool elsewhere;
} places[] = {
	{ "handle:0x81000001", true },
	{ "handle:0x81000001\nsealfeed next key\n", true },
	{ "pkcs11:token=audit;object=seal", true },
	{ "-----BEGIN TSS2 PRIVATE KEY-----\n", true },
	{ "-----BEGIN PRIVATE KEY-----\n", false },
	{ "/etc/sealfeed/seal.pem", false },
	{ "", false },
};

START_TEST(keys_that_are_elsewhere)
{
	ck_assert(signer_is_elsewhere(places[_i].text) == places[_i].elsewhere);
}
END_TEST

#define LOOP(test, table)                \
	tcase_add_loop_test(tc, test, 0, \
	    (int)(sizeof(table) / sizeof((table)[0])))

Suite *
suite_key(void)
{
	Suite *s = suite_create("key");
	TCase *tc = tcase_create("key");

	tcase_add_test(tc, what_others_sign_opens);
	tcase_add_test(tc, a_signature_has_one_form);
	LOOP(numbers_of_a_signature, numbers);
	LOOP(other_encodings_are_refused, encodings);
	tcase_add_test(tc, long_signatures_are_refused);
	LOOP(verifier_keys_that_are_none, vkeys);
	tcase_add_test(tc, a_verifier_key);
	LOOP(keys_of_other_kinds, others);
	tcase_add_test(tc, halves_of_two_keys);
	LOOP(why_there_is_no_key, no_keys);
	tcase_add_test(tc, why_there_is_no_verifier);
	tcase_add_test(tc, a_key_by_its_setting);
	tcase_add_test(tc, every_signature_is_tidy);
	LOOP(keys_that_are_elsewhere, places);
	suite_add_tcase(s, tc);
	return s;
}
