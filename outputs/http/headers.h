/*
 * headers.h - headers of requests and answers.
 */
#ifndef OUTPUTS_HTTP_HEADERS_H
#define OUTPUTS_HTTP_HEADERS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct http_output_conf;

/* What all requests of an output have. */
struct http_head {
	const struct http_output_conf *conf;
	const char *token_header; /* before conf's token; NULL: it has none */
	const char *type;         /* Content-Type, NULL: no body */
	bool compress;            /* with Content-Encoding */
};

/* The headers that these decide, credentials resolved.  The caller gives them
 * back to http_head_free(), which wipes them. */
int http_head(const struct http_head *h, struct curl_slist **list,
    struct err *err);
void http_head_free(struct curl_slist *list);

/* Append one header.  -1: too long, or it has a line break, which would begin
 * another header. */
int http_head_add(struct curl_slist **list, const char *name,
    const char *value);

/* Append copies of those of more.  -1: no memory, a part is there. */
int http_head_join(struct curl_slist **list, const struct curl_slist *more);

/* If line is the header name (lower case), put its trimmed value into out; a
 * longer one is cut. */
void http_head_value(const char *line, size_t len, const char *name, char *out,
    size_t size);

/* The last value of a header in raw lines, as above; false and "" where there
 * is none. */
bool http_head_find(const struct buf *lines, const char *name, char *out,
    size_t size);

#endif /* OUTPUTS_HTTP_HEADERS_H */
