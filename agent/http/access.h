/*
 * access.h - inside of the HTTP client, see http.h.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

struct http_access;

/* Grows whenever a reload brought something new: connections and TLS sessions
 * of before must not be used any more. */
unsigned http_access_generation(struct http_access *a);

#endif /* HTTP_ACCESS_H */
