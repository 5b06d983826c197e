#!/bin/bash
# Connections that break.  One receiver resets each after 300 messages, fewer
# than a chunk has: what it read is settled, and the rest follows without longer
# and longer waits.  Another one gives up whenever it is sent a certain event:
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
to_syslog resets
to_syslog fussy
agent
settled resets
wait_for 10 "no backlog at resets" output_is resets backlog_events -eq 0
wait_for 60 "all but one event are at fussy" all_but_one fussy
wait_for 60 "that one is a dead letter" output_is fussy dead_letters -eq 1
ask dead-letters >"$work/letters"
grep -q 'alone it ended the connection 10 times while others passed: ' \
    "$work/letters" || fail "no reason: $(cat "$work/letters")"
wait_for 10 "no backlog at fussy" output_is fussy backlog_events -eq 0
output_is resets dead_letters -eq 0 || fail "dead letters at resets"
