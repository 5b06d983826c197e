/*
 * body.h - the body of a reply, whatever packed it and whatever its headers
 * say of that.
 *
 * What JSON, HTML, gzip and zlib begin with cannot be taken for one another.
 * So the bytes decide, and Content-Encoding only where they do not: proxies
 * unpack a body and leave the header, pack it once more, or write "none",
 * "utf-8" or nothing into it.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/gunzip.h"

struct err;
struct http_body;

/* One reader serves any number of bodies, one after another. */
struct http_body *http_body_new(void);
void http_body_free(struct http_body *b);

/* Begin another body.  coding: the value of Content-Encoding, or "". */
void http_body_begin(struct http_body *b, const char *coding, gunzip_fn *take,
    void *ctx);

/* Feed its next bytes.  -1: they are damaged, or packed with something else,
 * or take said so. */
int http_body_push(struct http_body *b, const char *data, size_t len,
    struct err *err);

/* It is complete: -1 unless what it was packed with says so, too. */
int http_body_end(struct http_body *b, struct err *err);

/* What an unpacked body is. */
enum http_shape {
	HTTP_EMPTY, /* nothing but white space so far */
	HTTP_ARRAY,
	HTTP_OBJECT,
	HTTP_PAGE, /* HTML or XML: never of a vendor's JSON API */
	HTTP_OTHER
};

/* By its beginning, which may have a byte order mark. */
enum http_shape http_body_shape(const char *data, size_t len);

/* Copy in to out what tells a reader most of a body: the title of a page, else
 * its first characters, as text_quote() does. */
void http_body_quote(const char *data, size_t len, char *out, size_t size);

#endif /* HTTP_BODY_H */
