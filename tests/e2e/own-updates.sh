#!/bin/bash
# Receivers that read slowly and send KeyUpdates that nobody asked for are killed
# with most of what they were sent unread: their answers are no receipts, whether
# receipts are said to be relayed or direct, and nothing is lost.
. "${0%/*}/lib.sh"

sim --backlog 4000 --events 5000 --rate 500 --blob 50-100
for kind in relayed direct; do
	odd $kind --updates 40
	to_syslog $kind "receipts: $kind"
done
agent
wait_for 20 "the log says so" log_has "ship direct: delivery is unconfirmed"
wait_for 20 "and so does that of the other" \
    log_has "ship relayed: delivery is unconfirmed"
for kind in relayed direct; do
	stop_one $kind KILL
	odd $kind
done
settled relayed direct
