#!/bin/bash
# `sealfeed replay`: an output gets again what the store keeps, the same bytes
# under the same feed and index, beside what is new, whatever kills the agent;
# no other output does, and status and the own feed tell of it.
. "${0%/*}/lib.sh"

agent_options="  retain: 1d"
sim --events 6000 --rate 6000 --blob 50-100
receiver lake
to_http lake "max_body: 64KiB" "parallel: 1"
to_file other
agent
settled lake other

# vendors FILE: the vendor's events, without the agent's own
vendors() {
	grep '^{"feed":"contoso/[^"]*","index"' "$1"
}

vendors "$work/lake/events" | sort -u >"$work/once"
before=$(vendors "$work/lake/events" | wc -l)
wanted=$(wc -l <"$work/once")
[ "$wanted" -ge 6000 ] || fail "only $wanted events"

twice() {
	[ "$(vendors "$work/lake/events" | wc -l)" -ge $((before + wanted)) ]
}
told() {
	grep >/dev/null "\"type\":\"replay\",.*\"state\":\"$1\",\"output\":\"lake\"" \
	    "$work/lake/events"
}

say "all of it, while the agent is killed"
ask replay --output lake --from 1h >"$work/out" || fail "$(cat "$work/out")"
grep -Eq '^[0-9]+ events will be sent again to lake' "$work/out" ||
    fail "$(cat "$work/out")"
asked=$(grep -Eo '^[0-9]+' "$work/out")
[ "$asked" -ge "$wanted" ] || fail "asked for $asked of $wanted"
sent_some() {
	[ "$(vendors "$work/lake/events" | wc -l)" -gt "$before" ]
}
wait_for 30 "the replay begins" sent_some
agent_kill
agent_again
wait_for 60 "everything arrives again" twice
wait_for 30 "the own feed tells of the beginning" told begun
wait_for 30 "and of the end" told ended
vendors "$work/lake/events" | sort | uniq -c | awk '$1 < 2' >"$work/few"
[ ! -s "$work/few" ] || fail "not sent again: $(head -2 "$work/few")"
vendors "$work/lake/events" | sort -u | cmp -s - "$work/once" ||
    fail "other bytes than before"
ask status --json | perl -MJSON::PP -0777 -e '
	my $o = decode_json(<STDIN>);
	exit((grep { exists $_->{replay} && !defined $_->{replay} }
	    @{$o->{outputs}}) == 2 ? 0 : 1)' ||
    fail "status still has a replay: $(ask status --json)"
no_repeats other
verified lake
verified other

say "an output that is away: it waits, and status says so"
stop_one lake
ask replay --output lake --from 2020-01-01 --to 2020-01-02 >"$work/out"
grep -q 'keeps no events' "$work/out" || fail "$(cat "$work/out")"
ask replay --output lake --from 1h --json >"$work/out" || fail "$(cat "$work/out")"
grep -q '"output":"lake".*"events":[1-9]' "$work/out" || fail "$(cat "$work/out")"
wait_for 20 "status has the replay" status_says \
    'replay: [0-9]* events were sent again, [1-9][0-9]* are left'

say "what is wrong"
refused() {
	local want=$1 got
	shift
	ask replay "$@" >"$work/out" 2>&1
	got=$?
	[ "$got" -eq "$want" ] || fail "replay $*: $got: $(cat "$work/out")"
}
refused 64 --from 1h
refused 64 --output lake
refused 64 --output lake --from yesterday
refused 64 --output lake --from 12
refused 64 --output lake --from 1h --to 2h
refused 1 --output lak --from 1h
grep -q 'there is lake, other' "$work/out" || fail "$(cat "$work/out")"
