#!/bin/bash
# The agent is stopped and started six times in the middle of the stream.
. "${0%/*}/lib.sh"

sim --events 3000 --rate 300
rsyslog siem ossl
receiver lake
to_syslog siem
to_http lake
agent
for round in 1 2 3 4 5 6; do
	want=$((round * 400))
	wait_for 30 "$want events made" stat_is made -ge "$want"
	agent_stop
	agent_again
done
settled siem lake
no_repeats siem lake
verified siem lake
