/*
 * store.c - `sealfeed store restored`: what an administrator tells the agent
 * about its store.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "config/config.h"
#include "run/lock.h"
#include "seal/continuity.h"

/* 0 and *n trees, -1. */
static int
restored(const struct config *config, size_t *n, struct err *err)
{
	struct continuity c = { .agent = config->agent.name,
		.path = config->agent.seal.log };
	struct store_lock lock;
	int rc = -1;

	if (cmd_as_owner(config, err) != 0)
		return -1;
	if (lock_store(&lock, config->agent.store.path, 0, err) != 0)
		return -1;
	c.store = cmd_store(config, STORE_DURABLE, err);
	if (c.store != NULL)
		rc = continuity_restored(&c, n, err);
	store_close(c.store);
	lock_release(&lock);
	return rc;
}

static int
store_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct err err = ERR_INIT;
	struct config *config;
	size_t n = 0;
	int rc;

	if (strcmp(line->argv[0], "restored") != 0)
		return cmd_misused(cmd, "\"%.40s\" is unknown; known: restored",
		    line->argv[0]);
	config = cmd_config(line);
	if (config == NULL)
		return EXIT_CONF;
	rc = restored(config, &n, &err);
	if (rc == 0 && line->json)
		(void)printf("{\"new_trees\":%zu}\n", n);
	else if (rc == 0)
		(void)printf("%zu feeds begin a new tree when the agent "
			     "starts.\n",
		    n);
	config_free(config);
	return rc != 0 ? cmd_failed(cmd, &err) : EXIT_FINE;
}

const struct cmd cmd_store_state = {
	.name = "store",
	.arguments = "restored",
	.summary = "Say that the store was restored from a backup.",
	.help =
	    "\"store restored\" says that the store was restored from a "
	    "backup: every feed that has events goes on in a new tree, so that "
	    "no index stands for two events. The agent notices this by itself "
	    "as long as the log of what was signed (agent.seal.log) is there; "
	    "the command is for when that was lost or restored, too, and "
	    "begins another log in place of one that is gone or damaged. What "
	    "was collected and not signed is fetched again from the vendor. "
	    "The agent must be stopped; run this as root or as the agent's "
	    "user.",
	.min = 1,
	.max = 1,
	.run = store_run,
};
