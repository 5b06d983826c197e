#!/bin/bash
# The signing key in a TPM 2.0 (swtpm), behind all walls, as the one that follows
# a key in a file: what it signs is verified by the old verifier key; a TPM that
# is slow holds up sealing and nothing else, and is told; one that is gone stops
# sealing and shipping, loudly, while collecting goes on, and nothing is lost
# once it is back.
. "${0%/*}/lib.sh"

for tool in swtpm tpm2_createprimary; do
	command -v "$tool" >/dev/null || skip "$tool is not there (tests/run gets it)"
done
modules=$(openssl version -m | sed 's/.*"\(.*\)"/\1/')
[ -e "$modules/tpm2.so" ] || skip "tpm2-openssl is not there (tests/run gets it)"

tpm_start() {
	run_receiver "$1" swtpm socket --tpm2 --tpmstate dir="$work/$1" \
	    --flags startup-clear \
	    --server type=tcp,port="$2",bindaddr=127.0.0.1 \
	    --ctrl type=tcp,port=$(($2 + 1)),bindaddr=127.0.0.1
}

tpm_signal() {
	kill "-$1" "$(cat "$work/tpm/pid")"
}

# tpm COMMAND ARGUMENT…: of tpm2-tools; without a resource manager, handles are
# given back by hand.
tpm() {
	local command=tpm2_$1
	shift
	{ "$command" "$@" && tpm2_flushcontext -t; } >>"$work/said" 2>&1 ||
	    fail "$command: $(tail -n 5 "$work/said")"
}

run_on_some_port tpm tpm_start
tcti=swtpm:host=127.0.0.1,port=$(cat "$work/tpm/port")
export TPM2TOOLS_TCTI=$tcti TPM2OPENSSL_TCTI=$tcti
tpm createprimary -C o -G ecc -c "$work/primary.ctx"
tpm create -C "$work/primary.ctx" -G ecc256:ecdsa -u "$work/tpm.pub" \
    -r "$work/tpm.priv" \
    -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign'
tpm load -C "$work/primary.ctx" -u "$work/tpm.pub" -r "$work/tpm.priv" \
    -c "$work/tpm.ctx"
tpm evictcontrol -C o -c "$work/tpm.ctx" 0x81000001

sim --events -1 --rate 100
to_file archive
write_config
"$sealfeed" keygen "$work/tpm.key" --name fra1 --from handle:0x81000001 \
    --follows "$work/seal.pem" >"$work/tpm.vkey" || fail "no verifier key"
grep -q '^fra1+[0-9a-f]\{8\}+AjBZ' "$work/tpm.vkey" ||
    fail "another type of key: $(cat "$work/tpm.vkey")"
sed -i "s#^  key: .*#  key: $work/tpm.key#" "$work/sealfeed.yaml"
agent_again
grows archive
verified archive

# Slow.
tpm_signal STOP
wait_for 30 "the log says that seal waits" log_has \
    'seal: agent.key: the key takes a second or longer'
wait_for 30 "so does status" status_says "a second or longer"
before=$(stat_of blobs)
wait_for 30 "collecting goes on beside a slow key" stat_is blobs -gt $((before + 10))
tpm_signal CONT
grows archive
wait_for 30 "nothing of it is left" eval \
    '! status_says "a second or longer"'

# Gone.
tpm_signal KILL
wait_for 30 "the log says that the TPM is gone" log_has \
    'seal: (sealing|agent.key): .*; nothing is shipped until this succeeds'
wait_for 30 "so does status" status_says "the TPM cannot be reached"
before=$(stat_of blobs)
wait_for 30 "collecting goes on without it" stat_is blobs -gt $((before + 10))
run_on_some_port tpm tpm_start
grows archive 30
enough
settled archive
verified archive
wait_for 30 "all of it is proven" "$sealfeed" verify --complete \
    --key "$work/vkey" "$work/archive/events"
