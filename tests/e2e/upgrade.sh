#!/bin/bash
# The program is replaced by rename in the middle of the stream, three times,
# and the supervisor started anew each time.
. "${0%/*}/lib.sh"

sim --rate 300
rsyslog siem ossl
receiver lake
to_syslog siem
to_http lake
cp "$sealfeed" "$work/installed"
sealfeed=$work/installed
agent
for round in 1 2 3; do
	grows siem
	grows lake
	cp "$build/sealfeed" "$work/installed.new"
	mv "$work/installed.new" "$work/installed"
	grows siem
	agent_stop
	agent_again
done
grows siem
enough
settled siem lake
no_repeats siem lake
verified siem lake
