/*
 * taken.c - sealfeed as ever, but for a collect that somebody has taken over:
 * once it works it does what nobody may do there, run another program.
 */
#include <unistd.h>

#include "base/role.h"
#include "collect/collect.h"

static int
taken_run(const struct role *r)
{
	char *const argv[] = { NULL };

	role_ready(r);
	role_rest(r, 100);
	(void)execve("/bin/true", argv, argv);
	return 0;
}

#define collect_run taken_run
#include "run/roles.c"
