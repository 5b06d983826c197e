#!/bin/bash
# Content that is listed long after its own time of availability: seconds and
# minutes late found by the overlap, hours by the hourly sweep, days by the
# daily one.  The vendor's clock is moved on to make the sweeps due.
. "${0%/*}/lib.sh"

source_options[initial]=6d
sim --events 1000 --rate 300 --late 4 --faults late=40%
to_file lake
agent
wait_for 30 "events arrive" stat_is made -ge 300
steer "make?type=Audit.Exchange&events=7&age=600"
settled lake
steer "make?type=Audit.Exchange&events=7&age=10800"
steer "make?type=Audit.General&events=7&age=259200"
steer "clock?offset=3700"
patience=30
within 30 stat_is outstanding -eq 7 || fail "no hourly sweep found it"
steer "clock?offset=86500"
settled lake
no_repeats lake
verified lake
stat_is fault.late -ge 10 || fail "too little came late"
