#!/bin/bash
# One output is dead for good: the others run at full speed, and status says
# what is wrong with it.  Once it is no longer configured nothing waits for it.
. "${0%/*}/lib.sh"

sim --events 20000 --rate 2000 --blob 50-100
rsyslog siem ossl
receiver lake
receiver dead
stop_one dead
to_syslog siem
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
ask status | grep -q "onnect" || fail "status doesn't say why: $(ask status)"
used=$(metric sealfeed_store_used_bytes)
outputs=$with
agent_reload
wait_for 20 "the store is emptied" \
    metric_is sealfeed_store_used_bytes -lt "$((used / 3))"
agent_stop
