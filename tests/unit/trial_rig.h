/*
 * trial_rig.h - the trial dialect in front of a receiver whose answers are
 * given: intake_help.h with options that no file has.
 */
#ifndef TESTS_UNIT_TRIAL_RIG_H
#define TESTS_UNIT_TRIAL_RIG_H

#include "tests/unit/intake_help.h"
#include "tests/unit/trial_dialect.h"

/* What trial_begin() opens the output with. */
extern struct trial_conf trial_conf;

/* Fixture: no answers, and the usual options. */
void trial_set_up(void);

/* The receiver's next answer, as rig_expect(); status 0: it ends the
 * connection. */
void trial_expect(const char *path, int status, const char *body);

/* An output with n small events, one of them of large bytes; rig_end() is its
 * end. */
void trial_begin(size_t n, size_t large, size_t bytes);

#endif /* TESTS_UNIT_TRIAL_RIG_H */
