#!/bin/bash
# A calm day: three receivers at once hold exactly what the vendor made
# available, each event once, and verify is content with each of them.
. "${0%/*}/lib.sh"

sim --backlog 500 --events 3000 --rate 600 --page 20
rsyslog siem ossl
syslogng archive
receiver lake
to_syslog siem
to_syslog archive
to_http lake
agent
settled siem archive lake
no_repeats siem archive lake
verified siem archive lake
stat_is starts -eq 5 || fail "$(stat_of starts) starts, wanted one a type"
stat_is no_publisher -eq 0 || fail "calls without PublisherIdentifier"
stat_is stops -eq 0 || fail "a subscription was stopped"
agent_stop
