/*
 * receiver.h - one receiver, as the files of the syslog output see it.
 */
#ifndef OUTPUTS_SYSLOG_RECEIVER_H
#define OUTPUTS_SYSLOG_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "outputs/output.h"
#include "outputs/syslog/confirm.h"

struct framer;
struct link;
struct syslog_conf;
struct tls;

/* What delivery is worth, for status. */
#define MODE_CONFIRMED "confirmed"
#define MODE_UNCONFIRMED "unconfirmed"
#define MODE_UNKNOWN "not known yet"

/* Parcels, and beside hold.bytes bytes, between the store and their
 * confirmation.  Most parcels are small, and none may wait for the
 * confirmation of others. */
#define FLIGHTS 128
#define FLIGHT_BYTES (4 << 20)

struct flight {
	struct parcel *parcel;
	uint64_t end;    /* link_sent() behind its last byte */
	int64_t left_at; /* when all of that had left; 0: not yet */
};

struct siem {
	struct output *out;
	const struct syslog_conf *conf;
	char host[256];
	char port[6];
	struct tls *tls;
	struct framer *framer;
	struct link *link;
	struct confirm confirm;
	bool up;            /* the link was, when last looked */
	bool known;         /* the peer answers requests */
	unsigned silent;    /* see SILENT_MOST */
	unsigned patience;  /* see PATIENCE_MOST */
	uint64_t answers;   /* of the link, taken into account */
	uint64_t delivered; /* parcels on this link */
	uint64_t due_end; /* link_sent() at the oldest request without answer */
	uint64_t counted; /* of link_sent(), in out->bytes */
	struct buf frames;
	size_t offset; /* of frames, written */
	/* Oldest first; those before written are on the wire whole, and of
	 * the next one so many lines are in frames or on the wire. */
	struct flight flight[FLIGHTS];
	size_t n;
	uint64_t bytes; /* of these */
	size_t written;
	size_t line;
	bool decided; /* since drive began */
};

/* Take the i-th flight out and tell its verdict. */
void siem_decide(struct siem *s, size_t i, enum verdict v, const char *why);

/* The first one is delivered. */
void siem_deliver(struct siem *s);

/* Deliver what the receiver has proven to have read. */
void siem_settle_proven(struct siem *s, int64_t now);

/* Ask it for proof, when it is time to; *wait as for confirm_wants(). */
void siem_ask(struct siem *s, bool idle, int64_t now, int64_t *wait);

/* Deliver what has been held long enough, where nothing can be proven. */
void siem_settle_held(struct siem *s, int64_t now, int64_t *wait);

#endif /* OUTPUTS_SYSLOG_RECEIVER_H */
