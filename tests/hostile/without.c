/*
 * without.c - a kernel that lacks something.
 *
 *	without [landlock] [seccomp] -- COMMAND…
 *
 * Runs COMMAND where the system calls of these fail as on a kernel that does
 * not know them.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#define LANDLOCK_CREATE_RULESET 444

/* Have one call fail; in the order of the arguments, filters add up. */
static int
forbid(unsigned number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = 4, .filter = code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
main(int argc, char **argv)
{
	int i, rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0 && rc == 0; i++)
		rc = forbid(strcmp(argv[i], "landlock") == 0
			? LANDLOCK_CREATE_RULESET
			: (unsigned)SYS_seccomp);
	if (rc != 0 || i + 1 >= argc) {
		(void)fprintf(stderr, "without: %s\n", strerror(errno));
		return 2;
	}
	(void)execvp(argv[i + 1], argv + i + 1);
	(void)fprintf(stderr, "without: %s: %s\n", argv[i + 1],
	    strerror(errno));
	return 2;
}
