/*
 * splitter.c - finds the elements of JSON arrays in a stream: blocks, what
 * is known of all their bytes at once, and the ends of the input.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/splitter_private.h"

/* Blocks that are classified in one go: their masks stay in the cache. */
#define BATCH 16

/* Gathered behind a broken element of full length, at most. */
#define REPAIR_MORE ((size_t)1024 * 1024)
/* More than this is not held on to. */
#define REPAIR_KEEP ((size_t)1024 * 1024)

#define EVEN UINT64_C(0x5555555555555555)
#define ODD (EVEN << 1)

static const char bom[] = { '\xef', '\xbb', '\xbf' };

static int failed_before(struct splitter *s, const struct block *b,
    unsigned *pos);

static splitter_step *const steps[] = {
	[MODE_OUTER] = splitter_outer,
	[MODE_KEY] = splitter_key,
	[MODE_BETWEEN] = splitter_between,
	[MODE_CONTAINER] = splitter_container,
	[MODE_STRING] = splitter_string,
	[MODE_SCALAR] = splitter_scalar,
	[MODE_FAILED] = failed_before,
};
_Static_assert(sizeof(steps) / sizeof(steps[0]) == MODES, "a step a mode");

static void
set_filter(struct splitter *s, struct key_filter *f, const char *key)
{
	f->text = key;
	if (key == NULL)
		return;
	f->len = strlen(key);
	if (f->len + 2 < SCAN_BLOCK) {
		f->shift = (unsigned)f->len + 2;
		f->mask = ~UINT64_C(0);
	} else {
		s->any_colon = ~UINT64_C(0);
	}
}

/* Cut the next path's pointer, a copy, into its keys. */
static void
add_path(struct splitter *s, char *pointer)
{
	struct path *p = &s->paths[s->n_paths];
	size_t n = 0;
	char *to = pointer;

	assert(*pointer == '\0' || *pointer == '/');
	for (const char *c = pointer; *c != '\0'; c++) {
		if (*c == '/') {
			assert(n < SPLITTER_KEYS);
			*to++ = '\0';
			p->keys[n++] = to;
		} else if (*c == '~' && (c[1] == '0' || c[1] == '1')) {
			*to++ = *++c == '0' ? '~' : '/';
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	s->ends[n] |= (path_set)1 << s->n_paths;
	s->open[0] |= (path_set)1 << s->n_paths++;
}

static void
set_paths(struct splitter *s)
{
	static const char *const whole[] = { "", NULL },
				 *const none[] = { NULL };
	const struct splitter_spec *spec = s->spec;
	const char *const *const lists[] = {
		spec->arrays != NULL ? spec->arrays : whole,
		spec->values != NULL ? spec->values : none,
		spec->asides != NULL ? spec->asides : none,
	};
	enum { ARRAYS, VALUES, ASIDES, LISTS };
	size_t n = 0, size = 0;
	char *at;

	for (size_t l = 0; l < LISTS; l++)
		for (size_t i = 0; lists[l][i] != NULL; i++, n++)
			size += strlen(lists[l][i]) + 1;
	assert(n <= SPLITTER_PATHS);
	s->paths = xcalloc(n + 1, sizeof(*s->paths));
	s->values = xcalloc(n + 1, sizeof(*s->values));
	s->keys = at = xmalloc(size + 1);
	for (size_t l = 0; l < LISTS; l++)
		for (size_t i = 0; lists[l][i] != NULL; i++) {
			size_t len = strlen(lists[l][i]) + 1;

			memcpy(at, lists[l][i], len);
			if (l == ARRAYS)
				s->arrays |= (path_set)1 << s->n_paths;
			if (l == ASIDES)
				s->asides |= (path_set)1 << s->n_paths;
			buf_init(&s->values[s->n_paths], SPLITTER_VALUE_MAX);
			add_path(s, at);
			at += len;
		}
}

struct splitter *
splitter_new_with(const struct splitter_spec *spec, splitter_fn *take,
    void *ctx, const struct scan_kind *scan)
{
	struct splitter *s = xcalloc(1, sizeof(*s));

	s->scan = scan;
	s->spec = spec;
	s->take = take;
	s->ctx = ctx;
	s->id.shift = 1;
	s->time.shift = 1;
	set_filter(s, &s->id, spec->id);
	set_filter(s, &s->time, spec->time);
	set_paths(s);
	buf_init(&s->kept,
	    spec->max > SPLITTER_VALUE_MAX ? spec->max : SPLITTER_VALUE_MAX);
	buf_init(&s->repair, s->kept.ceiling + REPAIR_MORE);
	splitter_reset(s);
	return s;
}

struct splitter *
splitter_new(const struct splitter_spec *spec, splitter_fn *take, void *ctx)
{
	return splitter_new_with(spec, take, ctx, scan_best());
}

void
splitter_free(struct splitter *s)
{
	if (s == NULL)
		return;
	buf_release(&s->kept);
	buf_release(&s->repair);
	for (size_t i = 0; i < s->n_paths; i++)
		buf_release(&s->values[i]);
	free(s->values);
	free(s->paths);
	free(s->keys);
	free(s);
}

void
splitter_reset(struct splitter *s)
{
	s->offset = 0;
	s->carry = (struct carry){ .inside = 0 };
	s->bom = 0;
	s->mode = MODE_OUTER;
	s->expected = EXPECT_VALUE;
	s->level = 0;
	s->here = s->open[0];
	s->found = 0;
	s->value = NULL;
	s->skipping = false;
	s->longer = false;
	s->eating = false;
	s->depth = 0;
	s->repairing = false;
	s->repair_at = 0;
	s->timed = false;
	s->untimed = false;
	buf_clear(&s->kept);
	buf_clear(&s->repair);
	for (size_t i = 0; i < s->n_paths; i++)
		buf_clear(&s->values[i]);
}

static int
failed_before(struct splitter *s, const struct block *b, unsigned *pos)
{
	(void)b;
	(void)pos;
	return err_set(s->err, "byte %llu: nothing can follow an error",
	    (unsigned long long)s->offset);
}

int
splitter_too_long(struct splitter *s)
{
	if (s->spec->pass_longer && s->value == NULL) {
		s->skipping = true;
		s->longer = true;
		/* Elements like it are rare. */
		buf_release(&s->kept);
		return 0;
	}
	return err_set(s->err,
	    "byte %llu: the %s that begins here is longer than %zu bytes",
	    (unsigned long long)s->started,
	    s->value != NULL ? "value" : "element", s->max);
}

int
splitter_wrong(struct splitter *s, const struct block *b, unsigned i,
    const char *fmt, ...)
{
	char text[256];
	va_list ap;

	/* What is too long was so before this byte, whatever the size of the
	 * pushes. */
	if (splitter_in_element(s) &&
	    !(s->spec->pass_longer && s->value == NULL) && !s->skipping &&
	    !s->eating &&
	    s->kept.len + (size_t)(b->p + i - s->segment) > s->max)
		return splitter_too_long(s);
	s->odd = true;
	s->wrong = b->p + i;
	s->wrong_offset = b->offset + i;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(s->err, "byte %llu: %s",
	    (unsigned long long)b->offset + i, text);
}

/*
 * Bytes behind an odd number of backslashes, and with it whether the block's
 * last byte escapes the next one.  In a run of backslashes that begins at an
 * even place the bytes at odd places are escaped, up to and with the first
 * byte behind the run; and the other way round.  Adding the first bit of a
 * run to it clears it.
 */
static inline uint64_t
find_escaped(struct carry *c, uint64_t backslash)
{
	uint64_t before = c->escaped;
	uint64_t run = backslash & ~before;
	uint64_t first = run & ~(run << 1);
	uint64_t odd_run = run & (run + (first & EVEN));
	uint64_t even_run = run & ~odd_run;

	c->escaped = odd_run >> 63;
	return (even_run << 1 & ODD) | (odd_run << 1 & EVEN) | before;
}

/* Bit i is the parity of the bits 0 to i. */
static inline uint64_t
prefix_parity(uint64_t x)
{
	x ^= x << 1;
	x ^= x << 2;
	x ^= x << 4;
	x ^= x << 8;
	x ^= x << 16;
	x ^= x << 32;
	return x;
}

/* The quotes of bytes shift places before each byte; 0 < shift < 64. */
static inline uint64_t
quotes_before(const struct carry *c, uint64_t quote, unsigned shift)
{
	return quote << shift | c->quotes >> (SCAN_BLOCK - shift);
}

/*
 * Make b's masks of a full block.  Events are brackets outside strings, line
 * breaks anywhere, backslashes where none may be, and of the colons those
 * behind a key that has the length of one that is wanted, or behind white
 * space.  Returns which bytes are escaped.
 */
static inline uint64_t
refine(const struct splitter *s, struct carry *c, const struct scan_masks *m,
    struct block *b)
{
	uint64_t escaped = (m->backslash | c->escaped) == 0
	    ? 0
	    : find_escaped(c, m->backslash);
	uint64_t quote = m->quote & ~escaped;
	uint64_t inside = prefix_parity(quote) ^ c->inside;
	uint64_t key = (quotes_before(c, quote, s->id.shift) & s->id.mask) |
	    (quotes_before(c, quote, s->time.shift) & s->time.mask);
	uint64_t wanted = key | s->any_colon | ~quotes_before(c, quote, 1);

	b->quote = quote;
	b->inside = inside;
	b->newline = m->newline;
	b->event =
	    ((m->bracket | m->backslash | (m->colon & wanted)) & ~inside) |
	    m->newline;
	c->inside = (uint64_t)0 - (inside >> 63);
	c->quotes = quote;
	return escaped;
}

static inline int
walk(struct splitter *s, const struct block *b)
{
	unsigned pos = 0;

	if (s->mode == MODE_CONTAINER && b->event == 0 && !s->eating)
		return 0;
	while (pos < b->n) {
		if (steps[s->mode](s, b, &pos) != 0)
			return -1;
	}
	return 0;
}

/* Fewer than SCAN_BLOCK bytes. */
static int
push_part(struct splitter *s, const char *p, size_t len)
{
	struct block b = { .p = p, .n = (unsigned)len, .offset = s->offset };
	uint64_t quotes = s->carry.quotes;
	char padded[SCAN_BLOCK];
	struct scan_masks m;
	uint64_t escaped;

	/* Spaces are in none of the masks. */
	memset(padded, ' ', sizeof(padded));
	memcpy(padded, p, len);
	s->scan->classify(padded, 1, &m);
	escaped = refine(s, &s->carry, &m, &b);
	s->carry.escaped = escaped >> len & 1;
	s->carry.quotes = quotes >> len | b.quote << (SCAN_BLOCK - len);
	if (walk(s, &b) != 0)
		return -1;
	s->offset += len;
	return 0;
}

static int
push_blocks(struct splitter *s, const char *p, size_t blocks)
{
	struct scan_masks masks[BATCH];
	struct carry carry = s->carry;
	struct block b = { .n = SCAN_BLOCK };

	while (blocks > 0) {
		size_t n = blocks < BATCH ? blocks : BATCH;

		s->scan->classify(p, n, masks);
		for (size_t i = 0; i < n; i++, p += SCAN_BLOCK) {
			b.p = p;
			b.offset = s->offset;
			(void)refine(s, &carry, &masks[i], &b);
			if (walk(s, &b) != 0)
				return -1;
			s->offset += SCAN_BLOCK;
		}
		blocks -= n;
	}
	s->carry = carry;
	return 0;
}

/* Leave out byte order marks; moves *p and *len behind it. */
static int
skip_bom(struct splitter *s, const char **p, size_t *len)
{
	while (s->bom < sizeof(bom) && *len > 0) {
		if (**p != bom[s->bom]) {
			if (s->bom > 0)
				return err_set(s->err,
				    "byte 0: the document "
				    "is not JSON: it begins with byte 0xef");
			s->bom = sizeof(bom);
			return 0;
		}
		s->bom = (s->bom + 1) % sizeof(bom);
		s->offset++;
		(*p)++;
		(*len)--;
	}
	return 0;
}

/* Split some bytes as if all of them were right. */
static int
split(struct splitter *s, const char *p, size_t len)
{
	size_t whole;

	s->odd = false;
	if (skip_bom(s, &p, &len) != 0)
		return -1;
	if (len == 0)
		return 0;
	s->segment = p;
	whole = len - len % SCAN_BLOCK;
	if (push_blocks(s, p, whole / SCAN_BLOCK) != 0 ||
	    (whole < len && push_part(s, p + whole, len - whole) != 0))
		return -1;
	return splitter_in_element(s) ? splitter_keep(s, p + len) : 0;
}

/* May what failed be repaired?  *from: see splitter_repair_begin(). */
static bool
repairable(struct splitter *s, const char **from)
{
	bool element = splitter_in_element(s);

	if (!s->spec->repairs || !s->odd ||
	    (element ? s->after != MODE_BETWEEN : s->mode != MODE_BETWEEN))
		return false;
	*from = element && !s->skipping ? s->segment : s->wrong;
	(void)snprintf(s->why, sizeof(s->why), "%.190s", s->err->text);
	err_clear(s->err);
	return true;
}

/* Split what is gathered. */
static int
drain(struct splitter *s)
{
	const char *p = s->repair.data + s->repair_at, *from;
	size_t len = s->repair.len - s->repair_at;

	if (split(s, p, len) != 0)
		return repairable(s, &from)
		    ? splitter_repair_begin(s, from, s->err)
		    : -1;
	if (s->repair.size > REPAIR_KEEP)
		buf_release(&s->repair);
	buf_clear(&s->repair);
	s->repair_at = 0;
	return 0;
}

static int
feed(struct splitter *s, const char *p, size_t len)
{
	const char *from;
	int rc = 0;

	while (rc == 0) {
		if (s->repairing) {
			rc = splitter_repair(s, false, s->err);
			if (rc != 0) {
				rc = rc == 1 ? 0 : -1;
				continue;
			}
			if (len == 0)
				return 0;
			rc = splitter_repair_add(s, &p, &len, s->err);
		} else if (s->repair.len > 0) {
			rc = drain(s);
		} else if (len == 0 || split(s, p, len) == 0) {
			return 0;
		} else if (repairable(s, &from)) {
			len -= (size_t)(from - p);
			p = from;
			rc = splitter_repair_begin(s, from, s->err);
		} else {
			rc = -1;
		}
	}
	return rc;
}

int
splitter_push(struct splitter *s, const void *data, size_t len, struct err *err)
{
	s->err = err;
	if (feed(s, data, len) == 0)
		return 0;
	s->mode = MODE_FAILED;
	s->repairing = false;
	return -1;
}

/* The document is over before it is complete. */
static int
ends_early(const struct splitter *s, struct err *err)
{
	static const char *const where[] = {
		[MODE_OUTER] = "before it is complete",
		[MODE_KEY] = "inside a key",
		[MODE_BETWEEN] = "inside its array",
		[MODE_CONTAINER] = "inside an element",
		[MODE_STRING] = "inside an element",
		[MODE_SCALAR] = "inside an element",
		[MODE_FAILED] = "in an error",
	};
	bool blank = s->level == 0 && s->expected == EXPECT_VALUE;

	if (s->mode == MODE_OUTER && blank)
		return err_set(err, "byte %llu: the document is empty",
		    (unsigned long long)s->offset);
	return err_set(err, "byte %llu: the document ends %s",
	    (unsigned long long)s->offset,
	    splitter_in_element(s) &&
		    (s->value != NULL || (s->skipping && !s->longer))
		? "before it is complete"
		: where[s->mode]);
}

/* Repair what the end of the document shows to be broken: 1 something was, 0 or
 * -1. */
static int
repair_end(struct splitter *s, struct err *err)
{
	int rc;

	if (!s->repairing) {
		if (!s->spec->repairs || !splitter_in_element(s) ||
		    s->after != MODE_BETWEEN || s->skipping)
			return 0;
		(void)ends_early(s, err);
		(void)snprintf(s->why, sizeof(s->why), "%.190s", err->text);
		err_clear(err);
		if (splitter_repair_begin(s, NULL, err) != 0)
			return -1;
	}
	rc = splitter_repair(s, true, err);
	return rc == 1 && feed(s, NULL, 0) != 0 ? -1 : rc;
}

int
splitter_end(struct splitter *s, struct err *err)
{
	int rc;

	s->err = err;
	do {
		rc = repair_end(s, err);
	} while (rc == 1);
	if (rc != 0)
		return -1;
	if (s->repairing)
		return err_set(err, "%s", s->why);
	if (s->mode == MODE_OUTER && s->expected == EXPECT_NOTHING)
		return splitter_outer_end(s, err);
	/* Nothing else tells that a number or literal ends. */
	if (s->mode == MODE_SCALAR && s->after == MODE_OUTER && s->level == 0)
		return 0;
	return ends_early(s, err);
}

struct slice
splitter_value(const struct splitter *s, size_t i)
{
	const struct buf *b =
	    &s->values[(size_t)__builtin_popcount(s->arrays) + i];

	return (struct slice){ .data = b->len > 0 ? b->data : NULL,
		.len = b->len };
}
