/*
 * cmd_setup.h - shared by the files of `sealfeed setup`: setup.c, which makes
 * the configuration, and setup_try.c, which sees whether it works.
 */
#ifndef CMD_CMD_SETUP_H
#define CMD_CMD_SETUP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "setup/answers.h"
#include "setup/place.h"
#include "setup/plan.h"

struct cmd_line;
struct config;
struct err;
struct node;

/* One run. */
struct setup {
	const struct cmd_line *line;
	bool json;
	FILE *out;    /* what people read: standard output, with --json not */
	bool live;    /* check --live */
	int64_t wait; /* for the first event; 0: do not */
	bool may_ask;
	bool asked;
	bool kept; /* what was made stays, whatever comes */
	struct place place;
	struct answers answers;
	struct node *there; /* the configuration as it was found */
	struct plan plan;
	struct config *config; /* as it is now */
	/* For --json. */
	json_t *errors;
	json_t *made;
	json_t *check;
	json_t *event;
	char *vkey;
	char *next;
};

/* Tell a sentence about what went wrong. */
void setup_fail(struct setup *s, const char *text);

/* Run `check --live` as whom the agent runs as: its exit status. */
int setup_check(struct setup *s, struct err *err);

/* Without connecting to anybody: can whom the agent runs as read all keys and
 * secrets that are named?  An exit status; what it cannot is told. */
int setup_look(struct setup *s, struct err *err);

/* Wait until an event of a source is delivered, with an agent of our own where
 * none runs, and print its path.  Returns an exit status: that none came is no
 * failure. */
int setup_wait(struct setup *s, struct err *err);

#endif /* CMD_CMD_SETUP_H */
