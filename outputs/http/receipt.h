/*
 * receipt.h - whether an answer of 2xx can be the receiver's own.
 *
 * A firewall that rejects a request answers 200 as often as not, and so does a
 * login page.  So a status alone is no receipt: a web page is never one, nor is
 * JSON with an error, and what a plain receiver sends is empty, JSON or text,
 * or what "expect" describes.
 */
#ifndef OUTPUTS_HTTP_RECEIPT_H
#define OUTPUTS_HTTP_RECEIPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct err;

/* So much of a body is compared with "expect". */
#define RECEIPT_EXPECT_MAX ((size_t)64 << 10)

/* What an output takes for its receiver's. */
struct receipt {
	bool plain; /* no dialect reads the bodies */
	bool expects;
	regex_t expect;
};

/* expect: a POSIX extended regular expression, or NULL.  -1: it is none, and
 * there is nothing to release. */
int receipt_init(struct receipt *r, const char *expect, bool plain,
    struct err *err);
void receipt_release(struct receipt *r);

/* What came: page_text() of the body, its Content-Type ("": none); cut: there
 * is more. */
struct receipt_body {
	const struct buf *text;
	const char *type;
	bool cut;
};

/* NULL: under a 2xx it can be the receiver's own; else why not, and what to do
 * about it.  r NULL: any body but a page and an error can. */
const char *receipt_fault(const struct receipt *r,
    const struct receipt_body *b);

#endif /* OUTPUTS_HTTP_RECEIPT_H */
