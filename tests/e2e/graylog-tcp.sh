#!/bin/bash
# GELF over TLS: one message behind the other with a NUL behind each, receipts as
# for syslog, and everything once more after the receiver was killed.
. "${0%/*}/lib.sh"
[ -x /usr/bin/python3 ] || skip "python3 is not there (tests/run gets it)"

gelf_receiver() {
	run_receiver graylog /usr/bin/python3 "$top/tests/e2e/gelf.py" \
	    "$work/graylog" "$work/server.pem" "$work/server.key"
	wait_for 30 "the receiver listens" listens graylog
}

sim --events 800 --rate 400 --blob 20-40
mkdir -p "$work/graylog"
gelf_receiver
outputs="  graylog:
    type: graylog-tcp
    address: localhost:$(cat "$work/graylog/port")
    tls: { ca: $work/ca.pem }
"
agent
grows graylog
stop_one graylog KILL
gelf_receiver
settled graylog
verified graylog
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
grep -q "GELF with a NUL behind each message" "$work/check" ||
    fail "$(cat "$work/check")"
ask status | grep >/dev/null "^graylog  *relayed" || fail "$(ask status)"
