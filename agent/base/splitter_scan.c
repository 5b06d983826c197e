/*
 * splitter_scan.c - which bytes of a block the splitter has to look at: with
 * AVX2, with SSE2, and with 64-bit words alone.
 *
 * '{' and '[', '}' and ']' differ in the bit 0x20 only, and no other byte
 * becomes one of these when it is set.
 */
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/splitter_scan.h"

#define CASE_BIT 0x20

static bool
always(void)
{
	return true;
}

#if defined(__x86_64__)
static bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline uint64_t
bits_avx2(__m256i low, __m256i high)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) |
	    (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2 static inline uint64_t
equal_avx2(const __m256i v[2], char c)
{
	__m256i wanted = _mm256_set1_epi8(c);

	return bits_avx2(_mm256_cmpeq_epi8(v[0], wanted),
	    _mm256_cmpeq_epi8(v[1], wanted));
}

AVX2 static inline uint64_t
either_avx2(const __m256i v[2], char c, char d)
{
	__m256i a = _mm256_set1_epi8(c);
	__m256i b = _mm256_set1_epi8(d);

	return bits_avx2(_mm256_or_si256(_mm256_cmpeq_epi8(v[0], a),
			     _mm256_cmpeq_epi8(v[0], b)),
	    _mm256_or_si256(_mm256_cmpeq_epi8(v[1], a),
		_mm256_cmpeq_epi8(v[1], b)));
}

AVX2 static void
classify_avx2(const char *p, size_t blocks, struct scan_masks *out)
{
	const __m256i bit = _mm256_set1_epi8(CASE_BIT);

	for (; blocks > 0; blocks--, out++, p += SCAN_BLOCK) {
		__m256i v[2], w[2];

		for (size_t i = 0; i < 2; i++) {
			memcpy(&v[i], p + i * sizeof(v[i]), sizeof(v[i]));
			w[i] = _mm256_or_si256(v[i], bit);
		}
		out->backslash = equal_avx2(v, '\\');
		out->quote = equal_avx2(v, '"');
		out->bracket = either_avx2(w, '{', '}');
		out->colon = equal_avx2(v, ':');
		out->newline = either_avx2(v, '\n', '\r');
	}
}

static inline uint64_t
bits_sse2(const __m128i m[4])
{
	uint64_t bits = 0;

	for (int i = 0; i < 4; i++)
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(m[i]) << (16 * i);
	return bits;
}

static inline uint64_t
equal_sse2(const __m128i v[4], char c)
{
	__m128i wanted = _mm_set1_epi8(c);
	__m128i m[4];

	for (int i = 0; i < 4; i++)
		m[i] = _mm_cmpeq_epi8(v[i], wanted);
	return bits_sse2(m);
}

static inline uint64_t
either_sse2(const __m128i v[4], char c, char d)
{
	__m128i a = _mm_set1_epi8(c);
	__m128i b = _mm_set1_epi8(d);
	__m128i m[4];

	for (int i = 0; i < 4; i++)
		m[i] = _mm_or_si128(_mm_cmpeq_epi8(v[i], a),
		    _mm_cmpeq_epi8(v[i], b));
	return bits_sse2(m);
}

static void
classify_sse2(const char *p, size_t blocks, struct scan_masks *out)
{
	const __m128i bit = _mm_set1_epi8(CASE_BIT);

	for (; blocks > 0; blocks--, out++, p += SCAN_BLOCK) {
		__m128i v[4], w[4];

		for (size_t i = 0; i < 4; i++) {
			memcpy(&v[i], p + i * sizeof(v[i]), sizeof(v[i]));
			w[i] = _mm_or_si128(v[i], bit);
		}
		out->backslash = equal_sse2(v, '\\');
		out->quote = equal_sse2(v, '"');
		out->bracket = either_sse2(w, '{', '}');
		out->colon = equal_sse2(v, ':');
		out->newline = either_sse2(v, '\n', '\r');
	}
}
#endif /* __x86_64__ */

#define ONES UINT64_C(0x0101010101010101)
#define LOW7 (ONES * 0x7f)
#define HIGH (ONES * 0x80)

/* The high bit of every byte of w that is c.  Exact: no carry leaves a byte. */
static inline uint64_t
equal_word(uint64_t w, uint8_t c)
{
	uint64_t x = w ^ ONES * c;

	return ~(((x & LOW7) + LOW7) | x) & HIGH;
}

/* The high bits of the bytes, side by side. */
static inline uint64_t
gather(uint64_t high)
{
	return (high >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t
load_word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

static void
classify_portable(const char *p, size_t blocks, struct scan_masks *out)
{
	for (; blocks > 0; blocks--, out++, p += SCAN_BLOCK) {
		*out = (struct scan_masks){ .quote = 0 };
		for (size_t i = 0; i < SCAN_BLOCK; i += sizeof(uint64_t)) {
			uint64_t w = load_word(p + i);
			uint64_t folded = w | ONES * CASE_BIT;

			out->backslash |= gather(equal_word(w, '\\')) << i;
			out->quote |= gather(equal_word(w, '"')) << i;
			out->bracket |= gather(equal_word(folded, '{') |
					    equal_word(folded, '}'))
			    << i;
			out->colon |= gather(equal_word(w, ':')) << i;
			out->newline |=
			    gather(equal_word(w, '\n') | equal_word(w, '\r'))
			    << i;
		}
	}
}

const struct scan_kind scan_kinds[] = {
#if defined(__x86_64__)
	{ .name = "avx2", .usable = has_avx2, .classify = classify_avx2 },
	{ .name = "sse2", .usable = always, .classify = classify_sse2 },
#endif
	{ .name = "portable", .usable = always, .classify = classify_portable },
	{ .name = NULL },
};

const struct scan_kind *
scan_best(void)
{
	const struct scan_kind *k = scan_kinds;

	while (!k->usable())
		k++;
	return k;
}
