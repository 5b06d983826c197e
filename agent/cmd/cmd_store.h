/*
 * cmd_store.h - shared by the subcommands that read the store.
 */
#ifndef CMD_CMD_STORE_H
#define CMD_CMD_STORE_H

#include <stdint.h>

#include "store/store.h"

struct buf;
struct cmd_line;
struct config;
struct err;

/* Load the configuration of the command line.  NULL: EXIT_CONF, its faults
 * were said. */
struct config *cmd_config(const struct cmd_line *line);

/* Open the configured store; the caller gives it to store_close().  One that
 * an older version wrote is left to the agent. */
struct store *cmd_store(const struct config *config, enum store_access access,
    struct err *err);

/* To be called before the store is written to.  root becomes the owner of the
 * store's directory, whom the agent runs as, for good: what root would make
 * there, the agent could not open.  Others stay who they are. */
int cmd_as_owner(const struct config *config, struct err *err);

/* Write out to standard output and empty it.  -1: err says why that failed. */
int cmd_print(struct buf *out, struct err *err);

/* Append the path of one event, as lines for people or as a JSON object. */
struct json_put;
struct trace;
int cmd_trace_text(struct store *s, const struct trace *t, struct buf *out,
    struct err *err);
int cmd_trace_json(struct store *s, const struct trace *t, struct json_put *j,
    struct err *err);

/* Read a number of decimal digits; -1: something else, or beyond INT64_MAX. */
int cmd_number(const char *text, int64_t *n);

#endif /* CMD_CMD_STORE_H */
