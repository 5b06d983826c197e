/*
 * fuzz_xml.c - any bytes as XML, and as the text of an element.  Elements open
 * and end in their order, a text is whole and in the path that it is asked by,
 * and what is written as XML is read as it was.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/xml.h"
#include "tests/fuzz/fuzz.h"

#define MAX ((size_t)1 << 20)

/* The first text at a path, which xml_find() must find if the rest is XML. */
struct first {
	char path[XML_PATH];
	struct buf text;
};

static void
see(const struct xml *x, enum xml_piece piece, size_t *depth,
    struct first *first)
{
	FUZZ_CHECK(strlen(x->path) < sizeof(x->path));
	if (piece == XML_OPEN)
		++*depth;
	else
		FUZZ_CHECK(*depth > 0);
	FUZZ_CHECK(*depth <= XML_DEPTH);
	if (piece != XML_TEXT) {
		*depth -= piece == XML_SHUT;
		return;
	}
	--*depth;
	FUZZ_CHECK(strlen(x->text) == x->len);
	if (first->path[0] == '\0') {
		memcpy(first->path, x->path, sizeof(first->path));
		FUZZ_CHECK(buf_add(&first->text, x->text, x->len) == 0);
	}
}

static void
document(const char *s, size_t len)
{
	struct buf decoded = BUF_INIT(MAX), found = BUF_INIT(MAX);
	struct first first = { .text = BUF_INIT(MAX) };
	enum xml_piece piece;
	struct xml x;
	size_t depth = 0, n = 0;

	xml_begin(&x, s, len, &decoded);
	while ((piece = xml_next(&x)) != XML_END && piece != XML_BAD) {
		see(&x, piece, &depth, &first);
		/* Each took bytes, but for the end of "<a/>". */
		FUZZ_CHECK(++n <= 2 * len);
	}
	FUZZ_CHECK(piece == XML_BAD || depth == 0);
	/* What was said last is said again. */
	FUZZ_CHECK(piece != XML_BAD || xml_next(&x) == XML_BAD);
	if (piece == XML_END && first.path[0] != '\0')
		FUZZ_CHECK(xml_find(s, len, first.path, &found) == 0 &&
		    found.len == first.text.len &&
		    (found.len == 0 ||
			memcmp(found.data, first.text.data, found.len) == 0));
	if (piece == XML_BAD)
		FUZZ_CHECK(xml_find(s, len, first.path, &found) == -1);
	buf_release(&first.text);
	buf_release(&decoded);
	buf_release(&found);
}

/* Write the bytes as text, each in one of the ways there are. */
static void
as_text(const char *s, size_t len)
{
	struct buf text = BUF_INIT(MAX), found = BUF_INIT(MAX);

	FUZZ_CHECK(buf_adds(&text, "<a><b x='1'>") == 0);
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)s[i];

		if (c == '<' || c == '&' || (c < 128 && c % 5 == 0))
			FUZZ_CHECK(buf_addf(&text, c % 2 ? "&#%u;" : "&#x%x;",
				       c) == 0);
		else
			FUZZ_CHECK(buf_add(&text, s + i, 1) == 0);
	}
	FUZZ_CHECK(buf_adds(&text, "</b></a>") == 0);
	FUZZ_CHECK(xml_find(text.data, text.len, "a/b", &found) == 0);
	FUZZ_CHECK(found.len == len &&
	    (len == 0 || memcmp(found.data, s, len) == 0));
	buf_release(&text);
	buf_release(&found);
}

/* White space alone is no text. */
static bool
is_blank(const char *s, size_t len)
{
	while (len > 0 && (*s == ' ' || *s == '\t' || *s == '\r')) {
		s++;
		len--;
	}
	return len == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = size > 0 ? (const char *)data : "";

	document(s, size);
	if (memchr(s, '\0', size) == NULL && !is_blank(s, size))
		as_text(s, size);
	return 0;
}
