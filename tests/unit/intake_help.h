/*
 * intake_help.h - an output of a dialect with its options as a file has them,
 * in front of a receiver whose answers are given: for the suites of dialects.
 */
#ifndef TESTS_UNIT_INTAKE_HELP_H
#define TESTS_UNIT_INTAKE_HELP_H

#include <stddef.h>

#include "delivery/chunk.h"
#include "outputs/output.h"
#include "tests/unit/canned.h"
#include "tests/unit/output_help.h"

struct intake_rig {
	struct canned *server;
	struct courier c;
};
extern struct intake_rig intake_rig;

/* Fixture: no answers, also none from before, an output of this type. */
void rig_set_up(const struct output_type *type);

/* The receiver's next answer; each answers once, the last one for a path
 * always. */
void rig_expect(const char *path, int status, const char *body);
void rig_expect_with(const char *path, int status, const char *headers,
    const char *body);

/* The same with its head, len bytes that are freed later; 0: of a string. */
void rig_expect_bytes(const char *path, char *bytes, size_t len);

/* The settings of an output, of a map in YAML; the caller releases them with
 * settings_release() and frees them. */
void *rig_conf(const struct output_type *of, const char *options);

/* Open it with a chunk of n events: the first is event, the others
 * {"Id":"b"}.  options are behind url, compress: false (unless they have it)
 * and parallel: 2 in a map, "token: abc, …", in which @ stands for the
 * receiver's URL without a path; path stands behind the URL. */
void rig_begin(size_t n, const char *event, const char *options,
    const char *path);
void rig_end(void);

/* The same in two steps: the receiver, then the output with options that the
 * caller has, and one event. */
void rig_listen(void);
void rig_open(const void *conf, const char *event);

/* Lines of the chunk that are marked so. */
size_t rig_marked(enum chunk_mark m);

/* The head of the n-th request, from 0, with all that follows; its body. */
const char *rig_request(size_t n);
const char *rig_body(size_t n);

/* The same with the digits behind each mark as zeros, which are the time now;
 * the caller frees it. */
char *rig_timeless_body(size_t n, const char *mark);

/* A service account's key as Google makes it, as an option has it; the caller
 * frees it. */
char *rig_google_key(void);

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#endif /* TESTS_UNIT_INTAKE_HELP_H */
