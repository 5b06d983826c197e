/*
 * test_rest_rows.c - rows without an id over pages that move while they are
 * read: each letter is a row, each text what the pages are when the window is
 * read once more.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "sources/rest/rest_private.h"
#include "tests/unit/unit.h"

#define READ_MAX 4
#define LETTERS 26

static const struct {
	const char *name;
	const char *pages[READ_MAX]; /* the last ones stay */
	unsigned read;               /* so often */
	const char *events;          /* of each letter so many: "a1" is one */
	bool stands;                 /* rows do not move */
} readings[] = {
	{ "no row is twice", { "abc|de|" }, 1, "a1 b1 c1 d1 e1", false },
	{ "equal rows of one page", { "aab|c" }, 1, "a2 b1 c1", false },
	{ "equal rows of two pages that stay", { "ab|bc" }, 2, "a1 b2 c1",
	    false },
	{ "the same at many bounds", { "ab|bc|cd|de|ef" }, 2,
	    "a1 b2 c2 d2 e2 f1", false },
	{ "equal rows over whole pages", { "aa|aa|aab" }, 2, "a6 b1", false },
	{ "one comes in, and moves the others", { "ab|bc", "na|bc" }, 2,
	    "a1 b1 c1 n1", false },
	{ "one comes in each time that a page is read", { "ab|bc", "na|ab|c" },
	    2, "a1 b1 c1 n1", false },
	{ "more come in than a page has", { "ab|xy|ab|c", "xy|zx|ya|bc" }, 2,
	    "a1 b1 c1 x1 y1 z1", false },
	{ "one comes in while the pages that stayed are compared",
	    { "ab|bc|d", "ab|bc|cd", "nab|bcd" }, 3, "a1 b2 c1 d1 n1", false },
	{ "equal rows of pages that stand", { "ab|bc" }, 1, "a1 b2 c1", true },
};

/* Number a page, as often as it takes to come whole. */
static void
take_page(struct rest_rows *t, const char *page, size_t len, unsigned times,
    unsigned found[LETTERS])
{
	char id[REST_ROW_ID];

	for (unsigned i = 0; i < times; i++) {
		rest_rows_undo(t);
		for (size_t k = 0; k < len; k++) {
			uint8_t leaf[DIGEST_LEN] = { 0 };
			unsigned n;

			memset(leaf, page[k], sizeof(leaf));
			ck_assert_int_eq(rest_rows_id(t, leaf, id), 0);
			ck_assert_int_eq(sscanf(id + 2 * DIGEST_LEN, "#%u", &n),
			    1);
			if (i + 1 == times && n == found[page[k] - 'a'])
				found[page[k] - 'a']++;
		}
	}
}

/* Read all pages; false: they are doubted. */
static bool
read_pages(struct rest_rows *t, const char *pages, bool stands,
    unsigned found[LETTERS])
{
	unsigned kept[LETTERS];

	rest_rows_reset(t);
	for (const char *p = pages, *end;; p = end + 1) {
		end = p + strcspn(p, "|");
		memcpy(kept, found, sizeof(kept));
		take_page(t, p, (size_t)(end - p), 2, found);
		if (!stands && rest_rows_doubted(t, *end == '\0')) {
			/* What is doubted is not kept. */
			memcpy(found, kept, sizeof(kept));
			return false;
		}
		rest_rows_keep(t);
		if (*end == '\0')
			return true;
	}
}

START_TEST(pages_that_move)
{
	struct rest_rows *t = rest_rows_new(!readings[_i].stands);
	unsigned found[LETTERS] = { 0 }, n = 0, at = 0;
	char events[200] = "";
	bool whole;

	do {
		const char *pages = readings[_i].pages[at];

		whole = read_pages(t, pages, readings[_i].stands, found);
		n++;
		if (at + 1 < READ_MAX && readings[_i].pages[at + 1] != NULL)
			at++;
	} while (!whole && n <= READ_MAX);
	for (int i = 0; i < LETTERS; i++)
		if (found[i] > 0)
			(void)snprintf(events + strlen(events),
			    sizeof(events) - strlen(events), "%s%c%u",
			    *events != '\0' ? " " : "", 'a' + i, found[i]);
	ck_assert_str_eq(events, readings[_i].events);
	ck_assert_uint_eq(n, readings[_i].read);
	rest_rows_free(t);
}
END_TEST

Suite *
suite_rest_rows(void)
{
	Suite *s = suite_create("rest_rows");
	TCase *tc = tcase_create("rest_rows");

	tcase_add_loop_test(tc, pages_that_move, 0,
	    sizeof(readings) / sizeof(readings[0]));
	suite_add_tcase(s, tc);
	return s;
}
