#!/bin/bash
# `sealfeed backfill`: what the vendor had before the source was configured is
# read beside what is new, marked, once, whatever kills the agent and the
# command; and what cannot be asked for is said.
. "${0%/*}/lib.sh"

perl -MJSON::PP -e 1 2>/dev/null || skip "perl has no JSON::PP"
source_options[initial]=1m
source_options[interval]=1s
source_options[parallel]=2
sim --subscribed --backlog 4000 --backlog-span 72000 --blob 20-60 --rate 40
receiver lake
to_http lake
to_file other
agent
live() {
	[ "$(grep -c '"index":[0-9]*,"agent":"fra1","event"' "$work/other/events")" -ge 50 ]
}
wait_for 30 "live events arrive" live

# backfill STATUS WORD…: its output in $work/out
backfill() {
	local want=$1 got
	shift
	ask backfill "$@" >"$work/out" 2>&1
	got=$?
	[ "$got" -eq "$want" ] || fail "backfill $*: $got: $(cat "$work/out")"
}
said() {
	grep -Eq -- "$1" "$work/out" || fail "no \"$1\": $(cat "$work/out")"
}
json() {
	perl -MJSON::PP -0777 -e '
		my $o = decode_json(<STDIN>);
		exit(('"$1"') ? 0 : 1)' <"$work/out" ||
	    fail "not $1: $(cat "$work/out")"
}
marked() {
	grep '"via":"backfill","event":' "$work/other/events" | sort -u | wc -l
}

say "what cannot be, and what would be"
backfill 64 --from 1h
backfill 64 --source contoso --from 1h --to 2h
backfill 64 --source contoso --from soon
backfill 1 --source contos --from 1h
said 'there is contoso'
backfill 1 --source contoso --feed Audit.None --from 1h
said 'has no feed "Audit.None"'
backfill 1 --source contoso --from 9d
said 'keeps events for 7d, since .*ask for --from 7d'
backfill 1 --source contoso
said 'no backfill is open'
backfill 0 --source contoso --feed Audit.Exchange --from 21h --dry-run
said '^contoso/Audit.Exchange from .* to '
said 'dry run'
[ "$(marked)" -eq 0 ] || fail "a dry run has read something"

say "beside live events; the agent and the command are killed"
from=$(date -u -d '-21 hours' +%FT%TZ)
to=$(date -u +%FT%TZ)
ask backfill --source contoso --from "$from" --to "$to" >"$work/first" 2>&1 &
command=$!
some() {
	[ "$(marked)" -ge 300 ]
}
wait_for 60 "the backfill begins" some
before=$(stat_of fetched)
agent_kill
kill -KILL "$command"
wait "$command" 2>/dev/null
[ "$(marked)" -lt 4000 ] || say "all was there at the kill"
backfill 1 --source contoso --from "$from" --to "$to"
said 'the agent does not run'
agent_again
backfill 0 --source contoso --from "$from" --to "$to" --no-wait --json
json '@{$o->{feeds}} == 5 && !grep { $_->{state} !~ /^(running|waiting|complete)$/ } @{$o->{feeds}}'
ask backfill --source contoso >"$work/out" 2>&1 ||
    grep -q 'no backfill is open' "$work/out" || fail "$(cat "$work/out")"
enough
settled lake other
verified lake
verified other

say "each of what was there before is marked, and nothing else"
told() {
	[ "$(grep -c '"type":"backfill",.*"state":"complete"' "$work/other/events")" -ge 5 ]
}
wait_for 30 "the own feed tells of the ends" told
told=$(grep -c '"type":"backfill",.*"state":"begun"' "$work/other/events")
[ "$told" -eq 5 ] || fail "the beginning is told $told times"
backfill 0 --source contoso --from "$from" --to "$to" --json
[ "$(marked)" -ge 4000 ] || fail "only $(marked) are marked"
json '!grep { $_->{state} ne "complete" || $_->{events} != 0 || $_->{listed} != 0 } @{$o->{feeds}}'
"$sealfeed" status --config "$work/sealfeed.yaml" --json >"$work/out"
json 'do { my $n = 0; $n += $_->{backfilled} for @{$o->{feeds}}; $n == '"$(marked)"' }'
