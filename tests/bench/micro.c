/*
 * micro.c - what the inner loops cost: splitter, leaf hashes, packing and
 * unpacking, on the events of an NDJSON file.
 *
 *   make tests/bench/micro && tests/bench/micro FILE [SECONDS-A-ROW [ROWS]]
 *
 * ROWS: only rows that begin so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/gzip_private.h"
#include "base/mem.h"
#include "base/merkle.h"
#include "base/splitter_private.h"
#include "base/when.h"
#include "sources/rest/pick.h"

#define LARGEST ((size_t)1 << 30)
#define BATCH ((size_t)1 << 20)
#define CURL_WRITE 16384 /* what libcurl hands over at most */

struct bench {
	struct buf lines; /* the file */
	struct buf array; /* the same as a JSON array */
	size_t events;
	int64_t min;      /* microseconds a row */
	const char *only; /* beginning of the rows wanted */
	const struct scan_kind *scan;
	size_t chunk;
	const struct gzip_engine *engine;
	struct gzip *gzip;
	struct buf packed;
	size_t batches[4096]; /* ends of the members in packed */
	size_t n_batches;
	struct digest *digest;
	struct merkle_range range;
	struct buf scratch;
	size_t taken;
};

static void
die_if(int failed, const struct err *err)
{
	if (!failed)
		return;
	(void)fprintf(stderr, "micro: %s\n", err->text);
	exit(1);
}

static int
count_element(void *ctx, const struct element *el, struct err *err)
{
	struct bench *b = ctx;

	(void)err;
	b->taken += el->id.len > 0 || el->len > 0;
	return 0;
}

static int
hash_element(void *ctx, const struct element *el, struct err *err)
{
	struct bench *b = ctx;
	uint8_t leaf[DIGEST_LEN];

	(void)err;
	merkle_leaf(b->digest, el->data, el->len, leaf);
	merkle_append(b->digest, &b->range, leaf);
	b->taken++;
	return 0;
}

static void
split(struct bench *b, splitter_fn *take)
{
	static const struct splitter_spec spec = {
		.id = "Id", .time = "CreationTime", .max = BATCH
	};
	struct splitter *s = splitter_new_with(&spec, take, b, b->scan);
	struct err err = ERR_INIT;
	size_t chunk = b->chunk == 0 ? b->array.len : b->chunk;

	b->taken = 0;
	merkle_range_init(&b->range, 0);
	for (size_t at = 0; at < b->array.len; at += chunk) {
		size_t left = b->array.len - at;

		die_if(splitter_push(s, b->array.data + at,
			   left < chunk ? left : chunk, &err) != 0,
		    &err);
	}
	die_if(splitter_end(s, &err) != 0, &err);
	splitter_free(s);
	if (b->taken != b->events) {
		(void)fprintf(stderr, "micro: %zu elements of %zu\n", b->taken,
		    b->events);
		exit(1);
	}
}

static void
run_split(struct bench *b)
{
	split(b, count_element);
}

static void
run_split_hash(struct bench *b)
{
	split(b, hash_element);
}

/* What a blob of Office 365 costs an event: its leaf, the chain over them, its
 * time. */
static int
take_blob(void *ctx, const struct element *el, struct err *err)
{
	static uint8_t chain[DIGEST_LEN];
	struct bench *b = ctx;
	uint8_t leaf[DIGEST_LEN];
	int64_t when;

	(void)err;
	merkle_leaf(b->digest, el->data, el->len, leaf);
	digest_sha256(b->digest, chain, DIGEST_LEN, leaf, DIGEST_LEN, chain);
	b->taken += el->time.data == NULL ||
	    clock_parse(el->time.data, el->time.len, &when) == 0;
	return 0;
}

/* What a page of a definition costs: its time, and its leaf at the commit. */
static int
take_page(void *ctx, const struct element *el, struct err *err)
{
	struct bench *b = ctx;
	uint8_t leaf[DIGEST_LEN];
	int64_t when;

	(void)err;
	merkle_leaf(b->digest, el->data, el->len, leaf);
	b->taken += el->time.data == NULL ||
	    when_read(WHEN_RFC3339, el->time, &when) == 0;
	return 0;
}

/* The same where id and time are inside of the event's members. */
static int
take_picked(void *ctx, const struct element *el, struct err *err)
{
	const struct slice row = { el->data, el->len };
	struct bench *b = ctx;
	uint8_t leaf[DIGEST_LEN];

	(void)err;
	merkle_leaf(b->digest, el->data, el->len, leaf);
	b->taken += pick(row, "/no/id").data == NULL &&
	    pick(row, "/no/time").data == NULL;
	return 0;
}

static void
run_blob(struct bench *b)
{
	split(b, take_blob);
}

static void
run_page(struct bench *b)
{
	split(b, take_page);
}

static void
run_picked(struct bench *b)
{
	split(b, take_picked);
}

static void
run_hash(struct bench *b)
{
	const char *at = b->lines.data;
	uint8_t leaf[DIGEST_LEN];

	for (size_t i = 0; i < b->events; i++) {
		const char *end = strchr(at, '\n');

		merkle_leaf(b->digest, at, (size_t)(end - at), leaf);
		at = end + 1;
	}
}

static void
run_pack(struct bench *b)
{
	struct err err = ERR_INIT;

	buf_clear(&b->packed);
	b->n_batches = 0;
	for (size_t at = 0; at < b->lines.len; at += BATCH) {
		size_t left = b->lines.len - at;

		die_if(gzip_pack(b->gzip, b->lines.data + at,
			   left < BATCH ? left : BATCH, &b->packed, &err) != 0,
		    &err);
		if (b->n_batches < 4096)
			b->batches[b->n_batches++] = b->packed.len;
	}
}

static void
run_unpack(struct bench *b)
{
	struct err err = ERR_INIT;
	size_t from = 0;

	for (size_t i = 0; i < b->n_batches; i++) {
		buf_clear(&b->scratch);
		die_if(gzip_unpack(b->gzip, b->packed.data + from,
			   b->batches[i] - from, &b->scratch, &err) != 0,
		    &err);
		from = b->batches[i];
	}
}

static void
run_join(struct bench *b)
{
	struct err err = ERR_INIT;
	size_t from = 0;

	buf_clear(&b->scratch);
	for (size_t i = 0; i < b->n_batches; i++) {
		die_if(gzip_join(&b->scratch, b->packed.data + from,
			   b->batches[i] - from, &err) != 0,
		    &err);
		from = b->batches[i];
	}
}

static void
row(struct bench *b, const char *what, const char *how,
    void (*run)(struct bench *))
{
	int64_t start, spent;
	int64_t rounds = 0;
	double seconds, best = 1e9;

	if (strncmp(what, b->only, strlen(b->only)) != 0)
		return;
	run(b); /* warm */
	start = clock_monotonic();
	do {
		int64_t from = clock_monotonic();

		run(b);
		spent = clock_monotonic();
		seconds = (double)(spent - from) / 1e6;
		if (seconds < best)
			best = seconds;
		rounds++;
	} while (spent - start < b->min);
	seconds = (double)(spent - start) / 1e6 / (double)rounds;
	(void)printf("%-14s %-16s %8.0f %8.0f %9.1f\n", what, how,
	    (double)b->lines.len / seconds / 1e6,
	    (double)b->lines.len / best / 1e6,
	    seconds * 1e9 / (double)b->events);
}

/* One array of the file's lines, the file repeated until it is large enough
 * not to fit the caches. */
static void
load(struct bench *b, const char *path)
{
	struct buf once = BUF_INIT(LARGEST);
	struct err err = ERR_INIT;
	int full = 0;

	buf_init(&b->lines, LARGEST);
	buf_init(&b->array, LARGEST);
	die_if(file_read(path, &once, &err) != 0, &err);
	while (b->lines.len < 64 * BATCH && !full)
		full = buf_add(&b->lines, once.data, once.len) != 0;
	full |= buf_add(&b->array, b->lines.data, b->lines.len) != 0 ||
	    buf_adds(&b->array, "]") != 0;
	for (size_t i = 0; i < b->lines.len; i++) {
		if (b->lines.data[i] == '\n') {
			b->events++;
			b->array.data[i] = ',';
		}
	}
	if (full || b->events == 0 || once.data[once.len - 1] != '\n') {
		(void)fprintf(stderr, "micro: %s: not lines\n", path);
		exit(1);
	}
	b->array.data[b->lines.len - 1] = ']';
	b->array.len = b->lines.len;
	memmove(b->array.data + 1, b->array.data, b->array.len);
	b->array.data[0] = '[';
	b->array.len++;
	buf_release(&once);
}

static void
rows(struct bench *b)
{
	char how[32];
	static const struct gzip_engine *const engines[] = {
		&gzip_zlib,
#ifdef HAVE_ISAL
		&gzip_isal,
#endif
	};

	for (b->scan = scan_kinds; b->scan->name != NULL; b->scan++) {
		if (!b->scan->usable())
			continue;
		b->chunk = CURL_WRITE;
		row(b, "split, 16 KiB", b->scan->name, run_split);
	}
	b->scan = scan_best();
	b->chunk = 0;
	row(b, "split, whole", b->scan->name, run_split);
	row(b, "leaf hash", "SHA-256", run_hash);
	row(b, "split, tree", b->scan->name, run_split_hash);
	row(b, "page, blob", "office365", run_blob);
	row(b, "page, top", "definition", run_page);
	row(b, "page, picked", "definition", run_picked);
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		b->engine = engines[i];
		b->gzip = gzip_new_with(b->engine);
		row(b, "pack", b->engine->name(), run_pack);
		(void)snprintf(how, sizeof(how), "%.2f to 1",
		    (double)b->lines.len / (double)b->packed.len);
		row(b, "unpack", b->engine->name(), run_unpack);
		row(b, "join", how, run_join);
		gzip_free(b->gzip);
	}
}

int
main(int argc, char **argv)
{
	static struct bench b;

	if (argc < 2) {
		(void)fprintf(stderr,
		    "usage: micro FILE [SECONDS-A-ROW "
		    "[ROWS]]\n");
		return 64;
	}
	b.min = (int64_t)((argc > 2 ? atof(argv[2]) : 1.0) * 1e6);
	b.only = argc > 3 ? argv[3] : "";
	b.digest = digest_new();
	buf_init(&b.packed, LARGEST);
	buf_init(&b.scratch, LARGEST);
	load(&b, argv[1]);
	(void)printf("%zu events of %.0f bytes\n", b.events,
	    (double)b.lines.len / (double)b.events);
	(void)printf("%-14s %-16s %8s %8s %9s\n", "", "", "MB/s", "best",
	    "ns/event");
	rows(&b);
	digest_free(b.digest);
	buf_release(&b.packed);
	buf_release(&b.scratch);
	buf_release(&b.lines);
	buf_release(&b.array);
	return 0;
}
