#!/bin/bash
# Objects in a real store that speaks S3 (moto) and checks signatures and
# policies: kill -9 in between, and what lies there is exactly the events, each
# in one object; verify reads what was downloaded.
. "${0%/*}/lib.sh"

. "$top/tests/e2e/moto.sh"
moto_use

# s3 make|sync: see s3.py.
s3() {
	"$moto_python" "$top/tests/e2e/s3.py" "$s3_url" "$work" "$1"
}

# The bucket in the folder lake, as "aws s3 sync" has it, and its lines in
# lake/events.
sync_down() {
	s3 sync || return 1
	find "$work/lake/objects" -name '*.ndjson.gz' -exec gzip -dc {} + \
	    >"$work/lake/events"
}

stored() {
	sync_down && holds lake "$1"
}

arrived() {
	sync_down && same lake
}

mkdir -p "$work/moto" "$work/lake/objects"
# Six calls are free of checks: those that make user, key, policy and bucket.
INITIAL_NO_AUTH_ACTION_COUNT=6 run_receiver moto "${moto_server[@]}" -H 127.0.0.1 -p 0
wait_for 30 "moto listens" grep -q "Running on http" "$work/moto/log"
s3_url=$(sed -n 's/.*Running on \(http[^ ]*\).*/\1/p' "$work/moto/log")
s3 make || fail "moto: $(tail -n 5 "$work/moto/log")"

sim --events 300 --rate 200 --blob 10-30
outputs+="  lake:
    type: s3
    url: $s3_url
    bucket: m365
    aws: { region: eu-central-1, key: \"\${file:$work/key}\" }
"
agent
for round in 1 2; do
	wait_for 20 "something is stored" stored $((80 * round))
	agent_kill
	agent_again
done
wait_for "$patience" "all events are made" stat_is finished = 1
within "$patience" arrived || {
	difference lake
	fail "the bucket differs from the ledger"
}
wait_for 20 "nothing waits" output_is lake backlog_events -eq 0
sync_down
exact lake
no_repeats lake
output_is lake dead_letters -eq 0 || fail "$(ask dead-letters)"
# As the page has it.
ln -s "$work/lake/objects/fra1" "$work/fra1"
ln -s "$work/vkey" "$work/fra1.vkey"
proven() {
	(cd "$work" && PATH=${sealfeed%/*}:$PATH &&
	    eval "$(sed -n 's/^    find fra1 /find fra1\/ /p' \
		"$top/packaging/siem/s3.md")") >"$work/proven" 2>&1
}
wait_for 30 "verify is content" proven
grep -q 'contoso/Audit' "$work/proven" || fail "$(cat "$work/proven")"
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
grep -q "sealfeed-check.json" "$work/check" || fail "$(cat "$work/check")"

# Who may not write is told what to allow.
sed -i 's/:.*/:wrong/' "$work/key"
ask check --live >"$work/check" 2>&1 && fail "a wrong secret passes"
grep -q "^outputs.lake: .*answers 403" "$work/check" || fail "$(cat "$work/check")"
