#!/bin/bash
# The vendor throttles in three ways while events keep coming: AF429 inside a
# 403, 429 and 503 with Retry-After, and plain 500s; then for four seconds it
# answers nothing else.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 150 \
    --faults af429=10%,throttle=10%,http503=10%,http500=10%
receiver lake
to_http lake
agent
wait_for 30 "events arrive" stat_is made -ge 500
steer "faults?set=af429=25%,throttle=35%,http503=60%,http500=60%"
wait_for 30 "the storm is felt" eval "stat_is fault.http503 -ge 20 &&
    stat_is fault.throttle -ge 5 && stat_is fault.af429 -ge 5"
steer "faults?set=af429=100%,throttle=100%,http503=100%,http500=100%"
wait_for 30 "nothing else is answered" stat_is fault.af429 -ge 10
steer "faults?set=none"
settled lake
no_repeats lake
verified lake
stat_is listing_errors -eq 0 || fail "$(stat_of listing_errors) bad listings"
