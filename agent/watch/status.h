/*
 * status.h - how the agent does, as the store tells it, and how that reads.
 *
 * Reading needs no running agent.  The renderers are functions of the struct
 * alone.
 */
#ifndef WATCH_STATUS_H
#define WATCH_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "store/report.h"
#include "store/store.h"
#include "store/trouble.h"

struct buf;
struct config;
struct err;

/* Largest text that the renderers write. */
#define STATUS_MAX (64 * 1024 * 1024)

struct status {
	const struct config *config; /* borrowed */
	int64_t now;
	struct store_room room;
	struct feed_report *feeds;
	size_t n_feeds;
	struct output_report *outputs;
	size_t n_outputs;
	uint64_t gaps;      /* ever recorded */
	uint64_t gaps_open; /* that were not closed */
	struct trouble *troubles;
	size_t n_troubles;
};

/* Fill *st (zeroed before) from the store, as of now; release it in any
 * case. */
int status_read(struct store *s, const struct config *config, struct status *st,
    struct err *err);
void status_release(struct status *st);

/* When the vendor deletes the oldest of what is unread in a feed: the listed
 * item that expires first, or what became available at the horizon, with the
 * retention of its source.  REPORT_NEVER: not known. */
int64_t status_deletion(const struct config *config,
    const struct feed_report *f);

/* The soonest deletion over all feeds; see status_deletion(). */
int64_t status_first_deletion(const struct status *st);

/* When the agent last showed a sign of life, if that is longer ago than its
 * heartbeat allows; REPORT_NEVER if the agent is alive or nothing is known. */
int64_t status_silent_since(const struct status *st);

/* Append for people: lines no wider than TABLE_WIDTH. */
int status_text(const struct status *st, struct buf *out);

/* Append one JSON object on one line; times in RFC 3339, spans in seconds,
 * sizes in bytes, null for what is not known. */
int status_json(const struct status *st, struct buf *out);

#endif /* WATCH_STATUS_H */
