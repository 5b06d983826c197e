#!/bin/bash
# Each role has its own secrets and nobody else's: in all of its memory, in its
# environment, and in what it has open.  Not even a reload changes that.
. "${0%/*}/lib.sh"

command -v python3 >/dev/null || skip "python3 is not there (tests/run gets it)"
[ "$(id -u)" -eq 0 ] || skip "the memory of roles is readable for root alone"

# Texts that no path or message of the test has.
lake_secret=lake-$RANDOM$RANDOM$RANDOM
pond_secret=pond-$RANDOM$RANDOM$RANDOM
export POND=$pond_secret UNRELATED=unrelated-$RANDOM$RANDOM$RANDOM
sim --events -1 --rate 200
source_secret=source-$RANDOM$RANDOM$RANDOM
echo "$source_secret" >"$work/secret"
receiver lake
receiver pond
source_options[client_secret]="\"$source_secret\""
gate_secret=gate$RANDOM$RANDOM$RANDOM side_secret=side$RANDOM$RANDOM$RANDOM
refresh_secret=refresh-$RANDOM$RANDOM$RANDOM
proxy gate clerk "$gate_secret"
proxy side clerk "$side_secret"
source_options[proxy]="http://clerk:$gate_secret@127.0.0.1:$(cat "$work/gate/port")"
to_http lake "headers: { X-Key: $lake_secret }"
to_http pond "headers: { X-Key: \"\${env:POND}\" }" \
    "proxy: http://clerk:$side_secret@127.0.0.1:$(cat "$work/side/port")"
mkdir "$work/conf.d"
cat >"$work/conf.d/20-box.yaml" <<END
sources:
  box: { type: dropbox, app_key: box, app_secret: box-secret, hosts: { api: "$api" },
    refresh_token: $refresh_secret, tls: { ca: $work/ca.pem } }
END
agent
grows lake
grows pond

# Lines "ROLE SECRET" of who has what; bytes of the key are no text, so they are
# a regular expression.
holders() {
	python3 "${0%/*}/holders.py" "$(cat "$work/agent.pid")" \
	    "seal~$(openssl pkey -in "$work/seal.pem" -outform DER |
		tail -c 32 | xxd -p -c 32 | sed 's/../\\x&/g')" \
	    "source=$source_secret" "lake=$lake_secret" "pond=$pond_secret" \
	    "refresh=$refresh_secret" "collect-proxy=$gate_secret" \
	    "pond-proxy=$side_secret" "unrelated=$UNRELATED" \
	    "access~sim\\.[0-9a-f]{32}"
}

# The supervisor hands over what stands in the configuration; it does not read
# the key.  What a role takes from its environment is in that of the supervisor.
expected="sealfeed collect-proxy
sealfeed lake
sealfeed pond
sealfeed pond-proxy
sealfeed refresh
sealfeed source
sealfeed unrelated
sf-collect access
sf-collect collect-proxy
sf-collect refresh
sf-collect source
sf-seal seal
sf-ship-lake lake
sf-ship-pond pond
sf-ship-pond pond-proxy"
judge() {
	holders >"$work/holders"
	[ "$(cat "$work/holders")" = "$expected" ] ||
	    fail "$1: $(diff <(echo "$expected") "$work/holders")"
}
judge "at the start"
agent_options="  log_level: info"
agent_reload
wait_for 20 "the reload" log_has "configuration reloaded"
grows lake
grows pond
judge "after a reload"

# What a role has open: the store, its log, its wake-ups, its connections.
for pid in $(pgrep -g "$(cat "$work/agent.pid")" -x sf-watch); do
	ls -l "/proc/$pid/fd" >"$work/open"
	! grep -Eq '/(seal[.]|sealfeed[.]yaml)|signalfd' "$work/open" ||
	    fail "watch has open: $(cat "$work/open")"
done
for pid in $(pgrep -P "$(cat "$work/agent.pid")"); do
	grep -q '^NoNewPrivs:.*1$' "/proc/$pid/status" ||
	    fail "$(cat "/proc/$pid/comm") may gain privileges"
	[ "$(stat -c %U "/proc/$pid/mem")" = root ] ||
	    fail "$(cat "/proc/$pid/comm") can be read by its user"
	grep -q '^Max core file size  *0  *0 ' "/proc/$pid/limits" ||
	    fail "$(cat "/proc/$pid/comm") may leave a core"
	[ "$(cat "/proc/$pid/comm")" = sf-watch ] ||
	    grep -q '^VmLck:.*[1-9]' "/proc/$pid/status" ||
	    fail "$(cat "/proc/$pid/comm") has no locked memory"
done
