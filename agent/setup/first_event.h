/*
 * first_event.h - has an event made its way through?
 */
#ifndef SETUP_FIRST_EVENT_H
#define SETUP_FIRST_EVENT_H

#include <stdbool.h>

struct config;
struct err;
struct store;
struct trace;

/* Look for an event of a source of config, or of the agent's own feed if own is
 * set, that every output has.  1: *t is one, the first where it is still known;
 * 0: there is none yet, and *t is one that is sealed, or has an empty feed;
 * -1. */
int first_event(struct store *s, const struct config *config, bool own,
    struct trace *t, struct err *err);

#endif /* SETUP_FIRST_EVENT_H */
