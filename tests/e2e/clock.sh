#!/bin/bash
# The vendor's clock is two hours ahead of this machine's, or behind: windows
# follow the vendor, and the distance is told.
. "${0%/*}/lib.sh"

for offset in 7200 -7200; do
	sim --events 1000 --rate 300
	steer "clock?offset=$offset"
	outputs=
	to_file lake
	agent
	wait_for 30 "the distance is told" \
	    grep -q '"type":"clock"' "$work/lake/events"
	settled lake
	verified lake
	agent_stop
	stop_one sim
	fresh_store
	rm -r "$work"/sim "$work"/lake
done
