/*
 * secret.h - settings that stand for something kept elsewhere.
 *
 * "${file:PATH}", "${env:NAME}" and "${credential:NAME}" (a file in
 * $CREDENTIALS_DIRECTORY) stand for that content, one trailing newline
 * dropped, anywhere in the text.  They are resolved only in the role that
 * needs them, at the moment of use, and again when the peer says that a
 * credential is bad: so a rotated file is picked up while running.
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* The text with its references replaced, 64 KiB at most; the caller gives it
 * back to secret_free().  NULL when one cannot be read; err names it and
 * never holds any of its content. */
char *secret_resolve(const char *text, struct err *err);

/* With fewer characters it is no secret: check doubts it, and it is not kept
 * out of texts, where it would be everywhere. */
#define SECRET_MIN 6

/* For keys and certificates: like secret_resolve(), but a text that is then
 * neither PEM (has "-----BEGIN") nor a URI ("pkcs11:…", returned as it is)
 * nor empty is taken as a file name and that file's content is returned. */
char *secret_resolve_pem(const char *text, struct err *err);

/* Put what the text refers to in front of an error about its content: the file
 * that it names (as secret_resolve_pem() takes it), or its first reference,
 * such as "credential seal.pem".  A text that is the content itself, or a URI,
 * which may hold a PIN, leaves err as it is.  Returns -1. */
int secret_blame(const char *text, struct err *err);

/*
 * A copy of text for secret_free(), in memory that is locked and left out of
 * core dumps where secret_lock() got some; xstrdup()'s elsewhere.
 */
char *secret_copy(const char *text);

/* Wipe and free what the functions here gave, or malloc did; NULL is fine. */
void secret_free(char *s);

/* Set some locked memory aside, once, before the first secret; where the limit
 * on locked memory (RLIMIT_MEMLOCK) does not allow it, none is locked. */
void secret_lock(void);

/* -1 and err (to be put behind the setting's name: "has …") when text has a
 * "${" that is none of the three forms, or a file's path that only a shell
 * understands (file_wants_shell()); no file is opened. */
int secret_check(const char *text, struct err *err);

/* Call fn with the name of each file that the text refers to: that of ${file:…}
 * and ${credential:…}, and where pem is set, that of a text which is taken for
 * one.  Nothing is opened. */
typedef void secret_file_fn(void *ctx, const char *path);
void secret_each_file(const char *text, bool pem, secret_file_fn *fn,
    void *ctx);

/* Call fn with the name of each environment variable that the text refers to;
 * name is not terminated. */
typedef void secret_variable_fn(void *ctx, const char *name, size_t len);
void secret_each_variable(const char *text, secret_variable_fn *fn, void *ctx);

/* The text refers to a ${credential:…}. */
bool secret_has_credential(const char *text);

/* Cut a text down to its references, in place: what is left names secrets and
 * holds none. */
void secret_keep_references(char *text);

#endif /* CONFIG_SECRET_H */
