#!/bin/bash
# This machine's clock steps hours forth and back, and ten days, while events
# come and requests fail: nothing is lost, nothing comes twice, and nothing
# waits for a time that was.
. "${0%/*}/lib.sh"

# step SECONDS: the agent's clock is so far off from now on
step() {
	printf '%-20d\n' "$1" 1<>"$work/clock"
}

# more N: so many more events than at the last call are at the receiver
holds=0
more() {
	holds=$((holds + $1))
	wait_for 15 "$holds events arrive" \
	    eval "[ \$(grep -c '\"event\"' $work/lake/events) -ge $holds ]"
}

printf '%-20d\n' 0 >"$work/clock"
agent_env=(LD_PRELOAD="$bin/clock.so" SEALFEED_CLOCK_FILE="$work/clock")
sim --events 2500 --rate 150 --blob 1-5 --faults http500=15%,dup-blob=20%
to_file lake
agent
more 200
for seconds in 7200 -7200 864000 0 -10 86400; do
	step "$seconds"
	# What begins while the clock is off knows no other time yet.
	[ "$seconds" -ne 864000 ] ||
	    kill -KILL "$(pgrep -g "$(cat "$work/agent.pid")" -x sf-collect)"
	more 300
done
agent_stop
agent_again
settled lake
no_repeats lake
verified lake
[ "$(grep -c '"feed":"contoso/.*"event"' "$work/lake/events")" -eq 2500 ] ||
    fail "not every event arrived once"
