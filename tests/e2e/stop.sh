#!/bin/bash
# SIGTERM ends the agent within five seconds: under load, and while two of its
# receivers hang.
. "${0%/*}/lib.sh"

sim --rate 500
rsyslog siem ossl
receiver lake
receiver archive
to_syslog siem
to_http lake
to_http archive
agent
grows siem
grows lake
agent_stop 5
agent_again
grows siem
grows lake
kill -STOP "$(cat "$work/siem/pid")" "$(cat "$work/lake/pid")"
grows archive
agent_stop 5
kill -CONT "$(cat "$work/siem/pid")" "$(cat "$work/lake/pid")"
agent_again
grows siem
enough
settled siem lake archive
no_repeats archive
verified siem lake archive
