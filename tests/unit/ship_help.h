/*
 * ship_help.h - the ship role on a real store, against a destination that
 * judges as each test says (fake_output.h), for the suites about it.
 *
 * What the role delivers is written to a file that the test reads at the end.
 */
#ifndef TESTS_UNIT_SHIP_HELP_H
#define TESTS_UNIT_SHIP_HELP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "outputs/output.h"
#include "store/position.h"
#include "store/store.h"

#define SHIP_FEED "contoso/Audit.Exchange"

struct ship_rig {
	char dir[64];
	char path[128];     /* of the store */
	char received[160]; /* what was delivered, a line each */
	char sent[160];     /* what was sent, where lines are judged alone */
	char cured[160];    /* once it is there, nothing is refused */
	char receiver[128]; /* URL, for the dialect of trial_dialect.h */
	const struct output_type *type; /* NULL: one of those; … */
	const void *conf;               /* … its settings */
	struct err err;
};
extern struct ship_rig ship_rig;

/* Fixture: a store with the output "siem". */
void ship_help_begin(void);
void ship_help_end(void);

/* Commit and seal batches of so many events each; those from number bad on, a
 * run of them, carry word. */
void ship_help_fill(int batches, int events, int bad, const char *word);

/* What the test waits for. */
typedef bool ship_wanted_fn(struct store *s);

/* Nothing is left beyond the position. */
ship_wanted_fn ship_help_all_settled;

/* Run the role until wanted holds, then end it with the signal how, or in an
 * orderly way. */
void ship_help_until_then(ship_wanted_fn *wanted, int how);
void ship_help_until(ship_wanted_fn *wanted);

/* How often each number in [0, n) was received; other lines, checkpoints, are
 * counted at n. */
void ship_help_count(int n, int *times);
void ship_help_each_once(int n, int but, int checkpoints);

/* Requests, where lines are judged alone. */
size_t ship_help_chunks_sent(void);

/* The only dead letter, or none when index is -1. */
void ship_help_one_letter(int index, const char *reason, size_t len);

/* Have SQLite do something to the store. */
void ship_help_sql(const char *text);

#endif /* TESTS_UNIT_SHIP_HELP_H */
