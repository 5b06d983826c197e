#!/bin/bash
# Behind a proxy that the shell's https_proxy names, setup checks through it and
# writes it down, but not for hosts in no_proxy: the agent goes the same way
# without that environment.
. "${0%/*}/lib.sh"

# setup WORD…: from a shell with a proxy; what it says is in $work/out.
setup() {
	https_proxy=http://clerk:s3same@$gate no_proxy=.example,127.0.0.1 \
	    "$sealfeed" setup --config "$work/sealfeed.yaml" --name fra1 \
	    --no-wait --source contoso type=office365 "tenant=$tenant" \
	    "client-id=$client" interval=250ms "login_url=$api" \
	    "api_url=$api" "tls.ca=$work/ca.pem" \
	    "client-secret-file=$work/secret" \
	    --output lake type=http "url=$lake" "tls.ca=$work/ca.pem" \
	    "$@" >"$work/out" 2>&1 </dev/null || fail "setup: $(cat "$work/out")"
}

says() {
	grep -Eq -- "$1" "$work/out" || fail "no \"$1\": $(cat "$work/out")"
}

sim --events 500 --rate 500
receiver lake
proxy gate clerk s3same
gate=127.0.0.1:$(cat "$work/gate/port")
lake=https://localhost:$(cat "$work/lake/port")/
setup --output near type=http "url=https://127.0.0.1:$(cat "$work/lake/port")/" \
    "tls.ca=$work/ca.pem"
says "^sources.contoso: through the proxy $gate, as https_proxy says$"
says "^outputs.lake: through the proxy $gate,"
! grep -q 'outputs.near: through' "$work/out" || fail "no_proxy is passed over"
for part in source-contoso output-lake; do
	grep -q "proxy: .*file:$work/$part.proxy" "$work"/conf.d/*"$part".yaml ||
	    fail "$part: $(cat "$work"/conf.d/*"$part".yaml)"
done
! grep -qr s3same "$work/out" "$work/conf.d" || fail "the password is shown"
! grep -q proxy: "$work"/conf.d/*output-near.yaml || fail "near has a proxy"
for port in "$(cat "$work/sim/port")" "$(cat "$work/lake/port")"; do
	grep -q "CONNECT localhost:$port" "$work/gate/log" ||
	    fail "not checked through the proxy: port $port"
done
setup
says 'nothing was changed'

# The service has another environment.
rm "$work/gate/log"
stop_one gate
proxy gate clerk s3same
"$sealfeed" check --live --config "$work/sealfeed.yaml" >"$work/out" 2>&1 ||
    fail "check --live: $(cat "$work/out")"
grep -q "CONNECT localhost:$(cat "$work/sim/port")" "$work/gate/log" ||
    fail "without the environment it is not asked"
