/*
 * fuzz.h - what every fuzzer has: libFuzzer's entry, and the way to stop.
 *
 * A new fuzzer is fuzz_NAME.c here and a line in Makefile.am's fuzzers.  Its
 * seeds are the files below tests/vectors/NAME and the lines of the file
 * seeds/NAME, whichever there are.  Without libFuzzer it is linked
 * with standalone.c, which runs it over these seeds.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Say what was found and stop, so that the fuzzer keeps the input. */
#define FUZZ_CHECK(ok)                                                         \
	do {                                                                   \
		if (!(ok)) {                                                   \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #ok);                                    \
			abort();                                               \
		}                                                              \
	} while (0)

#endif /* TESTS_FUZZ_FUZZ_H */
