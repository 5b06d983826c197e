/*
 * cmd_rig.h - subcommands run as main() does, on a store made for the
 * occasion in a folder of its own.
 */
#ifndef TESTS_UNIT_CMD_RIG_H
#define TESTS_UNIT_CMD_RIG_H

#include "base/buf.h"
#include "tests/unit/unit.h"

struct cmd;
struct gap_row;
struct store;

/* The feed that there is. */
#define RIG_FEED "contoso/Audit.Exchange"

struct rig {
	struct store *store; /* durable */
	struct buf out;      /* what the last run printed */
	struct buf message;  /* … on standard error */
};
extern struct rig rig;

/* The subcommands, ended by NULL. */
extern const struct cmd *const rig_cmds[];

/* A test case whose tests begin with an empty store with one feed, and the
 * output "siem" configured. */
TCase *rig_case(const char *name);

/* A path in the folder; the next call overwrites it. */
char *rig_path(const char *name);

/* Write the configuration; more goes into its "agent" map. */
void rig_config(const char *more);

/* Run "SUBCOMMAND ARGUMENTS"; returns the exit status. */
int rig_run(const char *line);

/* Commit n events {"n":K} as one write batch, with a gap unless that is NULL.
 */
void rig_commit(int first, int n, const struct gap_row *gap);

/* Seal all that is there with a checkpoint whose value that is. */
void rig_seal(const char *value);

/* Before the end, for those who want it gone. */
void rig_close_store(void);

#endif /* TESTS_UNIT_CMD_RIG_H */
