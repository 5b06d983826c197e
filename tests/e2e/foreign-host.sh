#!/bin/bash
# contentUri and NextPageUri lead to another host: refused, without a request
# to that host, reported in the log, in status and in the agent's own feed;
# all the rest goes on.
. "${0%/*}/lib.sh"

told_by_receiver() {
	grep -a '"feed":"fra1/agent"' "$work/lake/events" |
	    grep -a '"type":"refused"' | grep >/dev/null -a "$1"
}

sim --events 1000 --rate 100 --page 10
receiver lake
to_http lake
agent
wait_for 30 "events arrive" stat_is made -ge 200
steer "make?type=Audit.General&events=3&foreign=1"
wait_for 20 "the log tells of contentUri" log_has "contentUri leads to another"
wait_for 20 "so does the receiver" told_by_receiver contentUri
steer "faults?set=foreign-next@Audit.Exchange=100%"
wait_for 30 "the log tells of NextPageUri" log_has "NextPageUri leads to anoth"
wait_for 30 "so does the receiver" told_by_receiver NextPageUri
wait_for 30 "so does status" \
    status_says 'NextPageUri leads to another host'
steer "faults?set=none"
settled lake
no_repeats lake
verified lake
stat_is foreign -eq 0 || fail "$(stat_of foreign) requests to the foreign host"
stat_is foreign_tokens -eq 0 || fail "a token went to the foreign host"
