#!/bin/bash
# Events that a JSON parser refuses or would change: forwarded byte for byte.
# One is longer than memory may hold: that one is a gap, with its place in its
# blob, and the others of the blob arrive.  So do those beside events that are
# no JSON; these are gaps, and their bytes are in the agent's own feed.
. "${0%/*}/lib.sh"

deep=$(printf '%3000s' '' | tr ' ' '[')$(printf '%3000s' '' | tr ' ' ']')
long=$(printf '%120000s' '' | tr ' ' x)
{
	printf '{"Id":"giant","Long":"%s"}\n' "$(printf '%17000000s' '' | tr ' ' x)"
	cat <<'END'
{"Id":"a1","Size":123456789012345678901234567890,"Rate":1e999,"Zero":-0.0}
{"Id":"a2","Text":"before\u0000after","CreationTime":"2026-01-01T00:00:00"}
{"Id":"a3","Text":"lone \ud800 surrogate","Low":"\udc00"}
{"Id":"a4","Key":1,"Key":2,"Id":"a5","Key":[3]}
{ "Id" : "a6" ,  "Blanks" : [ 1 , 2 ],"Slash":"\/ \u002f","Tab\t":"	"}
{"Id":"a7","Escapes":"\q \x41","Brackets":"]}[{\"\\"}
{"Id":{"not":"text"},"":"empty key","Operation":null}
{"Id":1e400,"Id2":true,"Numbers":[01,+1,.5,0x1F,NaN]}
{"NoId":"at all","CreationTime":"yesterday"}
{"Id":"","CreationTime":12}
{}
[]
"text alone"
42
null
END
	printf '{"Id":"b1","Latin":"caf\xe9 \xff\xfe \xed\xa0\x80 \xc0\x80"}\n'
	printf '{"Id":"b2","Nul":"%s","Del":"\x7f\x01"}\n' "$long"
	printf '{"Id":"b3","Deep":%s}\n' "$deep"
	printf '{"Id":"c1","Text":"a raw\rbreak"}\n'
	printf '{"Id":"c2","List":[1,2}\n'
	printf '{"Id":"b4-%s"}\n' "$long"
} >"$work/records"
sim --records "$work/records" --blob 3-4 --rate 100 --faults pretty=30%
receiver lake
rsyslog siem ossl
to_http lake
to_syslog siem "max_message: 256KiB"
to_file archive
agent

# arrived NAME: all but those are there
arrived() {
	"$bin/tally" --lines --received "$work/$1/events" | sort >"$work/have"
	cmp -s "$work/want" "$work/have"
}

wait_for 60 "the simulator makes all events" stat_is finished = 1
"$bin/tally" --lines --ledger "$work/sim/ledger" | grep -av -e '"Id":"giant"' -e '"Id":"c' |
    sort >"$work/want"
[ "$(wc -l <"$work/want")" -eq 19 ] || fail "not all records are in the ledger"
for name in archive lake siem; do
	wait_for 60 "all but three arrive at $name" arrived "$name"
done
verified archive lake siem
# gaps_are N: so many are in the store
gaps_are() {
	ask gaps --json >"$work/gaps"
	[ "$(grep -o '"cause"' "$work/gaps" | wc -l)" -eq "$1" ]
}

wait_for 60 "three gaps" gaps_are 3
grep -Eq '"cause":"event [0-3] of the blob, counted from 0, is longer than 16 MiB' \
    "$work/gaps" || fail "gaps: $(cat "$work/gaps")"
wait_for 10 "the agent's own feed tells" grep -q \
    '"type":"gap".*"cause":"event [0-3] of the blob' "$work/archive/events"
# kept TEXT: the bytes of a broken event that has it are in the own feed
kept() {
	sed -n 's/.*"type":"gap".*"event":"\([^"]*\)".*/\1/p' "$work/archive/events" |
	    while read -r line; do echo "$line" | base64 -d; echo; done |
	    grep -aF "$1" >/dev/null
}

wait_for 10 "the raw break is kept" kept $'a raw\rbreak'
wait_for 10 "the open bracket is kept" kept '"c2"'
log_has 'something is lost: .*longer than 16 MiB' || fail "the log says nothing"
