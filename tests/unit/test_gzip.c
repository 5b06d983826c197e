/*
 * test_gzip.c - joinable gzip members, with each library in both directions
 * and against readers that others wrote.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gunzip.h"
#include "base/gzip.h"
#include "base/gzip_private.h"
#include "tests/unit/unit.h"

#define MAX (8 << 20)

static const struct gzip_engine *const engines[] = {
	&gzip_zlib,
#ifdef HAVE_ISAL
	&gzip_isal,
#endif
};
#define ENGINES ((int)(sizeof(engines) / sizeof(engines[0])))

static struct gzip *g;     /* of the loop's engine */
static struct gzip *other; /* of the other one, if there is one */
static struct err err;
static struct buf data, packed, back;

static void
begin(int i)
{
	g = gzip_new_with(engines[i]);
	other = gzip_new_with(engines[(i + 1) % ENGINES]);
	err_clear(&err);
	buf_init(&data, MAX);
	buf_init(&packed, MAX);
	buf_init(&back, MAX);
}

static void
finish(void)
{
	gzip_free(g);
	gzip_free(other);
	buf_release(&data);
	buf_release(&packed);
	buf_release(&back);
}

/* Lines that pack like records do, different for each seed. */
static void
some_lines(struct buf *b, unsigned seed, size_t lines)
{
	uint64_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < lines; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		ck_assert_int_eq(buf_addf(b,
				     "{\"Id\":\"%016llx\",\"Operation\":"
				     "\"FileAccessed\",\"n\":%zu}\n",
				     (unsigned long long)x, i),
		    0);
	}
}

static void
assert_ok(int rc)
{
	ck_assert_msg(rc == 0, "%s", err.text);
}

static void
assert_back(const struct buf *expected)
{
	ck_assert_uint_eq(back.len, expected->len);
	if (expected->len > 0)
		ck_assert_mem_eq(back.data, expected->data, expected->len);
}

/* One member, with zlib's own reader; nothing may be behind it. */
static void
assert_one_member(const struct buf *expected)
{
	z_stream s = { .next_in = (Bytef *)packed.data,
		.avail_in = (uInt)packed.len };

	ck_assert_int_eq(inflateInit2(&s, 15 + 16), Z_OK);
	buf_clear(&back);
	ck_assert_ptr_nonnull(buf_room(&back, expected->len + 1));
	s.next_out = (Bytef *)back.data;
	s.avail_out = (uInt)expected->len + 1;
	ck_assert_int_eq(inflate(&s, Z_FINISH), Z_STREAM_END);
	ck_assert_uint_eq(s.avail_in, 0);
	back.len = expected->len + 1 - s.avail_out;
	ck_assert_int_eq(inflateEnd(&s), Z_OK);
	assert_back(expected);
}

/* gzip -t and zcat. */
static void
assert_gzip_command(const struct buf *expected)
{
	char path[] = "/tmp/sf-gzip-XXXXXX";
	char command[128];
	FILE *pipe;
	char *got = malloc(expected->len + 1);
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write_all(fd, packed.data, packed.len), 0);
	ck_assert_int_eq(close(fd), 0);
	(void)snprintf(command, sizeof(command), "gzip -t <%s && gzip -dc <%s",
	    path, path);
	pipe = popen(command, "r"); /* our own name, our own command */
	ck_assert_ptr_nonnull(pipe);
	ck_assert_uint_eq(fread(got, 1, expected->len + 1, pipe),
	    expected->len);
	ck_assert_int_eq(pclose(pipe), 0);
	ck_assert_mem_eq(got, expected->data, expected->len);
	ck_assert_int_eq(unlink(path), 0);
	free(got);
}

static void
assert_unpacks(const struct buf *expected)
{
	assert_one_member(expected);
	buf_clear(&back);
	assert_ok(gzip_unpack(g, packed.data, packed.len, &back, &err));
	assert_back(expected);
	buf_clear(&back);
	assert_ok(gzip_unpack(other, packed.data, packed.len, &back, &err));
	assert_back(expected);
}

START_TEST(packs_and_unpacks)
{
	static const size_t lines[] = { 1, 2, 10, 700, 14000 };

	begin(_i);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_clear(&data);
		buf_clear(&packed);
		some_lines(&data, (unsigned)i, lines[i]);
		assert_ok(gzip_pack(g, data.data, data.len, &packed, &err));
		assert_unpacks(&data);
		assert_gzip_command(&data);
		ck_assert_uint_lt(packed.len, data.len + 64);
	}
	finish();
}
END_TEST

START_TEST(packs_nothing)
{
	begin(_i);
	assert_ok(gzip_pack(g, NULL, 0, &packed, &err));
	ck_assert_int_eq(buf_adds(&data, ""), 0);
	assert_unpacks(&data);
	assert_gzip_command(&data);
	finish();
}
END_TEST

START_TEST(packs_noise)
{
	uint32_t x = 1;

	begin(_i);
	for (unsigned i = unit_rounds(300000); i > 0; i--) {
		x = x * 1664525 + 1013904223;
		ck_assert_int_eq(buf_add(&data, (uint8_t *)&x + 3, 1), 0);
	}
	assert_ok(gzip_pack(g, data.data, data.len, &packed, &err));
	assert_unpacks(&data);
	finish();
}
END_TEST

static void
join(size_t members)
{
	struct buf part = BUF_INIT(MAX), one = BUF_INIT(MAX);

	for (size_t i = 0; i < members; i++) {
		buf_clear(&part);
		buf_clear(&one);
		/* Every fourth is empty, and libraries take turns. */
		some_lines(&part, (unsigned)i, i % 4 == 3 ? 0 : 5 * i + 1);
		assert_ok(gzip_pack(i % 3 == 2 ? other : g, part.data, part.len,
		    &one, &err));
		ck_assert_int_eq(buf_add(&data, part.data, part.len), 0);
		assert_ok(gzip_join(&packed, one.data, one.len, &err));
	}
	buf_release(&part);
	buf_release(&one);
}

START_TEST(members_join_into_one)
{
	static const size_t members[] = { 1, 2, 4, 50 };

	begin(_i);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buf_clear(&data);
		buf_clear(&packed);
		join(members[i]);
		assert_unpacks(&data);
		assert_gzip_command(&data);
	}
	finish();
}
END_TEST

START_TEST(empty_members_join)
{
	struct buf one = BUF_INIT(100);

	begin(_i);
	ck_assert_int_eq(buf_adds(&data, ""), 0);
	assert_ok(gzip_pack(g, "", 0, &one, &err));
	for (int i = 0; i < 3; i++)
		assert_ok(gzip_join(&packed, one.data, one.len, &err));
	assert_unpacks(&data);
	buf_release(&one);
	finish();
}
END_TEST

START_TEST(joined_members_join_again)
{
	struct buf first = BUF_INIT(MAX), all = BUF_INIT(MAX);

	begin(_i);
	join(3);
	ck_assert_int_eq(buf_add(&first, packed.data, packed.len), 0);
	ck_assert_int_eq(buf_add(&all, data.data, data.len), 0);
	ck_assert_int_eq(buf_add(&all, data.data, data.len), 0);
	assert_ok(gzip_join(&packed, first.data, first.len, &err));
	assert_unpacks(&all);
	buf_release(&first);
	buf_release(&all);
	finish();
}
END_TEST

/* What gzip(1) would write: name in the header, ordinary final block. */
static void
foreign_member(struct buf *out, const struct buf *in)
{
	gz_header head = { .name = (Bytef *)(char[]){ "name" },
		.comment = (Bytef *)(char[]){ "comment" },
		.extra = (Bytef *)(char[]){ "abcd" },
		.extra_len = 4,
		.hcrc = 1 };
	z_stream s = { .next_in = (Bytef *)in->data,
		.avail_in = (uInt)in->len };
	char *to = buf_room(out, in->len + 1000);

	ck_assert_int_eq(deflateInit2(&s, 6, Z_DEFLATED, 15 + 16, 8,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	ck_assert_int_eq(deflateSetHeader(&s, &head), Z_OK);
	s.next_out = (Bytef *)to;
	s.avail_out = (uInt)in->len + 1000;
	ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
	out->len += in->len + 1000 - s.avail_out;
	ck_assert_int_eq(deflateEnd(&s), Z_OK);
}

START_TEST(members_of_others_unpack)
{
	struct buf part = BUF_INIT(MAX);

	begin(_i);
	for (unsigned i = 0; i < 5; i++) {
		buf_clear(&part);
		some_lines(&part, i, 1000 * i + 1);
		foreign_member(&packed, &part);
		ck_assert_int_eq(buf_add(&data, part.data, part.len), 0);
	}
	assert_ok(gzip_unpack(g, packed.data, packed.len, &back, &err));
	assert_back(&data);
	buf_release(&part);
	finish();
}
END_TEST

START_TEST(members_of_others_do_not_join)
{
	struct buf foreign = BUF_INIT(MAX);

	begin(_i);
	some_lines(&data, 1, 10);
	foreign_member(&foreign, &data);
	ck_assert_int_eq(gzip_join(&packed, foreign.data, foreign.len, &err),
	    -1);
	ck_assert_uint_eq(packed.len, 0);
	assert_ok(gzip_pack(g, data.data, data.len, &packed, &err) == 0 ? 0
									: -1);
	err_clear(&err);
	ck_assert_int_eq(gzip_join(&foreign, packed.data, packed.len, &err),
	    -1);
	buf_release(&foreign);
	finish();
}
END_TEST

START_TEST(damage_is_found)
{
	begin(_i);
	some_lines(&data, 1, 20);
	foreign_member(&packed, &data);
	/* Cut off anywhere. */
	for (size_t len = 0; len < packed.len; len++) {
		err_clear(&err);
		buf_clear(&back);
		ck_assert_int_eq(buf_adds(&back, "before"), 0);
		ck_assert_int_eq(gzip_unpack(g, packed.data, len, &back, &err),
		    -1);
		ck_assert_str_eq(back.data, "before");
		ck_assert_str_ne(err.text, "");
	}
	/* Any bit of the two checks. */
	for (size_t bit = 0; bit < 64; bit++) {
		char *at = packed.data + packed.len - 8 + bit / 8;

		*at = (char)(*at ^ (1 << bit % 8));
		ck_assert_int_eq(gzip_unpack(g, packed.data, packed.len, &back,
				     &err),
		    -1);
		*at = (char)(*at ^ (1 << bit % 8));
	}
	err_clear(&err);
	ck_assert_int_eq(buf_adds(&packed, "x"), 0);
	ck_assert_int_eq(gzip_unpack(g, packed.data, packed.len, &back, &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(err.text, "after its end"));
	finish();
}
END_TEST

/* Whatever is in the bytes: an error or the data, and never a crash. */
START_TEST(any_flipped_byte_is_survived)
{
	begin(_i);
	some_lines(&data, 1, 20);
	assert_ok(gzip_pack(g, data.data, data.len, &packed, &err));
	for (size_t i = 10; i < packed.len; i++) {
		char was = packed.data[i];
		int rc;

		packed.data[i] = (char)~was;
		buf_clear(&back);
		rc = gzip_unpack(g, packed.data, packed.len, &back, &err);
		ck_assert(rc == -1);
		packed.data[i] = was;
	}
	finish();
}
END_TEST

START_TEST(bombs_stop_at_the_ceiling)
{
	struct buf zeros = BUF_INIT(4 << 20);
	struct buf small = BUF_INIT(10000);
	char *to;

	begin(_i);
	to = buf_room(&zeros, 4 << 20);
	ck_assert_ptr_nonnull(to);
	memset(to, 0, 4 << 20);
	zeros.len = 4 << 20;
	assert_ok(gzip_pack(g, zeros.data, zeros.len, &packed, &err));
	ck_assert_int_eq(gzip_unpack(g, packed.data, packed.len, &small, &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(err.text, "more than 10000 bytes"));
	ck_assert_uint_le(small.size, 10001);
	ck_assert_uint_eq(small.len, 0);
	/* A lying trailer reserves nothing much. */
	memset(packed.data + packed.len - 4, 0x7f, 4);
	ck_assert_int_eq(gzip_unpack(g, packed.data, packed.len, &back, &err),
	    -1);
	buf_release(&zeros);
	buf_release(&small);
	finish();
}
END_TEST

START_TEST(a_ceiling_that_just_fits_is_enough)
{
	struct buf exact = BUF_INIT(0);

	begin(_i);
	some_lines(&data, 1, 2000);
	assert_ok(gzip_pack(g, data.data, data.len, &packed, &err));
	exact.ceiling = data.len;
	assert_ok(gzip_unpack(g, packed.data, packed.len, &exact, &err));
	ck_assert_uint_eq(exact.len, data.len);
	buf_release(&exact);
	exact.ceiling = data.len - 1;
	ck_assert_int_eq(gzip_unpack(g, packed.data, packed.len, &exact, &err),
	    -1);
	buf_release(&exact);
	err_clear(&err);
	exact.ceiling = packed.len - 1;
	ck_assert_int_eq(gzip_pack(g, data.data, data.len, &exact, &err), -1);
	ck_assert_uint_eq(exact.len, 0);
	buf_release(&exact);
	exact.ceiling = packed.len;
	err_clear(&err);
	assert_ok(gzip_pack(g, data.data, data.len, &exact, &err));
	buf_release(&exact);
	finish();
}
END_TEST

START_TEST(the_library_has_a_name)
{
	ck_assert(strncmp(gzip_library(), "zlib 1.", 7) == 0 ||
	    strncmp(gzip_library(), "ISA-L 2.", 8) == 0);
}
END_TEST

static int
keep(void *ctx, const char *bytes, size_t len, struct err *why)
{
	(void)ctx;
	return buf_add(&back, bytes, len) == 0 ? 0 : err_set(why, "full");
}

/* Unpack the first len bytes of packed, so many at a time. */
static int
stream(struct gunzip *u, size_t len, size_t step)
{
	int rc = 0;

	err_clear(&err);
	buf_clear(&back);
	gunzip_begin(u, keep, NULL);
	for (size_t at = 0; at < len && rc == 0; at += step)
		rc = gunzip_push(u, packed.data + at,
		    len - at < step ? len - at : step, &err);
	return rc != 0 ? rc : gunzip_end(u, &err);
}

START_TEST(a_stream_is_unpacked_while_it_comes)
{
	static const size_t steps[] = { 1, 7, 4096, 16384, MAX };
	struct gunzip *u = gunzip_new();
	size_t one;

	begin(0);
	some_lines(&data, 1, 3000);
	assert_ok(gzip_pack(g, data.data, data.len, &packed, &err));
	one = packed.len;
	assert_ok(gzip_pack(g, data.data, data.len, &packed, &err));
	assert_ok(stream(u, 0, 1));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_ok(stream(u, packed.len, steps[i]));
		ck_assert_uint_eq(back.len, 2 * data.len);
		ck_assert(memcmp(back.data, data.data, data.len) == 0);
		ck_assert(memcmp(back.data + data.len, data.data, data.len) ==
		    0);
		assert_ok(stream(u, one, steps[i]));
		assert_back(&data);
	}
	for (size_t len = 1; len < one; len += len < 40 ? 1 : one / 50)
		ck_assert_int_eq(stream(u, len, 16384), -1);
	ck_assert_int_eq(stream(u, one - 1, 16384), -1);
	ck_assert_int_eq(stream(u, one + 1, 16384), -1);
	packed.data[one - 6] ^= 1; /* of the checksum */
	ck_assert_int_eq(stream(u, one, 16384), -1);
	gunzip_free(u);
	finish();
}
END_TEST

Suite *
suite_gzip(void)
{
	Suite *s = suite_create("gzip");
	TCase *tc = tcase_create("gzip");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, packs_and_unpacks, 0, ENGINES);
	tcase_add_loop_test(tc, packs_nothing, 0, ENGINES);
	tcase_add_loop_test(tc, packs_noise, 0, ENGINES);
	tcase_add_loop_test(tc, members_join_into_one, 0, ENGINES);
	tcase_add_loop_test(tc, empty_members_join, 0, ENGINES);
	tcase_add_loop_test(tc, joined_members_join_again, 0, ENGINES);
	tcase_add_loop_test(tc, members_of_others_unpack, 0, ENGINES);
	tcase_add_loop_test(tc, members_of_others_do_not_join, 0, ENGINES);
	tcase_add_loop_test(tc, damage_is_found, 0, ENGINES);
	tcase_add_loop_test(tc, any_flipped_byte_is_survived, 0, ENGINES);
	tcase_add_loop_test(tc, bombs_stop_at_the_ceiling, 0, ENGINES);
	tcase_add_loop_test(tc, a_ceiling_that_just_fits_is_enough, 0, ENGINES);
	tcase_add_test(tc, a_stream_is_unpacked_while_it_comes);
	tcase_add_test(tc, the_library_has_a_name);
	suite_add_tcase(s, tc);
	return s;
}
