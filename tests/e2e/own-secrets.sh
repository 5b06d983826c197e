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
to_http lake "headers: { X-Key: $lake_secret }"
to_http pond "headers: { X-Key: \"\${env:POND}\" }"
agent
grows lake
grows pond

# Lines "ROLE SECRET" of who has what.
holders() {
	python3 - "$(cat "$work/agent.pid")" "$work/seal.pem" \
	    "source=$source_secret" "lake=$lake_secret" "pond=$pond_secret" \
	    "unrelated=$UNRELATED" <<'PYTHON'
import os, subprocess, sys
group, key = int(sys.argv[1]), sys.argv[2]
secrets = {n: v.encode() for n, v in (a.split("=", 1) for a in sys.argv[3:])}
der = subprocess.check_output(["openssl", "pkey", "-in", key, "-outform", "DER"])
secrets["seal"] = der[-32:]
for pid in sorted(int(p) for p in os.listdir("/proc") if p.isdigit()):
    try:
        if os.getpgid(pid) != group:
            continue
        name = open(f"/proc/{pid}/comm").read().strip()
        seen = [open(f"/proc/{pid}/environ", "rb").read()]
        memory = open(f"/proc/{pid}/mem", "rb", 0)
        for line in open(f"/proc/{pid}/maps"):
            span, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if rights[0] != "r" or "[v" in line:
                continue
            try:
                memory.seek(begin)
                seen.append(memory.read(end - begin))
            except (OSError, ValueError):
                pass
        seen = b"".join(seen)
    except (FileNotFoundError, ProcessLookupError):
        continue
    for secret, value in secrets.items():
        if value in seen:
            print(name.replace(" ", "-"), secret)
PYTHON
}

# The supervisor hands over what stands in the configuration; it does not read
# the key.  What a role takes from its environment is in that of the supervisor.
expected="sealfeed lake
sealfeed pond
sealfeed source
sealfeed unrelated
sf-collect source
sf-seal seal
sf-ship-lake lake
sf-ship-pond pond"
judge() {
	holders | sort -u >"$work/holders"
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
done
