#!/bin/bash
# Somebody reads the store and does not end: the WAL cannot be carried over and
# grows, which is told after two minutes, in the log, the own feed, status and
# metrics, while events go on; and its end is told, too.  It waits for most of
# its time.
. "${0%/*}/lib.sh"
. "${0%/*}/runbook.sh"

wal() {
	stat -c %s "$store-wal" 2>/dev/null || echo 0
}

sim --rate 250 --blob 5-20
to_file lake
agent
wait_for 30 "events arrive" test -s "$work/lake/events"
watched
for need in sqlite3 fuser; do
	command -v "$need" >/dev/null || skip "$need is not there (tests/run gets it)"
done
mkdir "$work/reader"
mkfifo "$work/reader/orders"
sqlite3 -readonly "$store" <"$work/reader/orders" >"$work/reader/log" 2>&1 &
echo $! >"$work/reader/pid"
exec 6>"$work/reader/orders"
echo "BEGIN; SELECT count(*) FROM batch;" >&6
wait_for 10 "a state is read" test -s "$work/reader/log"
begun=$SECONDS
wait_for 60 "the WAL grows" eval '[ "$(wal)" -gt $((17 << 20)) ]'
steer "rate?events=20"
fires SealfeedWalGrows 's/128 /16 /'
try SealfeedWalGrows "fuser -v /var/lib/sealfeed/store.db" || fail "$(cat "$work/said")"
shows "$(cat "$work/reader/pid") .* sqlite3"
log_has "reading an old state" && fail "told at once"
wait_for 240 "the reader is told of" log_has \
    '<4>collect: a process has been reading an old state of the store for 2 min'
[ $((SECONDS - begun)) -ge 120 ] || fail "told after $((SECONDS - begun)) s"
ask status | grep >/dev/null "reading an old state" || fail "status does not say so"
grep -q '"class":"reader"' "$work/lake/events" || fail "the own feed does not"
grows lake
echo "COMMIT;" >&6
exec 6>&-
wait_for 60 "its end is told" log_has "the store's WAL is carried over again"
wait_for 20 "status is calm" eval '! status_says "an old state"'
calms SealfeedWalGrows 's/128 /16 /'
enough
settled lake
verified lake
