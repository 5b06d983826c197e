/*
 * replay.c - `sealfeed replay`: have an output sent again what the store
 * keeps.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_put.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/span.h"
#include "config/config.h"
#include "store/replay.h"

/* The output that is meant; 0, or -1 with err. */
static int
find_output(const struct config *config, const char *name, struct replay *r,
    struct err *err)
{
	struct buf names = BUF_INIT(64 * 1024);

	for (size_t i = 0; i < config->n_outputs; i++) {
		const char *known = config->outputs[i].name;

		(void)!buf_addf(&names, "%s%s", i > 0 ? ", " : "", known);
		if (strcmp(known, name) != 0)
			continue;
		(void)snprintf(r->output, sizeof(r->output), "%s", name);
		buf_release(&names);
		return 0;
	}
	(void)err_set(err, "%s: there is no output \"%s\"; there is %s",
	    config->path, name, names.len > 0 ? names.data : "none");
	buf_release(&names);
	return -1;
}

static int
say(const struct cmd_line *line, const struct replay *r, uint64_t kept,
    uint64_t gone, struct err *err)
{
	struct buf out = BUF_INIT(4096);
	struct json_put j = JSON_PUT_INIT(&out);
	int rc = 0;

	if (line->json) {
		json_put_open(&j, NULL, '{');
		json_put_text(&j, "output", r->output);
		json_put_time(&j, "from", r->from);
		json_put_time(&j, "to", r->to);
		json_put_count(&j, "events", kept);
		json_put_count(&j, "not_kept", gone);
		json_put_close(&j, '}');
		rc = j.rc != 0 ? -1 : buf_adds(&out, "\n");
	} else if (kept == 0) {
		rc = buf_adds(&out,
		    "The store keeps no events that were collected then.\n");
	} else {
		rc = buf_addf(&out,
		    "%" PRIu64 " event%s will be sent again to %s.\n"
		    "The agent does this beside what is new, or when it next "
		    "runs;\n\"sealfeed status\" shows how far it is.\n",
		    kept, kept == 1 ? "" : "s", r->output);
	}
	if (rc == 0 && !line->json && gone > 0)
		rc = buf_addf(&out,
		    "No longer kept, and not sent again: at least %" PRIu64
		    " (agent.retain)\n",
		    gone);
	rc = rc != 0 ? err_set(err, "too much to say") : cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

static int
ask(const struct cmd_line *line, const struct config *config, struct replay *r,
    struct err *err)
{
	uint64_t kept, gone;
	struct store *s;
	int rc;

	if (find_output(config, cmd_value(line, "output"), r, err) != 0)
		return -1;
	/* Not to make a store, which is for the agent. */
	s = cmd_store(config, STORE_READ, err);
	if (s == NULL)
		return -1;
	store_close(s);
	if (cmd_as_owner(config, err) != 0)
		return -1;
	s = cmd_store(config, STORE_DURABLE, err);
	if (s == NULL)
		return -1;
	rc = replay_count(s, r, &kept, &gone, err);
	if (rc == 0 && kept > 0)
		rc = replay_add(s, r, err);
	if (rc == 0)
		rc = say(line, r, kept, gone, err);
	store_close(s);
	return rc;
}

static int
replay_command(const struct cmd *cmd, struct cmd_line *line)
{
	struct replay r = { .id = 0 };
	struct err err = ERR_INIT;
	struct config *config;
	int rc;

	if (cmd_value(line, "output") == NULL)
		return cmd_misused(cmd, "--output NAME is missing");
	/* What is still to come is delivered anyway. */
	rc = cmd_span(cmd, line, &r.from, &r.to);
	if (rc != 0)
		return rc;
	config = cmd_config(line);
	if (config == NULL)
		return EXIT_CONF;
	if (ask(line, config, &r, &err) != 0)
		rc = cmd_failed(cmd, &err);
	config_free(config);
	return rc;
}

static const struct cmd_option replay_options[] = {
	{ .name = "output",
	    .value = "OUTPUT",
	    .help = "The output that gets the events again." },
	{ .name = "from",
	    .value = "TIME",
	    .help = "Events that were collected then or later: a time as "
		    "2026-11-22T04:00:00Z or 2026-11-22, or how long ago, as "
		    "6h." },
	{ .name = "to",
	    .value = "TIME",
	    .help = "… and before this time. Default: now." },
	{ .name = NULL },
};

const struct cmd cmd_replay = {
	.name = "replay",
	.summary = "Send an output again what the store keeps.",
	.help =
	    "Have the events of a span of time sent again to an output, with "
	    "their checkpoints, the same bytes under the same feed and index, "
	    "as far as the store keeps them (agent.retain): for a SIEM that "
	    "lost what it had. The time is that at which they were collected. "
	    "The agent does it beside what is new, which goes first, and goes "
	    "on where it was after a stop or a crash; it may then send a "
	    "little twice. Status shows how far it is, and the agent's own "
	    "feed tells when it was asked for and when it ended.",
	.options = replay_options,
	.run = replay_command,
};
