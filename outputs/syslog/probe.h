/*
 * probe.h - what `check --live` finds out about a syslog receiver.
 */
#ifndef OUTPUTS_SYSLOG_PROBE_H
#define OUTPUTS_SYSLOG_PROBE_H

struct buf;
struct err;
struct link;
struct syslog_conf;

/*
 * Open l, find out whether a syslog receiver is there and whether it gives
 * receipts, and append to message what was found and what it proves.  Nothing
 * that a receiver would store is sent.  -1 with cause and hint.
 */
int syslog_reach(struct link *l, const struct syslog_conf *conf,
    struct buf *message, struct err *err);

#endif /* OUTPUTS_SYSLOG_PROBE_H */
