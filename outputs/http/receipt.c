/*
 * receipt.c - whether an answer of 2xx can be the receiver's own.
 */
#include <jansson.h>
#include <string.h>

#include "base/err.h"
#include "http/error_value.h"
#include "outputs/http/page.h"
#include "outputs/http/receipt.h"

/* A body that is an error and nothing else is not longer. */
#define ERROR_MAX 8192

int
receipt_init(struct receipt *r, const char *expect, bool plain, struct err *err)
{
	char why[256];
	int rc;

	*r = (struct receipt){ .plain = plain };
	if (expect == NULL)
		return 0;
	rc = regcomp(&r->expect, expect, REG_EXTENDED | REG_NOSUB);
	if (rc != 0) {
		(void)regerror(rc, &r->expect, why, sizeof(why));
		return err_set(err,
		    "expect: \"%s\" is not an extended regular expression "
		    "(%s); regex(7) describes them",
		    expect, why);
	}
	r->expects = true;
	return 0;
}

void
receipt_release(struct receipt *r)
{
	if (r->expects)
		regfree(&r->expect);
	r->expects = false;
}

/* Control characters that no text has. */
static bool
is_text(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];

		if (c == 0x7f || (c < ' ' && (c < '\t' || c > '\r')))
			return false;
	}
	return true;
}

/* Gateways that know no status but 200 say in a body that they refuse.  Flags
 * and counts are left to the dialect that reads the body, as Elasticsearch's
 * "errors": true, behind which it says which events have one. */
static bool
is_error(const struct buf *text, bool plain)
{
	json_t *o = text->len == 0 || text->len > ERROR_MAX
	    ? NULL
	    : json_loadb(text->data, text->len, 0, NULL);
	bool is = false;

	for (size_t i = 0; error_places[i] != NULL; i++) {
		const json_t *v = json_object_get(o, error_places[i] + 1);

		if (v != NULL &&
		    (plain || !(json_is_true(v) || json_is_number(v))))
			is = is || error_value(v);
	}
	json_decref(o);
	return is;
}

static bool
is_expected(const struct receipt *r, const struct buf *text)
{
	regmatch_t all = { .rm_so = 0, .rm_eo = (regoff_t)text->len };

	if (text->len > RECEIPT_EXPECT_MAX)
		all.rm_eo = (regoff_t)RECEIPT_EXPECT_MAX;
	return regexec(&r->expect, text->data == NULL ? "" : text->data, 1,
		   &all, REG_STARTEND) == 0;
}

const char *
receipt_fault(const struct receipt *r, const struct receipt_body *b)
{
	const struct buf *text = b->text;
	bool page =
	    page_is((struct slice){ text->data, text->len }, b->type, b->cut);

	if (r != NULL && r->expects && is_expected(r, text))
		return NULL;
	if (page)
		return "a firewall, proxy or login page answers in the "
		       "receiver's stead, so nothing counts as delivered; "
		       "check url and what is on the way";
	if (is_error(text, r != NULL && r->plain))
		return "its body tells of an error, so nothing counts as "
		       "delivered; put right what it names, and check url and "
		       "what is on the way";
	if (r != NULL && r->expects)
		return "expect does not match that, so nothing counts as "
		       "delivered; check url, expect and what is on the way";
	if (r != NULL && r->plain && !is_text(text))
		return "that is neither JSON nor text, so nothing counts as "
		       "delivered; check url and what is on the way, or set "
		       "expect";
	return NULL;
}
