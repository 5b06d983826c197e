/*
 * roles.c - the roles: what each runs, and what it gets.
 */
#include "run/roles.h"
#include "collect/collect.h"
#include "run/recover.h"
#include "seal/seal.h"
#include "ship/ship.h"
#include "watch/watch.h"

const struct role_row roles[ROLE_KINDS] = {
	[ROLE_COLLECT] = { "collect", collect_run,
	    { .sources = CONFIG_WHOLE, .outputs = CONFIG_PUBLIC },
	    .network = true },
	[ROLE_SEAL] = { "seal", seal_run, { .key = true } },
	[ROLE_SHIP] = { "ship", ship_run,
	    { .sources = CONFIG_PUBLIC, .outputs = CONFIG_WHOLE },
	    .network = true },
	[ROLE_WATCH] = { "watch", watch_run,
	    { .sources = CONFIG_PUBLIC, .outputs = CONFIG_PUBLIC } },
	[ROLE_RECOVER] = { "recover", recover_run,
	    { .outputs = CONFIG_PUBLIC } },
};
