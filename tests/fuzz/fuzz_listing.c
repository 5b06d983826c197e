/*
 * fuzz_listing.c - any bytes as a page of a vendor's content list, and as one
 * row, or the values of one, between two good rows.  However the page is cut,
 * the same items come out; whatever a row is, it stops no other; and what goes
 * into the ledger can be fetched from there.
 */
#include <stdbool.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* The functions that take rows are the module's own.  With its file here, and
 * the ledger's functions below, the library's are not linked. */
#include "sources/office365/content.c"

#define MAX ((size_t)1 << 20)
#define ITEMS 64

static const struct window window = { .from = 1800000000 * CLOCK_SECOND,
	.to = 1800003600 * CLOCK_SECOND };

#define TIMES                                              \
	"\"contentCreated\":\"2027-01-15T08:30:00.000Z\"," \
	"\"contentExpiration\":\"2027-01-22T08:30:00.000Z\""
#define GOOD(id)                                                         \
	"{\"contentUri\":\"https://h/audit/" id "\",\"contentId\":\"" id \
	"\"," TIMES "}"

/* What a page gives: the items, one behind the other as text. */
struct taken {
	struct buf text;
	size_t n;
	bool first, last; /* the good rows are there */
};

struct ledger {
	struct taken *taken;
};

struct ledger *
ledger_new(struct stream *st, struct ledger_known *known, bool thorough)
{
	(void)st;
	(void)known;
	(void)thorough;
	return NULL;
}

void
ledger_free(struct ledger *l)
{
	(void)l;
}

void
ledger_known_release(struct ledger_known *known)
{
	(void)known;
}

bool
ledger_has(struct ledger *l, struct slice key)
{
	(void)l;
	(void)key;
	return false;
}

int
ledger_add(struct ledger *l, const struct listed *item, struct err *err)
{
	struct taken *t = l->taken;

	(void)err;
	FUZZ_CHECK(item->key[0] != '\0' && strlen(item->key) <= KEY_MAX);
	FUZZ_CHECK(item->uri[0] != '\0' && strlen(item->uri) <= URI_MAX);
	FUZZ_CHECK(item->created >= window.from - FAR &&
	    item->created <= window.to + FAR);
	FUZZ_CHECK(item->expires > item->created);
	FUZZ_CHECK(item->expires <= window.to + 2 * FAR + OFFICE365_KEPT);
	t->first = t->first || strcmp(item->key, "first") == 0;
	t->last = t->last || strcmp(item->key, "last") == 0;
	t->n++;
	(void)!buf_addf(&t->text, "%s %s %lld %lld\n", item->key, item->uri,
	    (long long)item->created, (long long)item->expires);
	return 0;
}

int
ledger_flush(struct ledger *l, struct err *err)
{
	(void)l;
	(void)err;
	return 0;
}

size_t
ledger_fresh(const struct ledger *l)
{
	(void)l;
	return 0;
}

static void
check_text(const char *s)
{
	struct buf clean = BUF_INIT(4096);

	FUZZ_CHECK(text_printable(&clean, s, strlen(s)) == 0);
	FUZZ_CHECK(strcmp(clean.data == NULL ? "" : clean.data, s) == 0);
	buf_release(&clean);
}

/* Take a page in pieces of the length; returns whether it is whole. */
static bool
list(const char *page, size_t size, size_t piece, struct taken *taken)
{
	static char base[] = "https://h/api";
	struct office365 o = { .base = base };
	struct source source = { .state = &o };
	struct worker w = { .source = &source };
	struct ledger ledger = { .taken = taken };
	struct listing l = { .w = &w, .ledger = &ledger, .window = &window };
	struct err err = ERR_INIT;
	char sentence[600];
	int rc = 0;

	*taken = (struct taken){ .text = BUF_INIT(MAX) };
	l.splitter = splitter_new(&row_spec, take_row, &l);
	for (size_t at = 0; at < size && rc == 0; at += piece)
		rc = splitter_push(l.splitter, page + at,
		    size - at < piece ? size - at : piece, &err);
	if (rc == 0)
		rc = splitter_end(l.splitter, &err);
	splitter_free(l.splitter);
	/* Each row is an item, or told of. */
	FUZZ_CHECK(l.rows == taken->n + l.odd.lost);
	FUZZ_CHECK(l.odd.lost <= l.odd.rows && l.odd.rows <= l.rows);
	if (l.odd.rows > 0) {
		describe(&l.odd, sentence, sizeof(sentence));
		check_text(sentence);
	}
	FUZZ_CHECK((rc == 0) == (err.text[0] == '\0'));
	return rc == 0;
}

/* In one piece and in several, the same. */
static bool
list_ways(const char *page, size_t size, struct taken *taken)
{
	bool whole = list(page, size, size + 1, taken);

	for (size_t piece = 1; piece < 40; piece = 3 * piece + 1) {
		struct taken other;

		FUZZ_CHECK(list(page, size, piece, &other) == whole);
		FUZZ_CHECK(!whole || other.n == taken->n);
		FUZZ_CHECK(!whole || taken->n == 0 ||
		    strcmp(other.text.data, taken->text.data) == 0);
		buf_release(&other.text);
	}
	return whole;
}

/* The bytes as a row between good ones. */
static void
between(const char *row, size_t size)
{
	struct buf page = BUF_INIT(MAX);
	struct taken taken;
	json_t *v =
	    json_loadb(row, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	FUZZ_CHECK(buf_adds(&page, "[" GOOD("first") ",") == 0 &&
	    buf_add(&page, row, size) == 0 &&
	    buf_adds(&page, "," GOOD("last") "]") == 0);
	(void)list_ways(page.data, page.len, &taken);
	FUZZ_CHECK(taken.first);
	/* jansson does not see what follows a NUL. */
	if (v != NULL && memchr(row, '\0', size) == NULL)
		FUZZ_CHECK(taken.last);
	json_decref(v);
	buf_release(&taken.text);
	buf_release(&page);
}

/* The bytes as the values of a row that is JSON. */
static void
as_values(const char *s, size_t size)
{
	static const char *const keys[] = { "contentId", "contentUri",
		"contentCreated", "contentExpiration", "contentType" };
	struct buf row = BUF_INIT(MAX);
	size_t part = size / (sizeof(keys) / sizeof(keys[0])) + 1;

	FUZZ_CHECK(buf_adds(&row, "{\"x\":0") == 0);
	for (size_t i = 0, at = 0; at < size; i++, at += part)
		FUZZ_CHECK(buf_addf(&row, ",\"%s\":", keys[i]) == 0 &&
		    text_json_string(&row, s + at,
			size - at < part ? size - at : part) == 0);
	FUZZ_CHECK(buf_adds(&row, "}") == 0);
	between(row.data, row.len);
	buf_release(&row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = size > 0 ? (const char *)data : "";
	struct taken taken;

	(void)list_ways(s, size, &taken);
	buf_release(&taken.text);
	if (size > 0)
		between(s, size);
	as_values(s, size);
	return 0;
}
