/*
 * fake_output.h - a destination that judges as a test says.
 */
#ifndef TESTS_UNIT_FAKE_OUTPUT_H
#define TESTS_UNIT_FAKE_OUTPUT_H

#include <stddef.h>

#include "outputs/output.h"

struct fake_script {
	const char *received; /* the file for what was delivered, by lines */
	enum verdict (*judge)(const char *text); /* NULL: delivered */
	size_t max;                              /* bytes of a chunk */
	bool batches;                            /* out->batches */
	/* Verdict on each line of the n-th chunk that is sent, from 0: lines
	 * that are delivered or refused are settled, the others are again;
	 * NULL: one verdict on the whole. */
	enum verdict (*each)(int n, const struct chunk_line *line);
	const char *sent; /* with each, the file for the numbers of the lines
			     of each chunk, "0 1 c" with a checkpoint */
	bool mark;        /* lines with "big" are refused alone */
	int failures;     /* verdicts retry before the first judgement */
	int run;          /* so many events in a row are bad */
	int base;         /* the number of the first event made next */
	int64_t hold;     /* out->hold.time, with all bytes that there are */
	bool trusted;     /* out->hold.trusted */
	int breaks;       /* the connection ends in the place of so many chunks,
			     each behind one that is delivered */
	size_t budget;    /* it ends at the line behind so many; 0: does not */
	bool poison;      /* it ends whenever "bad" is sent */
	bool poison_waits;
};

extern struct fake_script fake_script;
extern const struct output_type fake_output;

#endif /* TESTS_UNIT_FAKE_OUTPUT_H */
