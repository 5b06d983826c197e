#!/bin/bash
# Nobody reads the agent's log: first the pipe is full, then its reader is gone.
# The agent goes on and stops in time; when somebody reads again, the log says
# how many lines are missing.
. "${0%/*}/lib.sh"
. "${0%/*}/runbook.sh"

# agent_into FIFO: start with standard error there.
agent_into() {
	setsid "$sealfeed" run --config "$work/sealfeed.yaml" 2>"$1" &
	echo $! >"$work/agent.pid"
}

# A pipe has room for so many bytes; a line is less.
fill() {
	"$sealfeed" check "$work/sealfeed.yaml" >/dev/null || fail "check"
	dd if=/dev/zero of="$1" bs=1 count=65536 oflag=nonblock 2>/dev/null ||
	    true
}

sim --rate 200
receiver lake
to_http lake
agent_options="  log_level: debug"
write_config
mkfifo "$work/pipe"
exec 5<>"$work/pipe" # holds it open, and does not read
fill "$work/pipe"
agent_into "$work/pipe"
grows lake 40
watched
stop_one lake # every attempt to deliver is a line
wait_for 20 "what is missing is counted" metric_is \
    'sealfeed_log_dropped_lines_total{role="ship",output="lake"}' -ge 1
receiver lake
grows lake 40
fires SealfeedLogLinesDropped
# Somebody reads again.
cat <&5 >"$work/agent.log" &
reader=$!
wait_for 20 "the log says what is missing" \
    log_has '<4>[a-z ]*: [1-9][0-9]* lines could not be written to this log'
kill "$reader"
exec 5<&- # the pipe is broken from now on
grows lake
grows lake
kill -HUP "$(cat "$work/agent.pid")"
enough
settled lake
agent_stop
verified lake
