#!/bin/bash
# rsyslog with GnuTLS does not answer key updates: delivery works, status and
# metrics say "unconfirmed", and restarts of the receiver lose nothing.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 200
rsyslog siem gtls
to_syslog siem "hold: { bytes: 256KiB, time: 2s }"
agent
for round in 1 2 3; do
	want=$((round * 400))
	wait_for 30 "$want events made" stat_is made -ge "$want"
	stop_one siem
	rsyslog siem gtls
done
settled siem
verified siem
ask status | grep -q 'siem *unconfirmed' || fail "status does not say so"
