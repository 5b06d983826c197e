#!/bin/bash
# What the vendor deleted, and what it lists on foreign hosts: told as gaps
# and refusals in the store and in the agent's own feed; no token leaves for
# elsewhere, and everything else arrives.
. "${0%/*}/lib.sh"

told() {
	[ "$(grep -c "\"event\":{\"type\":\"$1\"" "$work/lake/events")" "$2" "$3" ]
}

sim --events 300 --rate 200
to_file lake
agent
wait_for 30 "events arrive" test -s "$work/lake/events"
steer "make?type=Audit.Exchange&events=5&gone=AF20051"
steer "make?type=Audit.Exchange&events=5&gone=AF20050"
steer "make?type=Audit.General&events=5&foreign=1&life=6"
steer "faults?set=foreign-next@Audit.SharePoint=100%x3"
wait_for 30 "three gaps are told" told gap = 3
wait_for 30 "refused URLs are told" told refused -ge 2
[ "$(ask gaps | grep -c Audit)" -ge 3 ] || fail "gaps does not list three"
stat_is foreign_tokens = 0 || fail "a token went to a foreign host"
settled lake
no_repeats lake
verified lake
agent_stop
