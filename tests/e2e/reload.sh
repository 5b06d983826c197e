#!/bin/bash
# The configuration is reloaded 20 times under load, valid and faulty ones in
# turn; a faulty one changes nothing.
. "${0%/*}/lib.sh"

said() {
	[ "$(grep -c "$1" "$work/agent.log")" -eq "$2" ]
}

sim --rate 300
rsyslog siem ossl
receiver lake
to_syslog siem
to_http lake
agent
grows siem
for round in {1..10}; do
	agent_options="  log_level: $([ $((round % 2)) = 0 ] && echo notice ||
	    echo info)"
	agent_reload
	wait_for 10 "reload $round" said ": configuration reloaded" "$round"
	grows siem
	grows lake
	agent_options="  colour: blue"
	agent_reload
	wait_for 10 "refusal $round" said "configuration not reloaded" \
	    "$round"
	grows siem
	grows lake
done
enough
settled siem lake
no_repeats siem
verified siem lake
log_has 'unknown.*colour|colour.*unknown' || fail "the fault is not named"
