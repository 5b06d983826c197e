#!/bin/bash
# RELP over TLS to a real rsyslog, which ends its session in order, is killed and
# comes back: everything arrives, each event is delivered when it was answered,
# and at most a window of them twice after each break.
. "${0%/*}/lib.sh"

[ -n "${rsyslogd:-}" ] && [ -e "${rsyslog_modules%%:*}/imrelp.so" ] ||
    skip "rsyslog with imrelp is not there (tests/run gets it)"
certificate client "/CN=agent" "subjectAltName=DNS:agent"

# relp_start NAME PORT
relp_start() {
	mkdir -p "$work/$1/work"
	cat >"$work/$1/conf" <<END
global(workDirectory="$work/$1/work" maxMessageSize="256k"
    parser.escapeControlCharactersOnReceive="off")
module(load="imrelp" tls.tlslib="openssl")
template(name="whole" type="string" string="%rawmsg%\n")
ruleset(name="keep" queue.type="Direct") {
    action(type="omfile" file="$work/$1/events" template="whole")
}
input(type="imrelp" address="127.0.0.1" port="$2" ruleset="keep" tls="on"
    tls.cacert="$work/ca.pem" tls.mycert="$work/server.pem"
    tls.myprivkey="$work/server.key" tls.authmode="name"
    tls.permittedpeer=["agent"])
END
	rm -f "$work/$1/rsyslogd.pid"
	run_receiver "$1" rsyslog_exec "$work/$1"
}

sim --events 3000 --rate 600
run_on_some_port siem relp_start
outputs="  siem:
    type: relp
    address: localhost:$(cat "$work/siem/port")
    max_message: 256KiB
    tls: { ca: $work/ca.pem, cert: $work/client.pem, key: $work/client.key }
"
agent
for signal in TERM KILL; do
	grows siem
	stop_one siem "$signal"
	run_on_some_port siem relp_start
done
settled siem
verified siem
n=$(repeats siem)
[ "$n" -le 256 ] || fail "$n events arrived twice: more than two windows"
wait_for 20 "all are delivered" output_is siem events_total -ge 3000
ask status | grep -E '^siem +acknowledged' >/dev/null || fail "status: $(ask status)"
ask check --live >"$work/said" 2>&1 || fail "$(cat "$work/said")"
grep -q "^outputs.siem: TLSv1.3 .*speaks RELP" "$work/said" ||
    fail "$(cat "$work/said")"
