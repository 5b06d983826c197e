#!/bin/bash
# Rows of the vendor's list lack their times, their id or their URI, have the
# least time there is or a key of 3000 letters, or are no rows: every content
# that they lead to is collected once, and the rest is told.
. "${0%/*}/lib.sh"

sim --events 1500 --rate 300 --page 20 --faults odd-rows=60%
receiver lake
to_http lake
agent
settled lake
no_repeats lake
verified lake
stat_is fault.odd-rows -gt 0 || fail "no row was odd"
wait_for 20 "rows without a member are told" log_has 'no usable content'
wait_for 20 "what is no row is told" log_has 'lead to nothing; .*not a JSON'
ask gaps | grep >/dev/null contoso && fail "an odd row is a gap"
wait_for 20 "its own feed has the rows" \
    grep -q '"code":"odd-row"' "$work/lake/events"
