/*
 * sources_new.c - `sealfeed sources --new`: the frame of a definition.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/sources_private.h"
#include "config/config.h"

/* It is a good definition as it stands, of a vendor that does not exist. */
static const char frame[] =
    "# A vendor's audit API, as sealfeed reads it.  Each line is an example: "
    "put the\n"
    "# vendor's own in its place, then try it:\n"
    "#\n"
    "#     sealfeed sources --test %s.yaml token_file=FILE\n"
    "#\n"
    "# \"sealfeed options definition\" has all keys; the definitions that "
    "come with\n"
    "# sealfeed are good examples.  In /etc/sealfeed/sources.d it is the "
    "source type\n"
    "# \"%s\".\n"
    "name: %s\n"
    "title: \"%s: audit log\"\n"
    "docs: https://docs.example.com/audit\n"
    "# What to create at the vendor, step by step.\n"
    "setup:\n"
    "  - Create an API token that may read the audit log.\n"
    "limits: What the API limits, and what it cannot see.\n"
    "noise: Which events the vendor makes of our own requests.\n"
    "interval: 60s\n"
    "# The options of a source: text, host, secret, pem or choice.\n"
    "variables:\n"
    "  token: { type: secret, required: true, help: API token. }\n"
    "hosts:\n"
    "  api: https://api.example.com\n"
    "# Also basic, oauth2, and more.\n"
    "auth: { kind: header, value: \"Bearer {token}\" }\n"
    "# What the vendor allows; its own waits come on top.\n"
    "rate: { requests: 60, per: 60s }\n"
    "# What replies mean where their status alone does not say it.\n"
    "rules:\n"
    "  - { status: 403, class: configuration, cause: the token may not read "
    "the audit log, hint: give it the permission audit.read }\n"
    "streams:\n"
    "  audit:\n"
    "    title: What users and administrators do\n"
    "    permissions: [audit.read]\n"
    "    # How long the vendor keeps events.\n"
    "    retention: 30d\n"
    "    request:\n"
    "      path: /v1/audit\n"
    "      query: { from: \"{window.start|rfc3339}\", to: "
    "\"{window.end|rfc3339}\", limit: \"100\" }\n"
    "    # Windows of time, each read again for overlap and by sweeps, since "
    "events\n"
    "    # may appear late.  Where the vendor has a cursor in the order of "
    "processing:\n"
    "    # kind: token.\n"
    "    cursor: { kind: window, span: 1h, overlap: 10m, order: newest, "
    "sweeps: [{ every: 1h, back: 6h }, { every: 24h, back: 48h }] }\n"
    "    # Where the next page is: here a token in the reply that goes into "
    "the query.\n"
    "    page: { kind: token, from: [/next], to: page }\n"
    "    # Where the events are in a reply, and in each its id and time.\n"
    "    records: { at: [/events] }\n"
    "    id: /id\n"
    "    time: { at: /created_at, format: rfc3339 }\n";

/* The name of the type that FILE makes; NULL: it can be none. */
static char *
name_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;
	const size_t len = strlen(base), end = strlen(".yaml");
	char *name;

	if (len <= end || strcmp(base + len - end, ".yaml") != 0)
		return NULL;
	name = xstrndup(base, len - end);
	if (config_good_name(name) && *name != '.')
		return name;
	free(name);
	return NULL;
}

static int
say(const struct cmd_line *line, const char *file, const char *name)
{
	if (line->json)
		return cmd_print_json(json_pack("{s:s, s:s}", "file", file,
					  "type", name),
		    stdout);
	(void)printf("%s: written; put the vendor's own in place of each "
		     "example, then run\n\"sealfeed sources --test %s "
		     "token_file=FILE\", and copy it to\n"
		     "/etc/sealfeed/sources.d, where it is the source type "
		     "\"%s\"\n",
	    file, file, name);
	return 0;
}

int
sources_new(const struct cmd *cmd, const struct cmd_line *line,
    const char *file)
{
	struct buf text = BUF_INIT(64 * 1024);
	struct err err = ERR_INIT;
	char *name = name_of(file);
	int rc;

	if (name == NULL)
		return cmd_misused(cmd,
		    "--new %s: the file must be NAME.yaml, where NAME is the "
		    "source type: letters, digits, \".\", \"_\" and \"-\"",
		    file);
	if (buf_addf(&text, frame, name, name, name, name) != 0)
		mem_gone();
	rc = file_create(file, text.data, text.len, 0644, &err);
	if (rc != 0)
		rc = cmd_failed(cmd, &err);
	else if (say(line, file, name) != 0)
		rc = EXIT_WRONG;
	buf_release(&text);
	free(name);
	return rc;
}
