#!/bin/bash
# One output is dead for good: the others run at full speed, and status says
# what is wrong with it.  Once it is no longer configured nothing waits for it.
. "${0%/*}/lib.sh"

sim --events 20000 --rate 2000 --blob 50-100
rsyslog siem ossl
receiver lake
receiver dead
stop_one dead
to_syslog siem "hold: { time: 1s }"
to_http lake
with=$outputs
to_http dead
agent
settled siem lake
no_repeats siem lake
verified siem lake
output_is dead events_total -eq 0 || fail "the dead one got events"
output_is dead backlog_events -ge 20000 ||
    fail "backlog is $(metric 'sealfeed_output_backlog_events{output="dead"}')"
output_is dead failing -eq 1 || fail "the dead one does not fail"
output_is siem failing -eq 0 || fail "siem fails"
status_says "onnect" || fail "status doesn't say why: $(ask status)"
# Without the WAL, which keeps its size.
data() {
	echo $(($(metric sealfeed_store_used_bytes) - $(metric sealfeed_store_wal_bytes)))
}
less_data() {
	[ "$(data)" -lt "$1" ]
}
used=$(data)
outputs=$with
agent_reload
wait_for 20 "the store is emptied" less_data "$((used / 3))"
agent_stop
