#!/bin/bash
# A topic of Kafka, on the mock cluster that librdkafka has for tests, whose
# broker goes down and comes back: everything arrives, verify proves it, the
# other output does not wait and memory stays as it is.  Another broker finds
# one event of 3,000 too large: that one becomes a dead letter, and the others
# arrive once.
. "${0%/*}/lib.sh"

[ -x "$bin/kafka" ] || skip "this build is without librdkafka"

# broker NAME COMPRESSION OPTION…: with an output
broker() {
	local name=$1 compression=$2
	shift 2
	mkdir -p "$work/$name"
	run_receiver "$name" "$bin/kafka" --dir "$work/$name" "$@"
	wait_for 30 "the broker $name listens" test -s "$work/$name/port"
	outputs+="  $name:
    type: kafka
    brokers: [\"127.0.0.1:$(cat "$work/$name/port")\"]
    topic: audit
    transport: tcp
    envelope: ndjson
    compression: $compression
    timeout: 2s
"
}

# all_but_one NAME: of the ledger, and none twice
all_but_one() {
	"$bin/tally" --lines --ledger "$work/sim/ledger" | sort >"$work/want"
	"$bin/tally" --lines --received "$work/$1/events" | sort >"$work/have"
	[ "$(comm -23 "$work/want" "$work/have" | wc -l)" -eq 1 ] &&
	    [ "$(comm -13 "$work/want" "$work/have" | wc -l)" -eq 0 ]
}

# A mock broker keeps 5 MiB: no more is sent as it is.
sim --events 3000 --rate 350
broker bus gzip
broker narrow none --poison '{"feed":"contoso/Audit.Exchange","index":321,'
to_file archive
agent

# memory: KiB of the role that ships to Kafka
memory() {
	awk '/^Pss:/ { print $2 }' \
	    "/proc/$(pgrep -P "$(cat "$work/agent.pid")" -f 'ship bus' |
		head -n 1)/smaps_rollup"
}

grows bus
kill -USR1 "$(cat "$work/bus/pid")"
wait_for 30 "that the broker is down is told of" log_has "ship bus: .*retried"
before=$(memory)
keeps_up archive
wait_for 30 "events wait" output_is bus backlog_events -ge 700
after=$(memory)
kill -USR1 "$(cat "$work/bus/pid")"
settled archive bus
verified bus
ask status | grep -E '^bus +acknowledged' >/dev/null || fail "status: $(ask status)"
[ "$after" -lt $((before + 8192)) ] ||
    fail "memory of the role: $before kB, then $after kB"
say "memory of the role: $before kB, then $after kB, with 700 waiting"

wait_for 60 "all but one event are at narrow" all_but_one narrow
wait_for 30 "that one is a dead letter" output_is narrow dead_letters -eq 1
ask dead-letters >"$work/letters"
grep -q 'max.message.bytes' "$work/letters" ||
    fail "no reason: $(cat "$work/letters")"
output_is bus dead_letters -eq 0 || fail "dead letters at bus"
