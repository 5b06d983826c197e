#!/bin/bash
# TLS ends at HAProxy, stunnel and nginx, which answer in the SIEM's stead.  The
# servers behind them are killed in the middle of the stream, hang until they are
# killed, and are down: what they never read had receipts, and arrives.
. "${0%/*}/lib.sh"

kinds=(haproxy stunnel nginx)

# each COMMAND…: with every server
each() {
	local kind
	for kind in "${kinds[@]}"; do
		"$@" "$kind"
	done
}

start() {
	# What it was writing when it was killed is no line.
	[ ! -s "$work/$1/events" ] || [ -z "$(tail -c 1 "$work/$1/events")" ] ||
	    echo >>"$work/$1/events"
	rsyslog "$1" ptcp
}

kill_one() {
	stop_one "$1" KILL
}

hang() {
	kill -STOP "$(cat "$work/$1/pid")"
}

# more N: so many more events are made
more() {
	wait_for 20 "$1 more events are made" \
	    stat_is made -ge $(($(stat_of made) + $1))
}

sim --rate 300
each start
for kind in "${kinds[@]}"; do
	terminator "front-$kind" "$kind" "$kind"
	front+=(["$kind"]=front-$kind)
	to_syslog "$kind"
done
agent
each grows
for round in 1 2 3; do
	each kill_one
	each start
	each grows
done
each hang
more 600
each kill_one
more 300
each start
each grows
enough
settled "${kinds[@]}"
for kind in "${kinds[@]}"; do
	ask status | grep >/dev/null -E "^$kind +relayed" || fail "status: $(ask status)"
	wait_for 10 "no backlog at $kind" output_is "$kind" backlog_events -eq 0
	output_is "$kind" held_events -gt 0 || fail "nothing is held at $kind"
done
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
grep -q '^outputs.haproxy: .*receipts: relayed, .* may be a load balancer' \
    "$work/check" || fail "$(cat "$work/check")"
