/*
 * via.h - how an event came to the agent, where not by the polls of its feed.
 *
 * It travels beside the event ("via", line.h), in every dialect.  Numbers are
 * kept in the store, so that a new one goes to the end.
 */
#ifndef STORE_VIA_H
#define STORE_VIA_H

#include <stdint.h>

#include "base/text.h"

enum via {
	VIA_FEED,
	VIA_BACKFILL,    /* sealfeed backfill asked for its span of time */
	VIA_AUDIT_QUERY, /* only an audit log query had it (reconcile) */
	VIA_QUERY,       /* only a bounded query had it (reconcile) */
	VIAS
};

/* As it travels: "backfill"; NULL of VIA_FEED. */
const char *via_name(enum via via);

/* The one with that number, or with that name (NULL: VIA_FEED), which a newer
 * store may have more of: VIA_FEED then. */
enum via via_number(int64_t number);
enum via via_named(const char *name);

/* The same name as a text of its own that stays; NULL: it is none of these. */
const char *via_known(struct slice name);

#endif /* STORE_VIA_H */
