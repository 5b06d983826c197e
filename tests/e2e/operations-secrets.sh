#!/bin/bash
# An operator who has only the manual changes the client secret and the
# authority of a SIEM while events flow.
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

sim --rate 100
receiver lake
to_http lake
installed
agent_again
grows lake

# The vendor gives out a new secret and then forgets the old one.
echo second-secret >"$work/secret"
follow "Client secrets" 1 <<<second-secret >"$work/said"
steer expire-tokens
grows lake 30
! log_has "AADSTS" || fail "the login was refused: $(cat "$work/said")"

# The SIEM gets certificates of another authority.
authority second
cp "$work/second.pem" "$work/root/new-ca.pem"
follow "The CA of a SIEM" 1 >"$work/said"
grows lake
certificate server "/CN=localhost" "subjectAltName=DNS:localhost"
stop_one lake
receiver lake
grows lake 30
follow "The CA of a SIEM" 2 >"$work/said"
cmp -s "$etc/siem-ca.pem" "$work/second.pem" || fail "the old CA is trusted"
grows lake 30
enough
settled lake
verified lake
