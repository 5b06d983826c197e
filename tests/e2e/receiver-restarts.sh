#!/bin/bash
# Every receiver is stopped and started 20 times in the middle of the stream.
# What was under way comes again; nothing is missing.
. "${0%/*}/lib.sh"

sim --rate 150
rsyslog siem ossl
syslogng archive
receiver lake
to_syslog siem
to_syslog archive
to_http lake
agent
for round in {1..20}; do
	grows siem
	grows archive
	grows lake
	stop_one siem
	stop_one archive
	stop_one lake KILL
	rsyslog siem ossl
	syslogng archive
	receiver lake
done
enough
settled siem archive lake
verified siem archive lake
connects=$(metric 'sealfeed_output_connects_total{output="siem"}')
[ "$connects" -ge 21 ] || fail "$connects connections, wanted 21"
agent_stop
