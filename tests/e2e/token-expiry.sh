#!/bin/bash
# Tokens live two seconds, and every tenth request finds its token expired, in
# the middle of listings and downloads, too.
. "${0%/*}/lib.sh"

sim --backlog 1000 --events 3000 --rate 200 --page 5 --token-life 2 \
    --faults token-expiry=10%
receiver lake
to_http lake
agent
settled lake
no_repeats lake
verified lake
stat_is unauthorized -ge 20 || fail "too few tokens expired"
stat_is pages -ge 10 || fail "no listing had several pages"
stat_is tokens_refused -eq 0 || fail "a login was refused"
