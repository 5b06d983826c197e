/*
 * sandbox.c - the walls around a role.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "config/config.h"
#include "sandbox/calls.h"
#include "sandbox/landlock.h"
#include "sandbox/plan.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED CALLS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(undefined_behavior_sanitizer)
#define SANITIZED CALLS_SANITIZER
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0U
#endif

/* Which calls a role of this kind makes. */
static unsigned
calls_of(enum role_kind kind, const struct sandbox_plan *plan)
{
	return CALLS_EVERY | SANITIZED |
	    (kind == ROLE_WATCH ? CALLS_SERVES : 0) |
	    (plan->connects ? CALLS_CONNECTS : 0) |
	    (plan->names ? CALLS_NAMES : 0) | (plan->sockets ? CALLS_LOCAL : 0);
}

/* What sandbox_enter() has put up. */
static struct {
	bool seccomp;
	unsigned landlock;
	unsigned rules;
} standing;

unsigned
sandbox_possible(struct err *err)
{
	unsigned walls = 0;

	if (seccomp_available(err) == 0)
		walls |= SANDBOX_SECCOMP;
	if (landlock_abi() > 0)
		walls |= SANDBOX_LANDLOCK;
	else
		(void)err_set(err,
		    "the kernel has no Landlock, or it is not among its "
		    "security modules (lsm=)");
	return walls;
}

static int
enter_landlock(const struct sandbox_plan *plan, struct err *err)
{
	const int abi = landlock_abi();
	const int rules = landlock_enter(plan, abi, err);

	if (rules < 0)
		return -1;
	standing.landlock = (unsigned)abi;
	standing.rules = (unsigned)rules;
	return 0;
}

int
sandbox_enter(const struct role *r, unsigned walls, struct err *err)
{
	struct sandbox_plan plan;
	unsigned calls;
	int rc = 0;

	sandbox_plan_make(&plan, r->kind, r->config, r->output, true);
	calls = calls_of(r->kind, &plan);
	if ((walls & SANDBOX_LANDLOCK) != 0)
		rc = enter_landlock(&plan, err);
	sandbox_plan_release(&plan);
	/* The last, since it allows none of the calls that Landlock takes. */
	if (rc == 0 && (walls & SANDBOX_SECCOMP) != 0) {
		rc = seccomp_enter(calls, err);
		standing.seccomp = rc == 0;
	}
	return rc;
}

void
sandbox_note_call(_Atomic uint64_t *call)
{
	seccomp_note(call);
}

const char *
sandbox_call_name(uint64_t call)
{
	return call == 0 || call > INT32_MAX ? "?"
					     : calls_name((int)(call - 1));
}

/* The effective capabilities of this process. */
static uint64_t
capabilities(void)
{
	FILE *in = fopen("/proc/self/status", "re");
	unsigned long long bits = 0;
	char line[256];

	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		if (sscanf(line, "CapEff: %llx", &bits) == 1)
			break;
	if (in != NULL)
		(void)fclose(in);
	return bits;
}

void
sandbox_look(struct sandbox_state *state)
{
	*state = (struct sandbox_state){ .uid = geteuid(),
		.capabilities = capabilities(),
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.seccomp = standing.seccomp,
		.landlock = standing.landlock,
		.rules = standing.rules };
}
