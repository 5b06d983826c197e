#!/bin/bash
# Events larger than a syslog message may be: a dead letter at one receiver,
# named in dead-letters, the agent's own feed and by verify; whole again at
# another one, where they are sent in parts.  With a higher limit the dead
# letters are sent, and verify is content.
. "${0%/*}/lib.sh"

sim --events 1000 --rate 600 --subscribed
steer "make?type=Audit.Exchange&blobs=3&events=4&large=1"
rsyslog siem ossl
rsyslog parts ossl
syslogng archive
to_syslog siem "max_message: 8KiB"
to_syslog parts "max_message: 8KiB" "oversize: split"
to_syslog archive "max_message: 8KiB" "oversize: split"
agent
settled parts archive
no_repeats parts archive
verified parts archive
grep -q ' part="2" parts="' "$work/parts/events" || fail "nothing was split"
wait_for 20 "siem has the rest" output_is siem backlog_events -eq 0
output_is siem dead_letters -ge 12 || fail "not twelve dead letters"
ask dead-letters >"$work/letters"
grep -Eq 'a message of .* exceeds max_message \(8192\); raise it' "$work/letters" ||
    fail "no reason and cure: $(cat "$work/letters")"
wait_for 20 "the agent's own feed tells" grep -q \
    '"type":"dead-letter".*"output":"siem","feed":"contoso/' "$work/parts/events"
"$sealfeed" verify --key "$work/vkey" "$work/siem/events" >"$work/verify" &&
    fail "verify misses nothing at siem"
grep -q 'missing: dead letter at output siem: a message of' "$work/verify" ||
    fail "verify does not explain: $(cat "$work/verify")"
outputs=${outputs/max_message: 8KiB/max_message: 64KiB}
agent_reload
wait_for 10 "the higher limit is in effect" log_has ": configuration reloaded"
ask dead-letters retry --all >"$work/letters" || fail "$(cat "$work/letters")"
settled siem
verified siem
wait_for 10 "no dead letter is left" output_is siem dead_letters -eq 0
