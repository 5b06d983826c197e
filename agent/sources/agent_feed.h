/*
 * agent_feed.h - the agent's own feed "AGENT/agent", AGENT being its name.
 *
 * One JSON object an event, keys "type" and "time" first:
 *
 *   start, stop         version, cause, digest of the configuration without
 *                       its secrets, feeds
 *   configuration       the digest, after a reload
 *   heartbeat           every minute: "feeds":[{"feed","size",
 *                       "lag_seconds","backlog",…}], in several events
 *                       where there are many feeds
 *   gap                 one for each gap, exactly once; of an event that is
 *                       no JSON with its bytes as "event", in base64
 *   gap-event           where these are many, more of them: "gap", "part",
 *                       "parts", "event"
 *   gap-closed          what was a gap is listed again and fetched: the same
 *                       keys, "cause" says why, once for each closing
 *   dead-letter         one for each dead letter, exactly once
 *   replay              "state" begun or ended, "output", "from", "to",
 *                       "events" that were sent again: each exactly once
 *   backfill            "state" begun, or complete, cancelled or refused,
 *                       "feed", "from", "to", and at the end "events" that
 *                       were new, "repeats" that were there, "error"
 *   reconcile           "state" confirmed, missing or unconfirmed, "source",
 *                       "from", "to", how many records were "listed", the
 *                       feeds had ("confirmed"), had not ("missing"), have no
 *                       id ("without_id"), "error": each span exactly once;
 *                       or waiting, with class, code and "error"
 *   new-tree            one for each tree that a feed began because the one
 *                       before could not go on, with the cause
 *   version             "feed" and "events":[{"index","version_of"},…]:
 *                       events that have the vendor's id of an earlier one,
 *                       "FEED:INDEX", and other bytes; each exactly once
 *   error, recovered    the trouble of a feed, with class and code, or of an
 *                       output, at its first occurrence and every hour, with
 *                       the time until which it waits; and its end
 *   refused             a URL of the vendor that leads elsewhere
 *   certificate-expiry, credential-expiry, clock, paused, resumed
 *
 * It is sealed and shipped like any other: who reads the SIEM sees what the
 * agent could not do.
 */
#ifndef SOURCES_AGENT_FEED_H
#define SOURCES_AGENT_FEED_H

#include <jansson.h>
#include <stdint.h>

struct agent_feed;
struct err;
struct store;

/* agent: its name.  s is borrowed. */
struct agent_feed *agent_feed_open(struct store *s, const char *agent,
    struct err *err);
void agent_feed_close(struct agent_feed *a);

/* Queue an event with the members of more, which is taken and may be NULL.
 * Any thread. */
void agent_feed_say(struct agent_feed *a, const char *type, json_t *more);

/* Commit what is queued, and events for gaps and dead letters that are new
 * in the store.  1: something was committed; 0: nothing to do; -1: nothing
 * is lost, call again. */
int agent_feed_flush(struct agent_feed *a, struct err *err);

/* Feeds of the store as heartbeat and stop tell them, as many as one event may
 * have, from the one behind *after (a feed's id, 0: the first) on, which
 * becomes the last of them: the next call goes on there.  A new reference, an
 * empty array when there are no more; NULL with err. */
json_t *agent_feed_counts(struct store *s, int64_t *after, struct err *err);

/* A time as the events write it. */
json_t *agent_feed_time(int64_t when);

/* A span as they write it: seconds with at most three decimals; null for
 * INT64_MIN, which is not known. */
json_t *agent_feed_seconds(int64_t span);

/* Text that someone else wrote, UTF-8 or not. */
json_t *agent_feed_text(const char *s);

#endif /* SOURCES_AGENT_FEED_H */
