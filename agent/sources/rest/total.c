/*
 * total.c - how many rows a window has by the vendor's own count, which its
 * first page tells: were so many read?
 *
 * That is the vendor's account of the window (store/attest.h).  A list may
 * change while it is read, so that a count that differs is no error: the window
 * is not confirmed, until it is read again by the overlap or a sweep.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/client.h"
#include "sources/rest/reading.h"
#include "sources/rest/rest_private.h"
#include "store/attest.h"

/* More is none. */
#define DIGITS 15

int64_t
rest_total(const struct rest_page *p)
{
	const char *total = p->def->page.total;
	char text[DIGITS + 3] = "", *digits = text;
	struct slice v;
	size_t len;

	if (total == NULL)
		return -1;
	if (*total == '/') {
		v = rest_value_at(p, total);
		if (v.data == NULL || v.len >= sizeof(text))
			return -1;
		memcpy(text, v.data, v.len);
	} else if (!http_header(p->reply, total, text, sizeof(text))) {
		return -1;
	}
	/* A number, or a text of one. */
	len = strlen(text);
	if (len > 1 && *text == '"' && text[len - 1] == '"') {
		text[len - 1] = '\0';
		digits++;
	}
	len = strlen(digits);
	return len > 0 && len <= DIGITS && strspn(digits, "0123456789") == len
	    ? strtoll(digits, NULL, 10)
	    : -1;
}

void
rest_total_attest(struct reading *g)
{
	const struct window *w = g->values.window;
	const struct attested a = { .chain = g->rs->def->name,
		.from = w->from,
		.to = w->to,
		.error = (uint64_t)g->total == g->all
		    ? NULL
		    : "the vendor's own count of a window's rows was another "
		      "than that of the rows that it gave" };

	if (g->total >= 0)
		write_batch_attest(g->batch, &a);
}
