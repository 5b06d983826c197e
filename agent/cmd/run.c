/*
 * run.c - `sealfeed run`.
 */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "run/supervise.h"
#include "run/types.h"

static int
run(const struct cmd *cmd, struct cmd_line *line)
{
	struct config_errors errors = { 0 };
	struct config *config;

	(void)cmd;
	/* A log that nobody reads any more is no reason to end. */
	(void)signal(SIGPIPE, SIG_IGN);
	config = config_load(line->config, &agent_types, &errors);
	for (size_t i = 0; i < errors.n; i++)
		(void)fprintf(stderr, "%s\n", errors.line[i]);
	config_errors_release(&errors);
	if (config == NULL)
		return EXIT_CONF;
	if (config->n_outputs == 0) {
		(void)fprintf(stderr,
		    "%s: no outputs are configured, so nothing can be "
		    "delivered; add one\n",
		    line->config);
		config_free(config);
		return EXIT_CONF;
	}
	log_open("sealfeed", (enum log_level)config->agent.log_level);
	return supervise(line->config, config);
}

const struct cmd cmd_run = {
	.name = "run",
	.arguments = "",
	.summary = "Run the agent in the foreground.",
	.help = "Run the agent in the foreground: collect, seal and ship. At "
		"least one output must be configured; without a source, only "
		"the agent's own feed is delivered.",
	.run = run,
};
