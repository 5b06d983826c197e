#!/bin/bash
# A receiver that splits at line feeds, as syslog-ng's network() and many
# appliances do, gets line feeds; check --live points to them where octets are
# counted.  A web server at the address of a syslog output is told from a
# receiver.
. "${0%/*}/lib.sh"

sim --events 1500 --rate 500
syslogng siem
sed -i 's/syslog(ip(\(.*\)) transport("tls")/network(ip(\1) transport("tls")/' \
    "$work/siem/conf"
grep -q ' network(ip(' "$work/siem/conf" || fail "$(cat "$work/siem/conf")"
stop_one siem
run_receiver siem syslogng_exec "$work/siem"
wait_for 15 "syslog-ng listens" listens siem
receiver web
rsyslog frames ossl
to_syslog siem "framing: lf"
to_syslog web
to_syslog frames
agent
settled siem frames
verified siem frames
ask check --live >"$work/check" 2>&1 && fail "a web server is good"
grep -q '^outputs.web: .*a web server answers here' "$work/check" ||
    fail "check --live on web: $(cat "$work/check")"
grep -q '^outputs.siem: .*framing: lf$' "$work/check" ||
    fail "check --live on siem: $(cat "$work/check")"
grep -q '^outputs.frames: .*set framing: lf if' "$work/check" ||
    fail "check --live has no hint: $(cat "$work/check")"
! grep -v '^<' "$work/frames/events" || fail "check --live delivers something"
