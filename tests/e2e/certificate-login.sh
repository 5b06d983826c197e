#!/bin/bash
# Login with a certificate: the simulator checks the assertion's signature,
# thumbprint, audience, times and that no assertion comes twice.
. "${0%/*}/lib.sh"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/app.key" \
    -out "$work/app.pem" -days 30 -subj /CN=app 2>/dev/null || fail "openssl"
sim --events 1000 --rate 500 --token-life 2 --assertion-cert "$work/app.pem"
rm "$work/secret"
receiver lake
source_options[certificate]=$work/app.pem
source_options[private_key]=$work/app.key
to_http lake
agent
settled lake
verified lake
stat_is tokens_refused -eq 0 || fail "$(stat_of tokens_refused) logins refused"
stat_is tokens -ge 2 || fail "the token was never renewed"
