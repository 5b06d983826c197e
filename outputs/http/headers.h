/*
 * headers.h - headers of requests and answers of the HTTP output.
 */
#ifndef OUTPUTS_HTTP_HEADERS_H
#define OUTPUTS_HTTP_HEADERS_H

#include <curl/curl.h>
#include <stddef.h>

struct err;
struct http_output_conf;

/* All headers of a request, credentials resolved; the caller gives them back
 * to http_head_free(), which wipes them. */
int http_head(const struct http_output_conf *conf, struct curl_slist **list,
    struct err *err);
void http_head_free(struct curl_slist *list);

/* If line is the header name (lower case), put its trimmed value into out; a
 * longer one is cut. */
void http_head_value(const char *line, size_t len, const char *name, char *out,
    size_t size);

#endif /* OUTPUTS_HTTP_HEADERS_H */
