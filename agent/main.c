/*
 * main.c - the subcommands, in the order of the usage text; or a role.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "run/hand_over.h"

static const struct cmd *const cmds[] = {
	&cmd_setup,
	&cmd_run,
	&cmd_check,
	&cmd_status,
	&cmd_verify,
	&cmd_export,
	&cmd_trace,
	&cmd_gaps,
	&cmd_dead_letters,
	&cmd_replay,
	&cmd_backfill,
	&cmd_reconcile,
	&cmd_store_state,
	&cmd_keygen,
	&cmd_sources,
	&cmd_options,
	&cmd_version,
	&cmd_help,
	NULL,
};

/* A file that is opened must never get the number of a standard stream that
 * was closed: the log would be written into it.  What is printed to a standard
 * output that was closed alone is not lost silently, since nothing can be
 * written to it then; who closed standard error, too, asks for the exit status
 * and nothing else. */
static int
hold_standard_streams(void)
{
	const bool told = fcntl(STDERR_FILENO, F_GETFD) >= 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		const int way = fd == STDOUT_FILENO && told ? O_RDONLY : O_RDWR;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", way) != fd)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (hold_standard_streams() != 0)
		return EXIT_WRONG;
	/* GnuTLS, which other libraries draw in and nobody calls, would make
	 * ready what costs each process 120 kB. */
	(void)setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
	mem_strict();
	mem_keep();
	if (argc > 0 &&
	    strncmp(argv[0], HAND_OVER_TITLE, strlen(HAND_OVER_TITLE)) == 0)
		return hand_over_take(argc, argv);
	return cmd_main(cmds, argc, argv);
}
