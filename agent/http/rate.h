/*
 * rate.h - one budget of requests for all threads of a source, and back-off.
 *
 * Vendors count requests per tenant, so one bucket is shared by all that a
 * source does.  It begins at the documented budget, grows while the vendor
 * does not object and the budget is what holds us back (larger tenants have
 * larger ones), and shrinks again, to no less than the documented one, when
 * the vendor throttles.
 */
#ifndef HTTP_RATE_H
#define HTTP_RATE_H

#include <stdint.h>

struct rate;

/* per_minute: the documented budget; most: what growth ends at. */
struct rate *rate_new(double per_minute, double max);
void rate_free(struct rate *r);

/*
 * May a request be made at now (monotonic)?  0: yes, and it is counted; else
 * ask again after so many microseconds.  reserve: requests that must be left
 * in the bucket for others, so that listings come before downloads.
 */
int64_t rate_take(struct rate *r, int64_t now, int reserve);

/* The same for what may wait for all others: half of what the bucket holds is
 * left to them.  rate_spare() only asks. */
int64_t rate_take_spare(struct rate *r, int64_t now);
int64_t rate_spare(struct rate *r, int64_t now);

/* The vendor throttled a request made at sent: everything pauses for wait,
 * or, if that is 0, for a time that grows with every pause in a row. */
void rate_throttled(struct rate *r, int64_t sent, int64_t now, int64_t wait);

/* No request before until (monotonic), for another reason. */
void rate_pause(struct rate *r, int64_t until);

/* A request was answered as hoped, or by no one: many in a row of these
 * without one of those pause the source for a while, so that an outage does
 * not turn a long ledger over again and again. */
void rate_good(struct rate *r);
void rate_bad(struct rate *r, int64_t now);

/* Requests a minute at present. */
double rate_budget(struct rate *r);

/* Some of most, by chance. */
int64_t jitter(int64_t most);

/* least * 2^n, at most most, less up to half of it by chance, so that many
 * clients do not come back together. */
int64_t backoff(unsigned n, int64_t min, int64_t max);

#endif /* HTTP_RATE_H */
