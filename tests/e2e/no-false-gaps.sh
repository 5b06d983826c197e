#!/bin/bash
# One weak hint after the other says that content is gone: a Date that is days
# ahead, on good replies from the first one on, later on errors; a proxy's 404;
# "does not exist" for what does.  Nothing becomes a gap and nothing is lost,
# and each of them is told.
. "${0%/*}/lib.sh"

# weak FAULT: nothing else is answered, until it was seen a number of times
weak() {
	local before
	before=$(stat_of "fault.$1")
	steer "faults?set=none,$1=100%"
	wait_for 30 "$1 is seen" stat_is "fault.$1" -ge $((before + 30))
	steer "faults?set=none"
}

sim --events 1500 --rate 120 --faults date-3d=100%
to_file lake
agent
wait_for 30 "events arrive though the time is wrong" \
    eval "[ \$(grep -c '\"event\"' $work/lake/events) -ge 200 ]"
log_has 'this machine.s, which is not believed before' ||
    wait_for 20 "the wrong time is told" log_has 'a time that is [0-9]* s ahead'
steer "faults?set=none"
weak date-9d
weak page-404
weak af20050
settled lake
no_repeats lake
verified lake
[ "$(ask gaps --json | grep -c '"item"')" -eq 0 ] || fail "gaps: $(ask gaps)"
log_has 'AF20050' || fail "AF20050 was not told"
