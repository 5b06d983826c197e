/*
 * link_state.h - what link.c and link_io.c share.
 */
#ifndef OUTPUTS_SYSLOG_LINK_STATE_H
#define OUTPUTS_SYSLOG_LINK_STATE_H

#include "base/err.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/resolve.h"
#include "outputs/syslog/tls.h"

/* In the order in which a connection goes through them. */
enum link_step {
	STEP_DOWN,
	STEP_RESOLVE,
	STEP_CONNECT,
	STEP_HANDSHAKE,
	STEP_UP
};

struct link {
	const char *host;
	const char *port;
	const struct tls *tls; /* NULL: plain TCP */
	int64_t timeout;
	enum link_step step;
	struct resolve *resolve;
	struct addrinfo *list;
	const struct addrinfo *next; /* to be tried */
	int fd;
	struct session session;
	struct err cert;  /* what is wrong with the peer's certificate */
	int64_t deadline; /* for opening */
	bool retry;       /* a write waits: nothing else may be written */
	bool asking;      /* a KeyUpdate is still to be flushed */
	uint64_t sent;    /* to the kernel, TCP: to l->fd */
	uint64_t acked;   /* when last looked */
	int64_t moved;    /* when something last did */
	char why[512];
	bool settings;
};

void link_drop(struct link *l);
void link_fail_tls(struct link *l, int rc);

/* Go on sending a KeyUpdate: 0, or -1 when the link is down now. */
int link_flush(struct link *l);

#endif /* OUTPUTS_SYSLOG_LINK_STATE_H */
