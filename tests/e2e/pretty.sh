#!/bin/bash
# Blobs that are printed over many lines: each event arrives on one line, as
# the bytes that it has without the line breaks.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 500 --blob 1-100 --faults pretty=80%,chunked=20%
receiver lake
to_file archive
to_http lake
agent
settled archive lake
no_repeats archive lake
verified archive lake
stat_is fault.pretty -ge 10 || fail "too few blobs were printed so"
