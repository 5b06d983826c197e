#!/bin/bash
# Five per cent of every fault that the simulator knows, at once, for the
# whole run: still exactly the ledger at every receiver.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 300 --blob 10-40 --page 12 --token-life 5 \
    --faults all=5%
rsyslog siem ossl
syslogng archive
receiver lake
echo "429=5%,503=5%,500=5%,close=5%,lost-reply=5%" >"$work/lake/faults"
source_options[timeout]=5s
source_options[interval]=5s # throttling costs half of the budget each time
patience=150
to_syslog siem
to_syslog archive
to_http lake "timeout: 5s"
agent
settled siem archive lake
no_repeats siem archive
verified siem archive lake
stat_is foreign_tokens -eq 0 || fail "a token went to a foreign host"
