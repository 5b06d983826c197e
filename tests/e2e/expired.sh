#!/bin/bash
# Content that is listed and can't be had until its time is over: each becomes
# one gap then and not before, told by `sealfeed gaps` and by the agent's own
# feed at the receiver, and nothing else is lost.
. "${0%/*}/lib.sh"

# own_events TYPE: the agent's own events of that type at the receiver
own_events() {
	grep -a '"feed":"fra1/agent"' "$work/lake/events" |
	    grep -ac "\"type\":\"$1\""
}

gap_rows() {
	test "$(ask gaps --json | grep -o '"item":"' | wc -l)" "$@"
}

sim --events 1000 --rate 200
receiver lake
to_http lake
agent
wait_for 30 "events arrive" stat_is made -ge 200
steer "make?type=Audit.Exchange&events=5&gone=AF20051&life=8"
steer "make?type=Audit.Exchange&events=5&gone=AF20050&life=8"
# Never to be fetched, since it lies on a foreign host, until it expires.
steer "make?type=Audit.SharePoint&events=5&foreign=1&life=8"
# Said to be gone, long before its time.
steer "make?type=Audit.General&events=5&gone=AF20051"
settled lake
wait_for 40 "three gaps" gap_rows -eq 3
wait_for 15 "the receiver knows of them" eval "[ \$(own_events gap) -eq 3 ]"
[ "$(ask gaps | grep -c "expired at the vendor before it could")" -eq 3 ] ||
    fail "gaps does not say that content expired unread"
metric_is 'sealfeed_feed_backlog_items{feed="contoso/Audit.General"}' -eq 1 ||
    fail "what has time left is not tried any more"
settled lake
verified lake
agent_stop
agent_again
steer "make?type=Audit.Exchange&events=5"
settled lake
gap_rows -eq 3 || fail "a gap was recorded twice"
[ "$(own_events gap)" -eq 3 ] || fail "a gap was told twice"
