/*
 * agents.h - whose events are those that name no agent.
 *
 * Several agents may have a feed of the same name in one archive, each with a
 * tree of its own.  Checkpoints say whose they are, by their signature; lines
 * of events may not: syslog servers keep no field for it, and version 0.1 wrote
 * none.  Such an event belongs to the tree whose check code it matches; what
 * matches none fills a gap of one, or continues one.
 */
#ifndef VERIFY_AGENTS_H
#define VERIFY_AGENTS_H

#include <stddef.h>

#include "verify/stream.h"

/* Settle the streams of one feed's name, which are sorted (stream_sort()), at
 * most one of them without an agent: its events move to the others, as far as
 * it is known where; of what is left owned is set. */
void agents_settle(struct stream **group, size_t n);

#endif /* VERIFY_AGENTS_H */
