#!/bin/bash
# An operator who has only the manual rotates the signing key while events
# flow: the auditor goes on with the old verifier key, and the new one is in use.
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

signed_by_next() {
	grep -c '"keys":\[' "$work/lake/events"
}

sim --rate 100
receiver lake
to_http lake
installed
agent_again
grows lake
follow "The signing key" 1 >"$work/printed"
grep -q '^fra1+' "$work/printed" ||
    fail "no verifier key is printed: $(cat "$work/printed")"
wait_for 30 "checkpoints carry the statement of the old key" \
    eval '[ "$(signed_by_next)" -gt 0 ]'
follow "The signing key" 2
[ ! -e "$etc/seal.pem" ] || fail "the old key is still there"
grows lake
enough
settled lake
verified lake
wait_for 30 "all of it is proven" "$sealfeed" verify --complete \
    --key "$work/vkey" "$work/lake/events"
