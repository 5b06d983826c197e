#!/bin/bash
# A receiver that speaks TLS 1.2 only, pinned by its certificate's fingerprint:
# everything arrives, delivery is said to be unconfirmed.
. "${0%/*}/lib.sh"

sim --events 1500 --rate 300
syslogng siem optional-untrusted no-tlsv13
print=$(openssl x509 -in "$work/server.pem" -noout -fingerprint -sha256)
output_tls="{ fingerprint: [\"sha-256:${print#*=}\"] }"
to_syslog siem "hold: { time: 2s }"
agent
wait_for 30 "the log says so" log_has "ship siem: delivery is unconfirmed"
settled siem
verified siem
ask status | grep >/dev/null -E '^siem +unconfirmed' || fail "status: $(ask status)"
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
grep -q '^outputs.siem: TLSv1.2 ' "$work/check" || fail "$(cat "$work/check")"
