/*
 * verify.h - reads what a receiver kept and says, feed by feed, what of it is
 * proven and what is missing, altered or put in.
 *
 * Every input line is hostile; memory is 48 bytes an event, and some hundred
 * a checkpoint.  The order of lines does not matter.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct buf;
struct err;
struct verifier;
struct verify;

struct verify_options {
	const struct verifier *keys; /* borrowed */
	size_t n_keys;
	const char *const *feeds; /* check only these feeds; borrowed */
	size_t n_feeds;           /* 0: check all feeds */
	bool complete; /* events that no checkpoint covers are a failure, too */
};

struct verify *verify_new(const struct verify_options *options);
void verify_free(struct verify *v);

/* Read a file ("-": standard input) in any form that reader.h and export.h
 * know.  -1: it could not be read
 * to its end; that is a finding, too. */
int verify_input(struct verify *v, const char *path, struct err *err);

/* Draw the conclusions, once, when everything is read.  True when all is
 * well. */
bool verify_finish(struct verify *v);

/* Write the report after verify_finish(), for people or as one JSON object. -1:
 * it could not be written. */
int verify_text(const struct verify *v, FILE *out);
int verify_json(const struct verify *v, struct buf *out);

#endif /* VERIFY_VERIFY_H */
