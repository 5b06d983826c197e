#!/bin/bash
# An operator who has only the manual answers alerts: what makes each one is
# done to an agent, a real Prometheus finds the alert's expression true, the
# commands of its paragraph show the cause, and what it says ends it.  (Warnings
# are in operations-warnings; store-full, reader-stays, log-blocked and clock
# have those that take more.)
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

# troubled LABEL=VALUE: what SealfeedStandsStill and its like look at
troubled() {
	curl -s --unix-socket "$work/watch.sock" http://localhost/metrics |
	    grep >/dev/null "^sealfeed_trouble_since_timestamp_seconds{.*${1%%=*}=\"${1#*=}\""
}

sim --rate 100
receiver lake --bad 'contoso/Audit.Exchange","index":7,"agent"'
to_http lake
installed
agent_again
watched

say "SealfeedDeadLetters"
fires SealfeedDeadLetters
try SealfeedDeadLetters "sealfeed dead-letters list" || fail "$(cat "$work/said")"
shows 'lake +contoso/Audit.Exchange +7 '
id=contoso/Audit.Exchange:7
try SealfeedDeadLetters "sealfeed trace ID" || fail "$(cat "$work/said")"
shows 'lake +.*dead'
stop_one lake
receiver lake
try SealfeedDeadLetters "sealfeed dead-letters retry --all" || fail "$(cat "$work/said")"
calms SealfeedDeadLetters

say "SealfeedOutputBlocked"
stop_one lake
fires SealfeedOutputBlocked
try SealfeedOutputBlocked "sealfeed status"
shows 'lake  *acknowledged .* error for .*connect'
! try SealfeedOutputBlocked "sealfeed check --live" || fail "nothing is wrong"
shows 'outputs.lake: .*[Cc]onnect'
receiver lake
try SealfeedOutputBlocked "systemctl reload sealfeed"
calms SealfeedOutputBlocked

say "SealfeedCredentialsRefused"
echo second-secret >"$work/secret"
steer expire-tokens
fires SealfeedCredentialsRefused
! try SealfeedCredentialsRefused "sealfeed check --live" || fail "it is taken"
shows 'AADSTS7000215'
cp "$work/secret" "$etc/contoso.secret"
try SealfeedCredentialsRefused "systemctl reload sealfeed"
try SealfeedCredentialsRefused "sealfeed check --live" ||
    fail "the secret is refused: $(cat "$work/said")"
calms SealfeedCredentialsRefused

steer "make?type=Audit.SharePoint&events=5&gone=AF20051&life=8"

say "SealfeedUnsealed"
mv "$etc/seal.pem" "$work/away"
agent_stop
agent_again
wait_for 30 "nothing is signed" troubled subject=seal
fires SealfeedUnsealed s/10m/3s/
try SealfeedUnsealed "sealfeed status"
shows 'agent.key'
! try SealfeedUnsealed "sealfeed check --live" || fail "the key is there"
shows 'agent.key: .*seal.pem'
mv "$work/away" "$etc/seal.pem"
try SealfeedUnsealed "systemctl reload sealfeed"
wait_for 60 "all is signed" eval '! troubled subject=seal'
calms SealfeedUnsealed s/10m/3s/
grows lake

say "SealfeedStandsStill"
steer "faults?set=af20052=100%"
wait_for 30 "the vendor refuses" troubled code=AF20052
fires SealfeedStandsStill s/900/2/
try SealfeedStandsStill "sealfeed status"
shows 'AF20052 '
steer "faults?set=none"
calms SealfeedStandsStill s/900/2/

say "SealfeedGap"
sealfeed check --live >"$work/said" 2>&1 || fail "one item: $(cat "$work/said")"
fires SealfeedGap
wait_for 10 "it is told" eval 'try SealfeedGap "sealfeed gaps" &&
    grep -q "expired at the vendor" "$work/said"'

say "SealfeedDown"
agent_stop
fires SealfeedDown
cp "$work/sealfeed.yaml" "$work/good.yaml"
sed -i 's/^outputs:/output:/' "$etc/sealfeed.yaml"
try SealfeedDown "sealfeed check"
[ $? -eq 78 ] || fail "a fault is none: $(cat "$work/said")"
shows 'sealfeed.yaml:[0-9]+: .*did you mean "outputs"'
cp "$work/good.yaml" "$etc/sealfeed.yaml"
agent_again
wait_for 30 "an answer" \
    try SealfeedDown "curl -s http://127.0.0.1:9469/healthz"
calms SealfeedDown
enough
settled lake
verified lake
