#!/bin/bash
# Blobs in Azurite, Microsoft's own emulator, which checks shared keys: exactly
# the events, each in one blob, and verify reads what was downloaded.
. "${0%/*}/lib.sh"

# azurite_fetch DIR: from npm, once for a build folder; what went wrong is in
# DIR/log.
azurite_fetch() {
	mkdir -p "$1" || return 1
	(
		flock 7
		[ ! -e "$1/complete" ] || exit 0
		command -v npm >/dev/null || {
			echo "npm is not there" >"$1/log"
			exit 1
		}
		timeout 240 npm install --prefix "$1" --no-audit --no-fund \
		    --ignore-scripts --omit=optional azurite@3 \
		    >"$1/log" 2>&1 && touch "$1/complete"
	) 7>"$1/lock"
}

azurite=${SEALFEED_AZURITE:-$(command -v azurite-blob)}
if [ ! -x "$azurite" ]; then
	azurite_fetch "$build/tests/var/azurite" ||
	    skip "azurite cannot be fetched: $(tail -n 1 "$build/tests/var/azurite/log")"
	azurite=$build/tests/var/azurite/node_modules/.bin/azurite-blob
fi
# The key that every Azurite has.
key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq
key+=/K1SZFPTOtr/KBHBeksoGMGw==

# blobs make|sync: see azurite.py.
blobs() {
	python3 "$top/tests/e2e/azurite.py" "$url" "$key" \
	    "$work/lake/objects" "$1"
}

arrived() {
	blobs sync || return 1
	find "$work/lake/objects" -name '*.ndjson.gz' -exec gzip -dc {} + \
	    >"$work/lake/events"
	same lake
}

mkdir -p "$work/azurite/data" "$work/lake/objects"
run_receiver azurite "$azurite" --blobHost 127.0.0.1 --blobPort 0 \
    --location "$work/azurite/data" --disableTelemetry
wait_for 60 "azurite listens" grep -q "listens on http" "$work/azurite/log"
url=$(sed -n 's/.*listens on \(http[^ ]*\).*/\1/p' "$work/azurite/log")
url+=/devstoreaccount1
blobs make || fail "azurite: $(tail -n 5 "$work/azurite/log")"

sim --events 300 --rate 200 --blob 10-30
outputs+="  lake:
    type: azure-blob
    url: $url
    bucket: m365
    account: devstoreaccount1
    key: $key
"
agent
wait_for "$patience" "all events are made" stat_is finished = 1
within "$patience" arrived || {
	difference lake
	fail "the container differs from the ledger"
}
wait_for 20 "nothing waits" output_is lake backlog_events -eq 0
arrived
exact lake
no_repeats lake
find "$work/lake/objects" -type f >"$work/files"
wait_for 30 "verify is content" \
    xargs -a "$work/files" "$sealfeed" verify --key "$work/vkey"
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
grep -q "sealfeed-check.json is there" "$work/check" || fail "$(cat "$work/check")"
