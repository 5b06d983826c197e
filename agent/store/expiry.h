/*
 * expiry.h - when certificates of the configuration end: each role, which reads
 * its own, tells those who cannot.
 */
#ifndef STORE_EXPIRY_H
#define STORE_EXPIRY_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

struct expiry {
	char option[192]; /* "outputs.siem.tls.ca" */
	int64_t ends;     /* of a bundle, the first of its certificates */
};

/* Replace all that is known of "outputs.siem".  Relaxed: after a crash it is
 * looked up again. */
int expiry_set(struct store *s, const char *of, const struct expiry *list,
    size_t n, struct err *err);

/* Forget one, whose option is gone. */
int expiry_forget(struct store *s, const char *option, struct err *err);

/* Read the one that follows *e in the order of the options, of those that end
 * before the time; a zeroed one gives the first: 1, 0 there are no more, -1. */
int expiry_next(struct store *s, int64_t before, struct expiry *e,
    struct err *err);

/* The one that ends first: 1, 0 none is known, -1. */
int expiry_first(struct store *s, struct expiry *e, struct err *err);

#endif /* STORE_EXPIRY_H */
