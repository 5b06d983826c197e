/*
 * status.h - how the agent does, as the store and the file of its roles tell
 * it.
 *
 * Reading needs no running agent.  What follows from it is in verdict.h; the
 * renderers are functions of the two structs alone.
 */
#ifndef WATCH_STATUS_H
#define WATCH_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "store/expiry.h"
#include "store/report.h"
#include "store/roles.h"
#include "store/store.h"
#include "store/trouble.h"

struct config;
struct err;

/* Largest text that the renderers write. */
#define STATUS_MAX (64 * 1024 * 1024)

/* Does the agent run?  By its lock, which only its own processes and
 * `sealfeed status` look at; else nobody can tell for sure. */
enum status_life { STATUS_LIFE_UNKNOWN, STATUS_RUNS, STATUS_RUNS_NOT };

/* Rates are those of so long. */
#define STATUS_RECENT (5 * CLOCK_MINUTE)

struct status {
	const struct config *config; /* borrowed */
	int64_t now;
	enum status_life life; /* set by who knows, after status_read() */
	struct roles roles;
	struct store_room room;
	struct feed_report *feeds;
	size_t n_feeds;
	struct output_report *outputs;
	size_t n_outputs;
	uint64_t gaps;      /* ever recorded */
	uint64_t gaps_open; /* that were not closed */
	uint64_t gaps_new;  /* … of the last day */
	struct trouble *troubles;
	size_t n_troubles;
	struct expiry first_expiry; /* of a certificate; its option is "" where
				       none is known */
};

/* Fill *st (zeroed before) from the store, as of now; release it in any
 * case. */
int status_read(struct store *s, const struct config *config, struct status *st,
    struct err *err);
void status_release(struct status *st);

/* Fill *st with what is known where the store can't be read; release it, too.
 * room.full: its disk has no room. */
void status_without_store(const struct config *config, struct status *st);

/* The first trouble of that class; NULL: there is none. */
const struct trouble *status_trouble(const struct status *st,
    const char *class);

/* When the vendor deletes the oldest of what is unread in a feed: the listed
 * item that expires first, or what became available at the horizon, with the
 * retention of its source.  REPORT_NEVER: not known. */
int64_t status_deletion(const struct feed_report *f);

/* The soonest deletion over all feeds; see status_deletion(). */
int64_t status_first_deletion(const struct status *st);

/* When the agent last showed a sign of life, if that is longer ago than its
 * heartbeat allows; REPORT_NEVER if the agent is alive or nothing is known. */
int64_t status_silent_since(const struct status *st);

/* When the agent did the last thing that the store or the file of the roles
 * shows; REPORT_NEVER: it never ran. */
int64_t status_last_sign(const struct status *st);

/* Events a second, of those that went through lately. */
double status_rate(const struct status *st, uint64_t recent);

/* What a mode of delivery proves, in a sentence without stop; NULL: the mode is
 * not known. */
const char *status_proves(const char *mode);

#endif /* WATCH_STATUS_H */
