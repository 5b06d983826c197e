#!/bin/bash
# The file of an output is renamed in the middle of the stream, as logrotate
# does it, five times: every event is in one of the files, once.
. "${0%/*}/lib.sh"

sim --rate 300
to_file archive
agent
grows archive
for round in {1..5}; do
	mv "$work/archive/events" "$work/archive/old-$round"
	kill -USR1 "$(cat "$work/agent.pid")"
	grows archive
done
enough
mkdir "$work/whole"
together() {
	cat "$work"/archive/old-? "$work/archive/events" >"$work/whole/events"
	same whole
}
wait_for 20 "the files hold all together" together
exact whole
no_repeats whole
verified whole
