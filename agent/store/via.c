/*
 * via.c - how an event came to the agent.
 */
#include <stddef.h>
#include <string.h>

#include "store/via.h"

static const char *const names[] = {
	[VIA_FEED] = NULL,
	[VIA_BACKFILL] = "backfill",
	[VIA_AUDIT_QUERY] = "audit-query",
	[VIA_QUERY] = "query",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == VIAS, "a via has no name");

const char *
via_name(enum via via)
{
	return names[via];
}

const char *
via_known(struct slice name)
{
	for (size_t i = 0; name.data != NULL && i < VIAS; i++)
		if (names[i] != NULL && strlen(names[i]) == name.len &&
		    memcmp(names[i], name.data, name.len) == 0)
			return names[i];
	return NULL;
}

enum via
via_number(int64_t number)
{
	return number >= 0 && number < VIAS ? (enum via)number : VIA_FEED;
}

enum via
via_named(const char *name)
{
	for (int i = 0; name != NULL && i < VIAS; i++)
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return (enum via)i;
	return VIA_FEED;
}
