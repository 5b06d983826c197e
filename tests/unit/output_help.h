/*
 * output_help.h - one output with one event, for the suites about
 * destinations.
 */
#ifndef TESTS_UNIT_OUTPUT_HELP_H
#define TESTS_UNIT_OUTPUT_HELP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "outputs/output.h"
#include "store/via.h"

struct courier {
	struct output out;
	struct batch_reader *reader;
	struct chunk *chunk;
	int wake;
	/* The verdict. */
	bool decided;
	enum verdict verdict;
	int64_t delay;
	char why[512];
	size_t refused; /* lines, alone */
};

/* How the events came that are added from now on (store/via.h). */
extern enum via courier_via;

/* Type of the source that they belong to; "office365" where nobody says else.
 */
extern const char *courier_type;

/* Shape of those; NULL: nothing is known of it. */
extern const struct event_shape *courier_shape;

/* Microseconds: event time of those; CLOCK_DAY where nobody says else. */
extern int64_t courier_when;

/* Open an output of the type with a chunk of one event, index 42 of
 * contoso/Audit.Exchange. */
void courier_open(struct courier *c, const struct output_type *type,
    const void *conf, const char *event);

/* Append another event to the chunk, with the next index. */
void courier_add(struct courier *c, const char *event);

/* Send the chunk and drive until it is decided; fails the test after a
 * deadline. */
void courier_deliver(struct courier *c);

/* Send it, and drive until done holds; drive only. */
typedef bool courier_fn(void *ctx);
void courier_drive(struct courier *c, courier_fn *done, void *ctx);
void courier_wait(struct courier *c, courier_fn *done, void *ctx);

void courier_close(struct courier *c);

#endif /* TESTS_UNIT_OUTPUT_HELP_H */
