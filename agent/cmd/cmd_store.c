/*
 * cmd_store.c - shared by the subcommands that read the store.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "config/config.h"
#include "run/lock.h"
#include "run/types.h"

struct config *
cmd_config(const struct cmd_line *line)
{
	struct config_errors errors = { .n = 0 };
	struct config *config =
	    config_load(line->config, &agent_types, &errors);

	if (config == NULL)
		(void)cmd_faulty(line->cmd, &errors);
	config_errors_release(&errors);
	return config;
}

struct store *
cmd_store(const struct config *config, enum store_access access,
    struct err *err)
{
	const char *path = config->agent.store.path;
	int64_t old = 0;

	if (lock_is_elsewhere(path)) {
		(void)err_set(err,
		    "%s: a hard link to the store of an agent that runs, or a "
		    "mount of its file; name the store as that agent's "
		    "agent.store.path does, since what is new stands beside "
		    "that name",
		    path);
		return NULL;
	}
	/* The agent makes a backup before it migrates. */
	if (access != STORE_READ && store_older(path, &old, err) != 0)
		return NULL;
	if (old == 0)
		return store_open(path, access, err);
	(void)err_set(err,
	    "%s: last written by an older version of sealfeed; start the agent "
	    "once, then ask again",
	    path);
	return NULL;
}

int
cmd_as_owner(const struct config *config, struct err *err)
{
	const char *path = config->agent.store.path;
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? xstrdup(".")
				  : xstrndup(path, (size_t)(slash - path) + 1);
	struct stat st;
	int rc = 0;

	if (geteuid() != 0)
		goto out;
	if (stat(dir, &st) != 0)
		rc = err_set(err, "%s: %s", dir, strerror(errno));
	else if (st.st_uid != 0 &&
	    (setgroups(0, NULL) != 0 || setgid(st.st_gid) != 0 ||
		setuid(st.st_uid) != 0))
		rc = err_set(err,
		    "%s: its owner, whom the agent runs as, cannot be become: "
		    "%s; run this as that user",
		    dir, strerror(errno));
out:
	free(dir);
	return rc;
}

int
cmd_print(struct buf *out, struct err *err)
{
	if (fwrite(out->data == NULL ? "" : out->data, 1, out->len, stdout) !=
		out->len ||
	    fflush(stdout) != 0)
		return err_set(err, "standard output cannot be written: %s",
		    strerror(errno));
	buf_clear(out);
	return 0;
}

int
cmd_number(const char *text, int64_t *n)
{
	int64_t value = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *text - '0', &value))
			return -1;
	}
	*n = value;
	return 0;
}
