/*
 * main.c - the subcommands, in the order of the usage text.
 */
#include <stddef.h>

#include "base/mem.h"
#include "cmd/cmd.h"

static const struct cmd *const cmds[] = {
	&cmd_run,
	&cmd_check,
	&cmd_status,
	&cmd_verify,
	&cmd_export,
	&cmd_trace,
	&cmd_gaps,
	&cmd_dead_letters,
	&cmd_store_state,
	&cmd_keygen,
	&cmd_options,
	&cmd_version,
	&cmd_help,
	NULL,
};

int
main(int argc, char **argv)
{
	mem_strict();
	mem_keep();
	return cmd_main(cmds, argc, argv);
}
