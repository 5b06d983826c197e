#!/bin/bash
# The vendor repeats itself: whole blobs under a second id, single events
# again in later blobs, rows twice.  Every event arrives once.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 400 --blob 5-20 \
    --faults dup-blob=30%,dup-id=60%,dup-row=30%
receiver lake
to_file archive
to_http lake
agent
settled archive lake
no_repeats archive lake
verified archive lake
# Repeats that the seen-set keeps out would have an index of their own.
[ "$(grep -c '"feed":"contoso/.*"event"' "$work/lake/events")" -eq 2000 ] ||
    fail "not every event arrived once"
stat_is fault.dup-blob -ge 10 || fail "too few blobs came twice"
stat_is fault.dup-id -ge 10 || fail "too few events came twice"
