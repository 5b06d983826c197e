#!/bin/bash
# Real audit records instead of generated ones, calm and with faults.
. "${0%/*}/lib.sh"

corpus=${SEALFEED_CORPUS:-$top/../shared/corpus/m365-unified-audit.ndjson}
[ -r "$corpus" ] || skip "no file of real records (SEALFEED_CORPUS)"
sim --records "$corpus" --rate 1000 --blob 10-60 --faults all=1%
rsyslog siem ossl
syslogng archive
receiver lake
source_options[timeout]=5s
source_options[interval]=5s # throttling costs half of the budget each time
to_syslog siem
to_syslog archive
to_http lake
agent
settled siem archive lake
no_repeats siem archive lake
verified siem archive lake
