#!/bin/bash
# A topic of Kafka, on the mock cluster that librdkafka has for tests, whose
# broker goes down and comes back: everything arrives, verify proves it, the
# other output does not wait and memory stays as it is.
. "${0%/*}/lib.sh"

[ -x "$bin/kafka" ] || skip "this build is without librdkafka"

sim --events 6000 --rate 800
mkdir -p "$work/bus"
run_receiver bus "$bin/kafka" --dir "$work/bus"
wait_for 30 "the broker listens" test -s "$work/bus/port"
to_file archive
outputs+="  bus:
    type: kafka
    brokers: [\"127.0.0.1:$(cat "$work/bus/port")\"]
    topic: audit
    transport: tcp
    envelope: ndjson
    timeout: 2s
"
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
wait_for 30 "events wait" output_is bus backlog_events -ge 1000
after=$(memory)
kill -USR1 "$(cat "$work/bus/pid")"
settled archive bus
verified bus
ask status | grep -E '^bus +acknowledged' >/dev/null || fail "status: $(ask status)"
[ "$after" -lt $((before + 8192)) ] ||
    fail "memory of the role: $before kB, then $after kB"
say "memory of the role: $before kB, then $after kB, with a thousand waiting"
