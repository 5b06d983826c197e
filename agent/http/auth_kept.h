/*
 * auth_kept.h - the refresh token that a server gave in the place of the
 * configured one, in memory and in a file.
 *
 * The file has two lines: the SHA-256 of the configured token in hex, and the
 * token that stands for it now.  Sources and processes that have the same
 * credential have the same file, and one at a time asks for the next token,
 * since each makes the one before worthless.
 *
 * Not for several threads at once.
 */
#ifndef HTTP_AUTH_KEPT_H
#define HTTP_AUTH_KEPT_H

#include <stdbool.h>

struct err;
struct kept;

/* The begin of the file's name, behind which come a dot and a hash of server,
 * client and the configured token; NULL: it is lost with the process. */
struct kept *kept_new(const char *file, const char *server, const char *client);
void kept_free(struct kept *k);

/* A place where earlier versions kept it, from where it is moved. */
void kept_add_old(struct kept *k, const char *file);

/*
 * Somebody is about to ask a server for what comes next to this configured
 * token.  Until kept_release() nobody else can, and there is room for it on the
 * disk.  0, or -1: another one does for long, or it could not be written.
 */
int kept_claim(struct kept *k, const char *configured, struct err *err);

/* *token is what stands for the configured one now, to be given to
 * secret_free(); NULL: nothing does.  What is found in old places alone, the
 * latest of it, is moved durably.  -1: there is a file and it cannot be read or
 * moved. */
int kept_latest(struct kept *k, char **token, struct err *err);

/* The server has given this one, which the object owns now. */
void kept_take(struct kept *k, char *token);

/* Is one taken and not durable yet?  Then the claim stays. */
bool kept_waits(const struct kept *k);

/* Make it durable, if it is not, for nobody else to read, in a folder that is
 * made where it is missing. */
int kept_save(struct kept *k, struct err *err);
void kept_release(struct kept *k);

#endif /* HTTP_AUTH_KEPT_H */
