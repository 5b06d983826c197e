/*
 * ready.h - is the agent alive, and does it do its work?
 */
#ifndef WATCH_READY_H
#define WATCH_READY_H

struct err;
struct role;
struct status;

/*
 * Does the agent live?  0; -1 and err says what it is ill of: no heartbeat of
 * its own feed, which collect commits and seal signs every minute, or a store
 * that is full, so that collecting pauses.  What a vendor or a receiver suffers
 * from is not the agent's illness.
 */
int ready_alive(const struct status *st, const struct role *r, struct err *err);

/*
 * Does it do its work?  0; -1 and err names what does not: as above, a feed
 * that was never read since the start or stands still, fetches that all fail, a
 * clock that is off, an output that gets nothing delivered.
 */
int ready_works(const struct status *st, const struct role *r, struct err *err);

#endif /* WATCH_READY_H */
