#!/bin/bash
# The SIEMs get new certificates while the agent runs: first by the same
# authority, which nobody needs to be told of; then by another one, whose
# certificate is put into the ca file in place.  The agent finds it by itself.
. "${0%/*}/lib.sh"

restart_all() {
	stop_one siem
	stop_one archive
	stop_one lake
	rsyslog siem ossl
	syslogng archive
	receiver lake
}

sim --rate 200
rsyslog siem ossl
syslogng archive
receiver lake
cp "$work/ca.pem" "$work/trusted.pem"
output_tls="{ ca: $work/trusted.pem }"
to_syslog siem
to_syslog archive
to_http lake
agent
grows siem
grows archive
grows lake
certificate server "/CN=localhost" "subjectAltName=DNS:localhost"
restart_all
grows siem
grows archive
grows lake
! log_has "blocked" || fail "blocked by a certificate of the same authority"
authority second
certificate server "/CN=localhost" "subjectAltName=DNS:localhost"
restart_all
for name in siem archive lake; do
	wait_for 30 "$name is blocked" log_has "ship $name: blocked: .*certificat"
done
cp "$work/second.pem" "$work/trusted.new" # by rename, as one should
mv "$work/trusted.new" "$work/trusted.pem"
for name in siem archive lake; do
	grows "$name" 30
done
enough
settled siem archive lake
verified siem archive lake
