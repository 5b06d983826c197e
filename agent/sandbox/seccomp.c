/*
 * seccomp.c - the system calls that this process may make.
 *
 * The filter has one answer to what it does not allow, the signal SIGSYS, and
 * no way to get rid of its handler, which tells what was tried: the kernel's
 * own answer "kill" would tell nobody.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/err.h"
#include "sandbox/seccomp.h"

static _Atomic uint64_t *fatal; /* NULL: nobody wants to know */

void
seccomp_note(_Atomic uint64_t *call)
{
	fatal = call;
}

#ifdef HAVE_SECCOMP

#include <seccomp.h>

#include "base/late.h"
#include "base/log.h"
#include "sandbox/calls.h"

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code of a signal by a filter */
#endif

#define FUNCTIONS(EACH)      \
	EACH(attr_set)       \
	EACH(init)           \
	EACH(load)           \
	EACH(release)        \
	EACH(rule_add_array) \
	EACH(syscall_resolve_name)

#define NAME(name) "seccomp_" #name,
#define MEMBER(name) __typeof__(seccomp_##name) *name;

static const char *const names[] = { FUNCTIONS(NAME) };

static union {
	struct {
		FUNCTIONS(MEMBER)
	} call;
	void *any[sizeof(names) / sizeof(names[0])];
} library;

/* Its memory is not needed once the filter is in the kernel. */
static struct late_library late = {
	.file = LIBSECCOMP_FILE,
	.names = names,
	.functions = library.any,
	.n = sizeof(names) / sizeof(names[0]),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

#define CALLS_MAX 1024 /* numbers of calls that are told once */

static atomic_bool told[CALLS_MAX];

/* Is it allowed with other arguments? */
static bool
is_in_part(const char *name)
{
	for (size_t i = 0; i < n_calls_allowed; i++)
		if (strcmp(calls_allowed[i].name, name) == 0)
			return true;
	return false;
}

static void
set_result(void *context, long result)
{
	ucontext_t *c = context;

#if defined(__x86_64__)
	c->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
	c->uc_mcontext.regs[0] = (uint64_t)result;
#else
	(void)c;
	(void)result;
#endif
}

/* By what a signal handler may call. */
static void
tell(const char *name, int number, bool ends)
{
	char digits[16], *at = digits + sizeof(digits) - 1;
	const char *const sentence[] = { "tried the system call ", name,
		ends ? ", which this role never makes, and is ended for it: "
		       "someone else may be at work in it"
		     : ", which is not among those of this role, and was "
		       "refused: a newer library may make it, or someone else "
		       "be at work here",
		NULL };
	const char *unnamed[] = { sentence[0], "number ", at, sentence[2],
		NULL };

	if (name[0] != '?') {
		log_from_handler(LOG_LEVEL_ERR, sentence);
		return;
	}
	*at = '\0';
	for (int n = number < 0 ? 0 : number; at == unnamed[2] || n > 0;
	     n /= 10)
		*--at = (char)('0' + n % 10);
	unnamed[2] = at;
	log_from_handler(LOG_LEVEL_ERR, unnamed);
}

/* The call was not executed. */
static void
on_sigsys(int sig, siginfo_t *info, void *context)
{
	const int saved = errno;
	const int number = info->si_code == SYS_SECCOMP ? info->si_syscall : -1;
	const char *name = calls_name(number);
	const bool ends = info->si_code != SYS_SECCOMP || calls_is_deadly(name);
	const bool known = number >= 0 && number < CALLS_MAX &&
	    atomic_exchange(&told[number], true);

	(void)sig;
	if (ends || !known)
		tell(name, number, ends);
	/* Blocked as the signal is now, the next one is fatal. */
	if (ends && fatal != NULL)
		*fatal = (uint64_t)number + 1;
	if (ends)
		(void)syscall(SYS_execve, NULL, NULL, NULL);
	set_result(context, is_in_part(name) ? -EPERM : -ENOSYS);
	errno = saved;
}

static struct scmp_arg_cmp
comparison(const struct call_argument *a)
{
	struct scmp_arg_cmp c = { .arg = a->at,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = a->bits,
		.datum_b = a->value == CALLS_OWN_PROCESS
		    ? (scmp_datum_t)getpid()
		    : a->value };

	if (a->other) {
		c.op = SCMP_CMP_NE;
		c.datum_a = a->value;
		c.datum_b = 0;
	}
	return c;
}

/* What becomes of a call with these arguments: 0 or a negative errno. */
static int
add_rule(scmp_filter_ctx filter, uint32_t action, const char *name,
    const struct call_argument argument[2])
{
	struct scmp_arg_cmp compare[2];
	unsigned n = 0;
	int number = library.call.syscall_resolve_name(name);

	/* An older library does not know it, so nobody needs it. */
	if (number == __NR_SCMP_ERROR)
		return 0;
	for (; n < 2 && argument[n].bits != 0; n++)
		compare[n] = comparison(&argument[n]);
	return library.call.rule_add_array(filter, action, number, n, compare);
}

static int
fill(scmp_filter_ctx filter, unsigned who)
{
	int rc = 0;

	for (size_t i = 0; i < n_calls_allowed && rc == 0; i++)
		if ((calls_allowed[i].roles & who) != 0)
			rc = add_rule(filter, SCMP_ACT_ALLOW,
			    calls_allowed[i].name, calls_allowed[i].argument);
	for (size_t i = 0; i < n_calls_refused && rc == 0; i++) {
		const struct call_refusal *r = &calls_refused[i];

		if ((r->roles & who) != 0 && (r->unless & who) == 0)
			rc =
			    add_rule(filter, SCMP_ACT_ERRNO((unsigned)r->error),
				r->name, r->argument);
	}
	return rc;
}

static int
load(unsigned who)
{
	scmp_filter_ctx filter = library.call.init(SCMP_ACT_TRAP);
	int rc;

	if (filter == NULL)
		return -ENOMEM;
	rc = library.call.attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	/* Filters make processes slower than they need be where the kernel
	 * takes them for a browser's. */
	(void)library.call.attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)library.call.attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = fill(filter, who);
	if (rc == 0)
		rc = library.call.load(filter);
	library.call.release(filter);
	return rc;
}

int
seccomp_available(struct err *err)
{
	uint32_t trap = SECCOMP_RET_TRAP;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) != 0)
		return err_set(err,
		    "the kernel has no filter of system calls: %s",
		    strerror(errno));
	if (!late_try(&late))
		return err_set(err, "%s cannot be loaded; install it",
		    LIBSECCOMP_FILE);
	late_unload(&late);
	return 0;
}

int
seccomp_enter(unsigned who, struct err *err)
{
	struct sigaction act = { .sa_sigaction = on_sigsys,
		.sa_flags = SA_SIGINFO };
	int rc;

	if (!late_try(&late))
		return err_set(err, "%s cannot be loaded; install it",
		    LIBSECCOMP_FILE);
	(void)sigemptyset(&act.sa_mask);
	(void)sigaction(SIGSYS, &act, NULL);
	rc = load(who);
	late_unload(&late);
	if (rc != 0)
		return err_set(err, "seccomp: %s", strerror(-rc));
	return 0;
}

#else

int
seccomp_available(struct err *err)
{
	return err_set(err, "this program was built without libseccomp");
}

int
seccomp_enter(unsigned who, struct err *err)
{
	(void)who;
	return seccomp_available(err);
}

#endif
