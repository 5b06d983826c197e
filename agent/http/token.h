/*
 * token.h - the reply in which a server grants an access token: RFC 6749
 * section 5.1, and what servers that do not know it send instead.
 */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stddef.h>
#include <stdint.h>

struct http_reply;

/* Most bytes of a token: headers of servers end far below. */
#define TOKEN_MAX ((size_t)64 * 1024)

/* Where a reply has what; pointers are those of RFC 6901.  NULL: as RFC 6749
 * says, for the last two: nowhere. */
struct token_shape {
	const char *token;      /* pointer, "/access_token" */
	const char *header;     /* … or the header that has it */
	const char *expires_in; /* pointer, "/expires_in": seconds */
	const char *refresh;    /* pointer, "/refresh_token" */
	/* Pointer to the time at which it ends: RFC 3339, or seconds or
	 * milliseconds since 1970. */
	const char *expires_at;
	const char *host; /* pointer to the URL that requests go to */
	int64_t life;     /* microseconds, where no reply says it; 0: minutes */
};

/* What was granted. */
struct token {
	char *access;
	char *refresh; /* NULL: none */
	char *host;    /* likewise */
	int64_t life;  /* microseconds from now: above 0, a day at most */
};

/*
 * Read a reply that came at now (of the server).  A token that says itself
 * when it ends is believed where the reply does not.  access is NULL: there is
 * no token that a header can carry.
 */
void token_read(const struct token_shape *shape, const struct http_reply *reply,
    int64_t now, struct token *out);
void token_release(struct token *t);

#endif /* HTTP_TOKEN_H */
