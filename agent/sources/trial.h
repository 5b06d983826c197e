/*
 * trial.h - one stream of a source is read for once, into a store that is
 * thrown away: by the code that collect runs, so that what is told is what an
 * agent would do.  Nothing is changed but what reading itself changes.
 */
#ifndef SOURCES_TRIAL_H
#define SOURCES_TRIAL_H

#include <stddef.h>
#include <stdint.h>

struct config_entry;
struct err;

struct trial {
	const struct config_entry *conf;
	const char *folder, *old_folder; /* as in struct source */
	const char *stream;
	/* It ends behind the page that brings it to so many events, or before
	 * one more request than these. */
	uint64_t events;
	unsigned requests;
	/* What is decided, in its order; kind is a literal: "request",
	 * "reply", "trouble", "poll", "gap", "cursor" or "stop". */
	void (*step)(void *ctx, const char *kind, const char *text);
	/* The first events, in the order of the store. */
	void (*event)(void *ctx, const char *data, size_t len);
	void *ctx;
	/* Set: requests that were made, events that were collected, and those
	 * that came again. */
	unsigned asked;
	uint64_t collected;
	uint64_t repeats;
};

/* 0; -1: the stream can't be read, and err says why.  Waits that are longer
 * than a few seconds end it. */
int trial_run(struct trial *t, struct err *err);

#endif /* SOURCES_TRIAL_H */
