#!/bin/bash
# Two receivers accept connections and read nothing: the stall ends in a close
# and new tries, the third receiver doesn't notice.  Then they read again.
. "${0%/*}/lib.sh"

sim --rate 400
rsyslog siem ossl
receiver lake
syslogng archive
to_syslog siem "timeout: 2s"
to_http lake "timeout: 2s"
to_syslog archive
agent
wait_for 30 "events are made" stat_is made -ge 500
keeps_up siem lake archive
kill -STOP "$(cat "$work/siem/pid")" "$(cat "$work/lake/pid")"
for name in siem lake; do
	wait_for 20 "the stall of $name is noticed" output_is $name failing -eq 1
done
keeps_up archive
output_is archive failing -eq 0 || fail "archive fails, too"
status_says "siem .*(check whether it hangs|no answer in time)" ||
    fail "status does not say what is wrong with siem: $(ask status)"
before=$(metric 'sealfeed_output_retries_total{output="siem"}')
wait_for 20 "it tries again" output_is siem retries_total -gt "$before"
keeps_up archive
kill -CONT "$(cat "$work/siem/pid")" "$(cat "$work/lake/pid")"
wait_for 40 "siem takes again" output_is siem failing -eq 0
wait_for 40 "lake takes again" output_is lake failing -eq 0
enough
settled siem lake archive
no_repeats archive
verified siem lake archive
