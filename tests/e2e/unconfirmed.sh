#!/bin/bash
# A receiver that uses GnuTLS never answers a key update: delivery to it is
# unconfirmed, and log, status and metrics say so.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 300
rsyslog siem gtls
to_syslog siem "hold: { time: 2s }"
to_file archive
agent
wait_for 30 "the log says so" log_has "ship siem: delivery is unconfirmed"
settled siem archive
ask status | grep >/dev/null -E '^siem +unconfirmed' || fail "status: $(ask status)"
[ "$(metric 'sealfeed_output_mode_info{output="siem",mode="unconfirmed"}')" = 1 ] ||
    fail "metrics do not say unconfirmed"
verified siem archive
wait_for 20 "what was held is let go" output_is siem backlog_events -eq 0
agent_stop
