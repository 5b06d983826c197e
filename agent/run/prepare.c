/*
 * prepare.c - what must be true of the store before the roles start.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "run/prepare.h"
#include "seal/continuity.h"
#include "store/position.h"
#include "store/store.h"

/* Delivery positions of outputs that are gone must not hold batches back,
 * new outputs must be known before the next batch is let go. */
int
prepare_outputs(const struct config *c, struct err *err)
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

/* A sound store that knows the outputs and holds what was signed. */
int
prepare_contents(const struct config *config, struct err *err)
{
	char message[1024];

	if (store_check(config->agent.store.path, message, sizeof(message),
		err) == -1)
		return -1;
	if (message[0] != '\0')
		log_err("%s", message);
	if (prepare_outputs(config, err) == -1)
		return -1;
	return compare_log(config, err);
}
