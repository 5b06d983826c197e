#!/bin/bash
# An operator who has only the manual answers alerts: what makes each one is
# done to an agent, the commands of its paragraph show the cause, and what it
# says puts it right.  (Those on the whole machine have other stories: store-full,
# reader-stays, log-blocked, textfile, clock, roles.)
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

# try ALERT COMMAND: which stands in its paragraph; what it says is in
# $work/said, its status is the command's.
try() {
	awk -v alert="### $1" '/^#/ { here = $0 == alert } here' "$manual" |
	    tr '\n' ' ' | grep >/dev/null -F "\`$2\`" ||
	    fail "the paragraph of $1 does not have \"$2\""
	eval "${2/FILE/$etc/siem-ca.pem}" >"$work/said" 2>&1
}

# shows REGEX
shows() {
	tr -s ' \n' ' ' <"$work/said" | grep >/dev/null -E -- "$1" ||
	    fail "no \"$1\" in: $(cat "$work/said")"
}

# troubled LABEL=VALUE: what SealfeedStandsStill and its like look at
troubled() {
	curl -s --unix-socket "$work/watch.sock" http://localhost/metrics |
	    grep >/dev/null "^sealfeed_trouble_since_timestamp_seconds{.*${1%%=*}=\"${1#*=}\""
}

curl() {
	[ "$*" != "-s http://127.0.0.1:9469/healthz" ] ||
	    set -- -s --unix-socket "$work/watch.sock" http://localhost/healthz
	command curl "$@"
}

sim --rate 100
receiver lake --bad 'contoso/Audit.Exchange","index":7,"agent"'
to_http lake
installed
agent_again

say "SealfeedDeadLetters"
wait_for 30 "a dead letter" output_is lake dead_letters -eq 1
try SealfeedDeadLetters "sealfeed dead-letters list" || fail "$(cat "$work/said")"
shows 'lake +contoso/Audit.Exchange +7 '
stop_one lake
receiver lake
try SealfeedDeadLetters "sealfeed dead-letters retry --all" || fail "$(cat "$work/said")"
wait_for 30 "no dead letter" output_is lake dead_letters -eq 0

say "SealfeedOutputBlocked"
stop_one lake
wait_for 30 "it is blocked" output_is lake failing -eq 1
try SealfeedOutputBlocked "sealfeed status"
shows 'lake  *acknowledged .* error for .*connect'
! try SealfeedOutputBlocked "sealfeed check --live" || fail "nothing is wrong"
shows 'outputs.lake: .*[Cc]onnect'
receiver lake
wait_for 60 "it delivers" output_is lake failing -eq 0

say "SealfeedCredentialsRefused"
echo second-secret >"$work/secret"
steer expire-tokens
wait_for 30 "the secret is refused" troubled class=credentials
! try SealfeedCredentialsRefused "sealfeed check --live" || fail "it is taken"
shows 'AADSTS7000215'
cp "$work/secret" "$etc/contoso.secret"
try SealfeedCredentialsRefused "systemctl reload sealfeed"
try SealfeedCredentialsRefused "sealfeed check --live" ||
    fail "the secret is refused: $(cat "$work/said")"
wait_for 60 "it is taken" eval '! troubled class=credentials'

steer "make?type=Audit.SharePoint&events=5&gone=AF20051&life=8"

say "SealfeedUnsealed"
mv "$etc/seal.pem" "$work/away"
agent_stop
agent_again
wait_for 30 "nothing is signed" troubled subject=seal
try SealfeedUnsealed "sealfeed status"
shows 'agent.key'
! try SealfeedUnsealed "sealfeed check --live" || fail "the key is there"
shows 'agent.key: .*seal.pem'
mv "$work/away" "$etc/seal.pem"
try SealfeedUnsealed "systemctl reload sealfeed"
wait_for 60 "all is signed" eval '! troubled subject=seal'
grows lake

say "SealfeedStandsStill"
steer "faults?set=af20052=100%"
wait_for 30 "the vendor refuses" troubled code=AF20052
try SealfeedStandsStill "sealfeed status"
shows 'AF20052 '
! try SealfeedFeedLags "sealfeed check --live" || fail "the vendor answers"
steer "faults?set=none"
wait_for 60 "it goes on" eval '! troubled code=AF20052'

say "SealfeedGap"
sealfeed check --live >"$work/said" 2>&1 || fail "one item: $(cat "$work/said")"
wait_for 40 "a gap" eval 'try SealfeedGap "sealfeed gaps" &&
    grep -q "expired at the vendor" "$work/said"'

say "SealfeedCertificateExpires"
try SealfeedCertificateExpires "openssl x509 -noout -subject -enddate -in FILE" ||
    fail "$(cat "$work/said")"
metric_is 'sealfeed_certificate_not_after_timestamp_seconds{option="outputs.lake.tls.ca"}' \
    -eq "$(date -d "$(sed -n 's/^notAfter=//p' "$work/said")" +%s)" ||
    fail "the metric is of another certificate: $(cat "$work/said")"

say "SealfeedDown"
agent_stop
cp "$work/sealfeed.yaml" "$work/good.yaml"
sed -i 's/^outputs:/output:/' "$etc/sealfeed.yaml"
try SealfeedDown "sealfeed check"
[ $? -eq 78 ] || fail "a fault is none: $(cat "$work/said")"
shows 'sealfeed.yaml:[0-9]+: .*did you mean "outputs"'
cp "$work/good.yaml" "$etc/sealfeed.yaml"
agent_again
wait_for 30 "an answer" \
    try SealfeedDown "curl -s http://127.0.0.1:9469/healthz"
enough
settled lake
verified lake
