/*
 * run.c - `sealfeed run`.
 */
#include <signal.h>

#include "base/err.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "run/supervise.h"
#include "run/types.h"

static int
run(const struct cmd *cmd, struct cmd_line *line)
{
	struct config_errors errors = { 0 };
	struct err err = ERR_INIT;
	struct config *config;
	int rc;

	/* A log that nobody reads any more is no reason to end. */
	(void)signal(SIGPIPE, SIG_IGN);
	config = config_load(line->config, &agent_types, &errors);
	if (config == NULL)
		(void)cmd_faulty(cmd, &errors);
	config_errors_release(&errors);
	if (config == NULL)
		return EXIT_CONF;
	if (config->n_outputs == 0) {
		(void)err_set(&err,
		    "%s: no outputs are configured, so nothing can be "
		    "delivered; add one",
		    line->config);
		config_free(config);
		return cmd_error(cmd, EXIT_CONF, err.text);
	}
	log_open("sealfeed", (enum log_level)config->agent.log_level);
	rc = supervise(line->config, config, &err);
	/* For people it is in the log. */
	if (err.text[0] != '\0' && line->json)
		(void)cmd_failed(cmd, &err);
	return rc;
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
