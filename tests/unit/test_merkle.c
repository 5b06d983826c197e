/*
 * test_merkle.c - SHA-256, and the tree of RFC 6962 against its definition.
 */
#include <string.h>

#include "base/digest.h"
#include "base/merkle.h"
#include "base/text.h"
#include "tests/unit/unit.h"

#define MAX 130

/* Leaf i of the trees below: its index, as one byte, i times. */
static uint8_t leaves[MAX][DIGEST_LEN];
static struct digest *d;

static void
setup(void)
{
	uint8_t data[MAX];

	d = digest_new();
	for (size_t i = 0; i < MAX; i++) {
		memset(data, (int)i, sizeof(data));
		merkle_leaf(d, data, i, leaves[i]);
	}
}

static void
teardown(void)
{
	digest_free(d);
}

/* MTH(D[first:first + n]) as RFC 6962 section 2.1 defines it. */
static void
naive(size_t first, size_t n, uint8_t out[DIGEST_LEN])
{
	uint8_t pair[2][DIGEST_LEN];
	size_t k = 1;

	if (n == 0) {
		digest_sha256(d, NULL, 0, NULL, 0, out);
		return;
	}
	if (n == 1) {
		memcpy(out, leaves[first], DIGEST_LEN);
		return;
	}
	while (2 * k < n)
		k *= 2;
	naive(first, k, pair[0]);
	naive(first + k, n - k, pair[1]);
	digest_sha256(d, "\x01", 1, pair, sizeof(pair), out);
}

static void
fill(struct merkle_range *r, size_t first, size_t end)
{
	merkle_range_init(r, first);
	for (size_t i = first; i < end; i++)
		merkle_append(d, r, leaves[i]);
	ck_assert_uint_eq(r->end, end);
	ck_assert_uint_eq(r->n, merkle_count(first, end));
}

static void
assert_root(const struct merkle_range *r, size_t n)
{
	uint8_t root[DIGEST_LEN], expected[DIGEST_LEN];

	merkle_root(d, r, root);
	naive(0, n, expected);
	ck_assert_mem_eq(root, expected, DIGEST_LEN);
}

START_TEST(sha256)
{
	uint8_t out[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];

	/* FIPS 180-2 appendix B.1 */
	digest_sha256(d, "a", 1, "bc", 2, out);
	text_hex(hex, out, sizeof(out));
	ck_assert_str_eq(hex,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	digest_sha256(d, NULL, 0, "abc", 3, out);
	text_hex(hex, out, sizeof(out));
	ck_assert_str_eq(hex,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(append_is_the_definition)
{
	struct merkle_range r;

	merkle_range_init(&r, 0);
	assert_root(&r, 0);
	for (size_t i = 0; i < MAX; i++) {
		merkle_append(d, &r, leaves[i]);
		assert_root(&r, i + 1);
	}
}
END_TEST

START_TEST(any_two_parts_join)
{
	struct merkle_range left, right, whole;

	for (size_t n = 0; n <= unit_rounds(MAX); n++) {
		fill(&whole, 0, n);
		for (size_t split = 0; split <= n; split++) {
			fill(&left, 0, split);
			fill(&right, split, n);
			ck_assert_int_eq(merkle_join(d, &left, &right), 0);
			ck_assert_uint_eq(left.end, n);
			ck_assert_uint_eq(left.n, whole.n);
			ck_assert_mem_eq(left.node, whole.node,
			    whole.n * DIGEST_LEN);
		}
		assert_root(&left, n);
	}
}
END_TEST

START_TEST(parts_in_the_middle_join)
{
	struct merkle_range left, right, whole, joined;

	for (size_t first = 0; first < 40; first++) {
		fill(&whole, first, 101);
		merkle_range_init(&left, first);
		for (size_t split = first; split < 80; split++) {
			fill(&right, split, 101);
			joined = left;
			ck_assert_int_eq(merkle_join(d, &joined, &right), 0);
			ck_assert_uint_eq(joined.n, whole.n);
			ck_assert_mem_eq(joined.node, whole.node,
			    whole.n * DIGEST_LEN);
			merkle_append(d, &left, leaves[split]);
		}
	}
}
END_TEST

START_TEST(parts_with_a_hole_do_not_join)
{
	struct merkle_range left, right;

	fill(&left, 0, 5);
	fill(&right, 6, 9);
	ck_assert_int_eq(merkle_join(d, &left, &right), -1);
	ck_assert_uint_eq(left.end, 5);
}
END_TEST

START_TEST(stored_nodes_load)
{
	struct merkle_range r, back;

	fill(&r, 3, 100);
	ck_assert_int_eq(merkle_load(&back, 3, 100, r.node, r.n * DIGEST_LEN),
	    0);
	ck_assert_uint_eq(back.n, r.n);
	ck_assert_mem_eq(back.node, r.node, r.n * DIGEST_LEN);
	ck_assert_int_eq(merkle_load(&back, 3, 100, r.node,
			     r.n * DIGEST_LEN - 1),
	    -1);
	ck_assert_int_eq(merkle_load(&back, 3, 104, r.node,
			     (r.n + 1) * DIGEST_LEN),
	    -1);
	ck_assert_int_eq(merkle_load(&back, 4, 3, r.node, 0), -1);
	ck_assert_int_eq(merkle_load(&back, 0, UINT64_MAX, r.node, 0), -1);
	ck_assert_int_eq(merkle_load(&back, 7, 7, NULL, 0), 0);
}
END_TEST

START_TEST(large_trees_fit)
{
	struct merkle_range r;
	uint8_t nodes[MERKLE_NODES][DIGEST_LEN] = { { 0 } };
	size_t n = merkle_count(1, MERKLE_MAX - 1);

	ck_assert_uint_eq(n, 122);
	ck_assert_int_eq(merkle_load(&r, 1, MERKLE_MAX - 1, nodes,
			     n * DIGEST_LEN),
	    0);
	merkle_append(d, &r, leaves[0]);
	ck_assert_uint_eq(r.n, merkle_count(1, MERKLE_MAX));
}
END_TEST

/* The inputs and roots that Certificate Transparency's own tests use. */
START_TEST(certificate_transparency_vectors)
{
	static const struct {
		const char *data;
		size_t len;
		const char *root;
	} rows[] = {
		{ "", 0,
		    "6e340b9cffb37a989ca544e6bb780a2c"
		    "78901d3fb33738768511a30617afa01d" },
		{ "\x00", 1,
		    "fac54203e7cc696cf0dfcb42c92a1d9d"
		    "baf70ad9e621f4bd8d98662f00e3c125" },
		{ "\x10", 1,
		    "aeb6bcfe274b70a14fb067a5e5578264"
		    "db0fa9b51af5e0ba159158f329e06e77" },
		{ "\x20\x21", 2,
		    "d37ee418976dd95753c1c73862b9398f"
		    "a2a2cf9b4ff0fdfe8b30cd95209614b7" },
		{ "\x30\x31", 2,
		    "4e3bbb1f7b478dcfe71fb631631519a3"
		    "bca12c9aefca1612bfce4c13a86264d4" },
		{ "\x40\x41\x42\x43", 4,
		    "76e67dadbcdf1e10e1b74ddc608abd2f"
		    "98dfb16fbce75277b5232a127f2087ef" },
		{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8,
		    "ddb89be403809e325750d3d263cd7892"
		    "9c2942b7942a34b77e122c9594a74c8c" },
		{ "\x60\x61\x62\x63\x64\x65\x66\x67"
		  "\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
		    16,
		    "5dc9da79a70659a9ad559cb701ded9a2"
		    "ab9d823aad2f4960cfe370eff4604328" },
	};
	uint8_t leaf[DIGEST_LEN], root[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];
	struct merkle_range r;

	merkle_range_init(&r, 0);
	merkle_root(d, &r, root);
	text_hex(hex, root, sizeof(root));
	ck_assert_str_eq(hex,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		merkle_leaf(d, rows[i].data, rows[i].len, leaf);
		merkle_append(d, &r, leaf);
		merkle_root(d, &r, root);
		text_hex(hex, root, sizeof(root));
		ck_assert_str_eq(hex, rows[i].root);
	}
}
END_TEST

Suite *
suite_merkle(void)
{
	Suite *s = suite_create("merkle");
	TCase *tc = tcase_create("merkle");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sha256);
	tcase_add_test(tc, append_is_the_definition);
	tcase_add_test(tc, any_two_parts_join);
	tcase_add_test(tc, parts_in_the_middle_join);
	tcase_add_test(tc, parts_with_a_hole_do_not_join);
	tcase_add_test(tc, stored_nodes_load);
	tcase_add_test(tc, large_trees_fit);
	tcase_add_test(tc, certificate_transparency_vectors);
	suite_add_tcase(s, tc);
	return s;
}
