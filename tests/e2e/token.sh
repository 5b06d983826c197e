#!/bin/bash
# The signing key in a PKCS#11 token (SoftHSM), behind all walls: it signs, what
# it signs is verified; one that is slow holds up nobody but seal; one that is
# gone stops sealing and shipping, loudly, while collecting goes on, and nothing
# is lost once it is back.
. "${0%/*}/lib.sh"

for tool in softhsm2-util pkcs11-tool; do
	command -v "$tool" >/dev/null || skip "$tool is not there (tests/run gets it)"
done
module=/usr/lib/softhsm/libsofthsm2.so
[ -e "$module" ] || skip "SoftHSM is not there (tests/run gets it)"

pin=pin$RANDOM$RANDOM$RANDOM
export SOFTHSM2_CONF=$work/hsm/softhsm2.conf
mkdir -p "$work/hsm/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\n' \
    "$work/hsm/tokens" >"$SOFTHSM2_CONF"
softhsm2-util --init-token --free --label audit --pin "$pin" --so-pin 5678 \
    >"$work/said" 2>&1 || fail "no token: $(cat "$work/said")"
pkcs11-tool --module "$module" --login --pin "$pin" --token-label audit \
    --keypairgen --key-type EC:edwards25519 --label seal --id 01 \
    >"$work/said" 2>&1 || fail "no key: $(cat "$work/said")"
echo -n "$pin" >"$work/pin"

# The verifier key of its public half (C2SP signed note).
point=$(sed -n 's/.*EC_POINT:  *0420\([0-9a-f]\{64\}\).*/\1/p' "$work/said" | head -n 1)
[ -n "$point" ] || fail "no public key: $(cat "$work/said")"
id=$({ printf 'fra1\n\001'; xxd -r -p <<<"$point"; } | sha256sum | cut -c1-8)
vkey="fra1+$id+$({ printf '\001'; xxd -r -p <<<"$point"; } | base64 -w0)"

sim --events -1 --rate 100
to_file archive
write_config
echo "$vkey" >"$work/vkey"
in_token="pkcs11:token=audit;object=seal;type=private?module-path=$module&pin-source=file:$work/pin"
sed -i "s#^  key: .*#  key: \"${in_token//&/\\&}\"#" "$work/sealfeed.yaml"
agent_again
grows archive
verified archive

# seal has sockets with a path, and nothing else.
wait_for 20 "seal tells its walls" metric_is 'sealfeed_role_seccomp{role="seal"}' -eq 1

# Nobody but seal has its PIN.
[ "$(id -u)" -ne 0 ] ||
    [ "$(python3 "${0%/*}/holders.py" "$(cat "$work/agent.pid")" "pin=$pin" |
	grep -v '^sf-seal ')" = "" ] || fail "others than seal have the PIN"

# Slow: each signature takes two seconds.  Beside it an agent whose key is a
# file reads the same vendor: neither collects less than the other.
agent_stop
agent_env=("SEALFEED_TOKEN=$module" SEALFEED_TOKEN_MS=2000)
slow=${in_token//"$module"/"$bin/token.so"}
sed -i "s#^  key: .*#  key: \"${slow//&/\\&}\"#" "$work/sealfeed.yaml"
mkdir "$work/beside"
sed -e "s#^  key: .*#  key: $work/seal.pem#" -e "s#$work/watch.sock#none#" \
    -e "s#$store#$work/beside/store.db#; s#$seal_log#$work/beside/seal.log#" \
    -e "s#$work/archive/events#$work/beside/events#" \
    "$work/sealfeed.yaml" >"$work/beside/sealfeed.yaml"
run_receiver beside "$sealfeed" run --config "$work/beside/sealfeed.yaml"
agent_again
# collected CONFIGURATION: how many events it has
collected() {
	"$sealfeed" status --json --config "$1" |
	    jq '[.feeds[].events] | add // 0'
}
both() {
	slow_has=$(collected "$work/sealfeed.yaml") &&
	    quick_has=$(collected "$work/beside/sealfeed.yaml")
}
wait_for 30 "seal is told to wait" log_has \
    'seal: agent.key: the key takes a second or longer'
wait_for 30 "so is status" status_says "a second or longer"
# The one beside reads first what there was before it, quicker than what comes
# new.
caught_up() {
	both && [ "$quick_has" -ge "$slow_has" ]
}
wait_for 60 "both have caught up" caught_up
slow_had=$slow_has quick_had=$quick_has
wait_for 60 "both collect more" eval 'both && [ "$quick_has" -gt $((quick_had + 600)) ]'
say "beside a slow key $((slow_has - slow_had)) events, without $((quick_has - quick_had))"
[ $(((slow_has - slow_had) * 10)) -ge $(((quick_has - quick_had) * 8)) ] ||
    fail "a slow key holds up collecting"
[ "$(grep -c 'agent.key: the key takes' "$work/agent.log")" -eq 1 ] ||
    fail "that the key is slow is told more than once"
stop_one beside
grows archive
agent_stop
agent_env=()
sed -i "s#$bin/token.so#$module#" "$work/sealfeed.yaml"
agent_again
grows archive

# Gone.
mv "$work/hsm/tokens" "$work/hsm/away"
mkdir "$work/hsm/tokens"
kill -TERM "$(pgrep -g "$(cat "$work/agent.pid")" -x sf-seal)"
wait_for 30 "the log says that the key is gone" log_has \
    'seal: agent.key: .*token.*; nothing is shipped until this succeeds'
wait_for 30 "so does status" status_says "agent.key"
before=$(stat_of blobs)
wait_for 30 "collecting goes on" stat_is blobs -gt $((before + 10))
rm -r "$work/hsm/tokens"
mv "$work/hsm/away" "$work/hsm/tokens"
grows archive 30
enough
settled archive
verified archive

# An ECDSA key in the same token follows it, told by it.
pkcs11-tool --module "$module" --login --pin "$pin" --token-label audit \
    --keypairgen --key-type EC:prime256v1 --label next --id 02 \
    >"$work/said" 2>&1 || fail "no ECDSA key: $(cat "$work/said")"
"$sealfeed" keygen "$work/next.key" --name fra1 \
    --from "${in_token/object=seal/object=next}" --follows "$in_token" >"$work/next.vkey" || fail "no verifier key"
grep -q '^fra1+[0-9a-f]\{8\}+AjBZ' "$work/next.vkey" ||
    fail "another type of key: $(cat "$work/next.vkey")"
"$bin/stream" "$work/next.key" fra1 ndjson 2 20 >"$work/followed"
for key in vkey next.vkey; do
	"$sealfeed" verify --complete --key "$work/$key" "$work/followed" \
	    >"$work/said" || fail "with $key: $(cat "$work/said")"
done
