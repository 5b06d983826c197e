/*
 * certificates.h - when the certificates that a part of the configuration
 * names end.
 *
 * Each role looks at those of its own sources or output; it can read no
 * others.  Private keys are not looked at.
 */
#ifndef HTTP_CERTIFICATES_H
#define HTTP_CERTIFICATES_H

struct err;
struct setting;
struct store;

/* Note in the store (store/expiry.h) when the certificates end that conf, laid
 * out as table says, names, and nothing else of where ("outputs.siem").  What
 * can't be read is the business of who uses it.  -1: the store failed. */
int certificates_note(struct store *s, const char *where,
    const struct setting *table, const void *conf, struct err *err);

#endif /* HTTP_CERTIFICATES_H */
