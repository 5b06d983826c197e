/*
 * roles.c - the roles: what each runs, and what it gets.
 */
#include "run/roles.h"
#include "collect/collect.h"
#include "run/recover.h"
#include "seal/seal.h"
#include "ship/ship.h"
#include "watch/watch.h"

#define BIT(kind) (1U << (kind))

const struct role_row roles[ROLE_KINDS] = {
	[ROLE_COLLECT] = { .name = "collect",
	    .run = collect_run,
	    .share = { .sources = CONFIG_WHOLE, .outputs = CONFIG_PUBLIC },
	    .network = true,
	    .wakes = BIT(ROLE_SEAL) },
	[ROLE_SEAL] = { .name = "seal",
	    .run = seal_run,
	    .share = { .key = true },
	    .wakes = BIT(ROLE_SHIP) },
	[ROLE_SHIP] = { .name = "ship",
	    .run = ship_run,
	    .share = { .sources = CONFIG_PUBLIC, .outputs = CONFIG_WHOLE },
	    .network = true,
	    .wakes = BIT(ROLE_COLLECT) },
	[ROLE_WATCH] = { .name = "watch",
	    .prepare = watch_prepare,
	    .run = watch_run,
	    .share = { .sources = CONFIG_PUBLIC, .outputs = CONFIG_PUBLIC } },
	[ROLE_RECOVER] = { .name = "recover",
	    .run = recover_run,
	    .share = { .outputs = CONFIG_PUBLIC } },
};
