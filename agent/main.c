/*
 * main.c - the subcommands, in the order of the usage text.
 */
#include <stddef.h>

#include "cmd.h"

static const struct cmd *const cmds[] = {
	&cmd_verify,
	&cmd_help,
	&cmd_version,
	NULL,
};

int
main(int argc, char **argv)
{
	return cmd_main(cmds, argc, argv);
}
