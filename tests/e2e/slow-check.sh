#!/bin/bash
# The check of the store at the start takes long: here, since somebody else
# writes to it.  systemd is asked for more time and told that the agent lives;
# a stop is obeyed at once; in the end the agent runs, with the configuration
# that it was told to read meanwhile.
. "${0%/*}/lib.sh"

heard() {
	grep -q "^$1" "$work/systemd/log"
}

hold() {
	coproc locker { sqlite3 "$store"; }
	echo "BEGIN IMMEDIATE; SELECT 'held';" >&"${locker[1]}"
	read -r _ <&"${locker[0]}"
}

release() {
	echo "ROLLBACK;" >&"${locker[1]}"
	eval "exec ${locker[1]}>&-"
	wait "$locker_PID" 2>/dev/null
}

command -v sqlite3 >/dev/null || skip "sqlite3 is not there"
sim --events 300 --rate 200
receiver lake
to_http lake
agent
grows lake
agent_stop
mkdir "$work/systemd"
export NOTIFY_SOCKET=$work/systemd/socket WATCHDOG_USEC=2000000
run_receiver systemd "$bin/notified" "$NOTIFY_SOCKET"
wait_for 10 "the socket is there" test -S "$NOTIFY_SOCKET"

hold
agent_again
wait_for 10 "it is alive" heard WATCHDOG=1
agent_stop
release
! heard READY=1 || fail "ready before the store was checked"

hold
: >"$work/systemd/log"
agent_again
wait_for 20 "more time is asked for" heard EXTEND_TIMEOUT_USEC=
heard 'STATUS=the store is checked' || fail "no word of what takes long"
kill -HUP "$(cat "$work/agent.pid")"
! heard READY=1 || fail "ready before the store was checked"
release
wait_for 20 "READY=1" heard READY=1
wait_for 20 "it reloads then" log_has 'configuration reloaded'
settled lake
agent_stop
verified lake
