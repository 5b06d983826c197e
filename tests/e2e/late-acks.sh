#!/bin/bash
# A collector that takes everything and confirms nothing for a while: what waits
# for its confirmation is bounded, in number and in memory, far below the 10,000
# numbers that a channel has there; what comes later waits in the store, and
# soon everything is there, once.
. "${0%/*}/lib.sh"

sim --events 4000 --rate 2000 --blob 3-6
own_receiver intake intakes
mkdir -p "$work/intakes/splunk-hec"
echo 1 >"$work/intakes/splunk-hec/acks"
echo 1 >"$work/intakes/splunk-hec/late"
to_intake splunk-hec splunk-hec /services/collector/event "token: abcdef" \
    "max_body: 4KiB"
echo abcdef >"$work/intakes/splunk-hec/token"
agent

requests=$work/intakes/splunk-hec/requests
taken() {
	grep -c '^200 [1-9]' "$requests"
}

# For a second nothing more is sent, and it is asked still.
is_full() {
	local n
	n=$(taken)
	nap 1000
	[ "$n" -ge 128 ] && [ "$(taken)" -eq "$n" ]
}

wait_for 20 "all is made" stat_is finished = 1
wait_for 20 "as much waits as may" is_full
# 128 chunks; a chunk of four kilobytes has an envelope for each event.
open=$(taken)
[ "$open" -le 512 ] || fail "$open numbers are open"
asked=$(awk '$4 ~ /ack$/ && $3 > n { n = $3 } END { print n + 0 }' "$requests")
[ "$asked" -le 4096 ] || fail "they are asked for with $asked bytes"
ship=$(pgrep -P "$(cat "$work/agent.pid")" -x 'sf-ship splunk-')
memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$ship/status")
ldd "$sealfeed" | grep >/dev/null 'lib[alut]*san' || [ "$memory" -le 32000 ] ||
    fail "ship has $memory kB"
say "$open numbers are open, asked for with $asked bytes; ship has $memory kB"
output_is splunk-hec events_total -eq 0 || fail "something counts as delivered"

rm "$work/intakes/splunk-hec/late"
settled intakes/splunk-hec
no_repeats intakes/splunk-hec
output_is splunk-hec dead_letters -eq 0 || fail "$(ask dead-letters)"
verified intakes/splunk-hec
