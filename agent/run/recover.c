/*
 * recover.c - a sound store, before the roles start.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "config/config.h"
#include "run/recover.h"
#include "seal/continuity.h"
#include "store/backup.h"
#include "store/position.h"
#include "store/store.h"

/* Delivery positions of outputs that are gone must not hold batches back, new
 * outputs must be known before the next batch is let go. */
static int
tell_outputs(const struct config *c, struct err *err)
{
	struct store *store;
	const char **names;
	int rc;

	/* Without an output, everything collected would count as delivered. */
	if (c->n_outputs == 0)
		return err_set(err,
		    "outputs: none is configured, so nothing can be delivered; "
		    "add one");
	store = store_open(c->agent.store.path, STORE_DURABLE, err);
	if (store == NULL)
		return -1;
	names = xcalloc(c->n_outputs, sizeof(*names));
	for (size_t i = 0; i < c->n_outputs; i++)
		names[i] = c->outputs[i].name;
	rc = position_set_outputs(store, names, c->n_outputs, err);
	free(names);
	store_close(store);
	return rc;
}

/* Nothing may be signed that contradicts what was.  Where the log cannot be
 * used, seal stands still and says so; the others go on. */
static int
compare_log(const struct config *config, struct err *err)
{
	const struct agent_conf *a = &config->agent;
	struct continuity c = { .agent = a->name, .path = a->seal.log };
	struct continuity_news news = { .text = "" };
	struct err why = ERR_INIT;

	c.store = store_open(a->store.path, STORE_DURABLE, err);
	if (c.store == NULL)
		return -1;
	if (continuity_check(&c, &news, &why) == -1)
		log_err("agent.seal.log: %s", why.text);
	if (news.text[0] != '\0')
		log_warn("%s", news.text);
	store_close(c.store);
	return 0;
}

/* A store that an older version wrote is kept as it is, for a way back.  One
 * that cannot be copied, as a damaged one, must not keep the agent down. */
static void
keep_old(const struct config *config)
{
	const struct agent_conf *a = &config->agent;
	struct err err = ERR_INIT;
	char message[1024];

	if (backup_before_migration(a->store.path, a->store.min_free, message,
		sizeof(message), &err) == -1)
		log_warn("no backup was made of the store as the older version "
			 "left it: %s",
		    err.text);
	else if (message[0] != '\0')
		log_notice("%s", message);
}

static int
repair_store(const struct config *config, struct err *err)
{
	char message[1024];

	keep_old(config);
	if (store_check(config->agent.store.path, message, sizeof(message),
		err) == -1)
		return -1;
	if (message[0] != '\0')
		log_err("%s", message);
	if (tell_outputs(config, err) == -1)
		return -1;
	return compare_log(config, err);
}

int
recover_run(const struct role *r)
{
	struct err err = ERR_INIT;

	if ((r->only_outputs ? tell_outputs(r->config, &err)
			     : repair_store(r->config, &err)) == 0)
		return EXIT_FINE;
	if (file_write_all(r->result_fd, err.text, strlen(err.text)) != 0)
		log_err("%s", err.text);
	return EXIT_WRONG;
}
