#!/bin/bash
# Two hundred sources in one agent, some of them of vendors that are slow: it has
# a few threads, little memory, and all others are polled.  What a thousand cost
# is for tests/bench/sources.py alone.
. "${0%/*}/lib.sh"

ldd "$sealfeed" | grep >/dev/null 'lib[alut]*san' &&
    skip "a sanitizer's shadow memory is not the agent's"
SEALFEED_BUILD=$build "$top/tests/bench/sources.py" --plain --sources 200 \
    --interval 2 --seconds 2 --slow 6 --late 60 --cpu 40 --memory 32 ||
    fail "a limit was passed"
