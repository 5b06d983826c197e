#!/bin/bash
# What systemd is told: ready when all roles work, alive while they do, about
# reloads and the stop.
. "${0%/*}/lib.sh"

heard() {
	grep -q "^$1" "$work/systemd/log"
}

sim --events 500 --rate 200
receiver lake
to_http lake
mkdir "$work/systemd"
export NOTIFY_SOCKET=$work/systemd/socket WATCHDOG_USEC=2000000
run_receiver systemd "$bin/notified" "$NOTIFY_SOCKET"
wait_for 10 "the socket is there" test -S "$NOTIFY_SOCKET"
agent
wait_for 20 "READY=1" heard READY=1
wait_for 10 "WATCHDOG=1" heard WATCHDOG=1
agent_reload
wait_for 10 "RELOADING=1" heard RELOADING=1
wait_for 10 "MONOTONIC_USEC" heard MONOTONIC_USEC=
settled lake
agent_stop
wait_for 5 "STOPPING=1" heard STOPPING=1
verified lake
