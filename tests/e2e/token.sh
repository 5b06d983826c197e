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

export SOFTHSM2_CONF=$work/hsm/softhsm2.conf
mkdir -p "$work/hsm/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\n' \
    "$work/hsm/tokens" >"$SOFTHSM2_CONF"
softhsm2-util --init-token --free --label audit --pin 1234 --so-pin 5678 \
    >"$work/said" 2>&1 || fail "no token: $(cat "$work/said")"
pkcs11-tool --module "$module" --login --pin 1234 --token-label audit \
    --keypairgen --key-type EC:edwards25519 --label seal --id 01 \
    >"$work/said" 2>&1 || fail "no key: $(cat "$work/said")"
echo -n 1234 >"$work/pin"

# The verifier key of its public half (C2SP signed note).
point=$(sed -n 's/.*EC_POINT:  *0420\([0-9a-f]\{64\}\).*/\1/p' "$work/said" | head -n 1)
[ -n "$point" ] || fail "no public key: $(cat "$work/said")"
id=$({ printf 'fra1\n\001'; xxd -r -p <<<"$point"; } | sha256sum | cut -c1-8)
vkey="fra1+$id+$({ printf '\001'; xxd -r -p <<<"$point"; } | base64 -w0)"

sim --events -1 --rate 100
to_file archive
write_config
echo "$vkey" >"$work/vkey"
sed -i "s#^  key: .*#  key: \"pkcs11:token=audit;object=seal;type=private?module-path=$module\&pin-source=file:$work/pin\"#" \
    "$work/sealfeed.yaml"
agent_again
grows archive
verified archive

# seal has sockets with a path, and nothing else.
wait_for 20 "seal tells its walls" metric_is 'sealfeed_role_seccomp{role="seal"}' -eq 1

# Slow, as long as it is held up: others do not wait for it.
seal=$(pgrep -g "$(cat "$work/agent.pid")" -x sf-seal)
kill -STOP "$seal"
before=$(stat_of blobs)
wait_for 30 "collecting goes on beside a slow key" stat_is blobs -gt $((before + 10))
kill -CONT "$seal"
grows archive

# Gone.
mv "$work/hsm/tokens" "$work/hsm/away"
mkdir "$work/hsm/tokens"
kill -TERM "$(pgrep -g "$(cat "$work/agent.pid")" -x sf-seal)"
wait_for 30 "the log says that the key is gone" log_has \
    'seal: agent.key: .*token.*; nothing is shipped until this succeeds'
wait_for 30 "so does status" eval 'ask status | grep >/dev/null "agent.key"'
before=$(stat_of blobs)
wait_for 30 "collecting goes on" stat_is blobs -gt $((before + 10))
rm -r "$work/hsm/tokens"
mv "$work/hsm/away" "$work/hsm/tokens"
grows archive 30
enough
settled archive
verified archive

# An ECDSA key in the same token follows it, told by it.
pkcs11-tool --module "$module" --login --pin 1234 --token-label audit \
    --keypairgen --key-type EC:prime256v1 --label next --id 02 \
    >"$work/said" 2>&1 || fail "no ECDSA key: $(cat "$work/said")"
in_token() {
	echo "pkcs11:token=audit;object=$1;type=private?module-path=$module&pin-source=file:$work/pin"
}
"$sealfeed" keygen "$work/next.key" --name fra1 --from "$(in_token next)" \
    --follows "$(in_token seal)" >"$work/next.vkey" || fail "no verifier key"
grep -q '^fra1+[0-9a-f]\{8\}+AjBZ' "$work/next.vkey" ||
    fail "another type of key: $(cat "$work/next.vkey")"
"$bin/stream" "$work/next.key" fra1 ndjson 2 20 >"$work/followed"
for key in vkey next.vkey; do
	"$sealfeed" verify --complete --key "$work/$key" "$work/followed" \
	    >"$work/said" || fail "with $key: $(cat "$work/said")"
done
