#!/bin/bash
# Connections that break.  Receivers reset each after 300 messages or 20 kB,
# fewer than a chunk has: what they read is settled, and the rest follows without
# longer and longer waits.  Others give up whenever they are sent a certain event:
# that one becomes a dead letter, and the others arrive.
. "${0%/*}/lib.sh"

spoiled='feed="contoso/Audit.Exchange" index="321"'

# all_but_one NAME: of the ledger
all_but_one() {
	"$bin/tally" --lines --ledger "$work/sim/ledger" | sort >"$work/want"
	"$bin/tally" --lines --received "$work/$1/events" | sort >"$work/have"
	[ "$(comm -23 "$work/want" "$work/have" | wc -l)" -eq 1 ] &&
	    [ "$(comm -13 "$work/want" "$work/have" | wc -l)" -eq 0 ]
}

sim --backlog 6000 --events 7000 --rate 500 --blob 50-100
odd resets --reset-after 300
odd fussy --poison "$spoiled"
receiver cut --reset-after 20000
receiver choosy --poison '"feed":"contoso/Audit.Exchange","index":321,"agent":"fra1","event":'
to_syslog resets
to_syslog fussy
to_http cut
to_http choosy
agent
settled resets cut
for name in resets cut; do
	wait_for 10 "no backlog at $name" output_is $name backlog_events -eq 0
	output_is $name dead_letters -eq 0 || fail "dead letters at $name"
done
for name in fussy choosy; do
	wait_for 60 "all but one event are at $name" all_but_one $name
	wait_for 60 "that one is a dead letter" output_is $name dead_letters -eq 1
	ask dead-letters --output $name | tr -s ' \n' ' ' >"$work/letters"
	grep -q 'alone it ended the connection 10 times while others passed: ' \
		    "$work/letters" || fail "no reason: $(cat "$work/letters")"
	wait_for 10 "no backlog at $name" output_is $name backlog_events -eq 0
done
