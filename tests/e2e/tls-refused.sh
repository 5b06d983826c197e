#!/bin/bash
# Outputs that TLS refuses: an authority that is not trusted, a name that the
# certificate lacks, another fingerprint, a client certificate that is missing.
# Each is named with its cure, and once it is put right everything arrives.
. "${0%/*}/lib.sh"

sim --rate 100
rsyslog authority ossl
rsyslog name ossl
rsyslog print ossl
syslogng client required-trusted
certificate agent "/CN=fra1"
authority other
output_tls="{ ca: $work/other.pem }"
to_syslog authority
output_tls="{ ca: $work/ca.pem, name: siem.example.com }"
to_syslog name
output_tls="{ fingerprint: [\"sha-256:$(printf '00:%.0s' {1..31})00\"] }"
to_syslog print
output_tls="{ ca: $work/ca.pem }"
to_syslog client
agent
declare -A cure=([authority]="not in tls.ca; add" [name]="set tls.name"
    [print]="tls.fingerprint does not list"
    [client]="requires a client certificate.*tls.cert")
wait_for 20 "events are made" stat_is made -ge 50
for name in "${!cure[@]}"; do
	wait_for 20 "$name is blocked" \
	    log_has "ship $name: blocked: .*${cure[$name]}"
done
ask check --live >"$work/check" 2>&1 && fail "check --live finds nothing"
ask status --json >"$work/status"
for name in "${!cure[@]}"; do
	grep -q "^outputs.$name: .*${cure[$name]}" "$work/check" ||
	    fail "check --live on $name: $(cat "$work/check")"
	grep -q "${cure[$name]}" "$work/status" || fail "status on $name"
done
print=$(openssl x509 -in "$work/server.pem" -noout -fingerprint -sha256)
outputs=
output_tls="{ ca: $work/ca.pem }"
to_syslog authority
to_syslog name
output_tls="{ fingerprint: [\"sha-256:${print#*=}\"] }"
to_syslog print
output_tls="{ ca: $work/ca.pem, cert: $work/agent.pem, key: $work/agent.key }"
to_syslog client
agent_reload
for name in "${!cure[@]}"; do
	grows "$name"
done
enough
settled "${!cure[@]}"
no_repeats "${!cure[@]}"
verified "${!cure[@]}"
