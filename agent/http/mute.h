/*
 * mute.h - addresses of a name that take a connection and then do not speak
 * TLS.
 *
 * libcurl goes on with a name's next address while no connection comes about
 * (RFC 8305), but stays with the first one that takes it: a dead server behind
 * a living front would be all that is ever tried.  So an address that a
 * handshake came to nothing with is passed over, and the request, of which
 * nothing has been sent, is tried again at once.
 */
#ifndef HTTP_MUTE_H
#define HTTP_MUTE_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Addresses that are passed over at once. */
#define MUTE_MAX 8

/* What one handle has found; zeroed before. */
struct mute {
	char address[MUTE_MAX][INET6_ADDRSTRLEN];
	size_t n;
	bool passed; /* one of them, by the transfer under way */
	CURLcode rc; /* of the first handshake of this request that failed */
	char why[CURL_ERROR_SIZE];
};

/* Before each request: pass over those of m, which easy borrows. */
void mute_apply(struct mute *m, CURL *easy);

/* A transfer ended with *rc, for why (of CURL_ERROR_SIZE).  true: start it
 * again as it is, with other addresses.  Where there are no others, *rc and why
 * become those of the handshake again, and none is passed over any more. */
bool mute_again(struct mute *m, CURL *easy, CURLcode *rc, char *why);

#endif /* HTTP_MUTE_H */
