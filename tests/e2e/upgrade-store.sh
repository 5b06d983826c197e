#!/bin/bash
# The store that sealfeed 0.1.0 left behind when it was killed: this version
# makes a backup of it, brings it up, delivers what the old one had not, goes on
# collecting, and verify proves all of it across the upgrade.  What was open and
# has expired since becomes a gap.
. "${0%/*}/lib.sh"

left=$top/tests/vectors/stores/0.1.0

rows() {
	sqlite3 -readonly "$store" "$1"
}

# delivered NAME: the output has all that the store held, and what came since.
delivered() {
	output_is "$1" backlog_events -eq 0 &&
	    [ "$(wc -l <"$work/$1/events")" -gt "$2" ]
}

# index NAME: the highest index of the feed at the receiver
index_at() {
	grep -o '^{"feed":"contoso/Audit.Exchange","index":[0-9]*' \
	    "$work/$1/events" | sed 's/.*://' | sort -n | tail -n 1
}

goes_beyond() {
	[ "$(index_at "$1")" -gt "$2" ]
}

xz -dc "$left/store.db.xz" >"$store"
for name in seal.pem vkey; do
	cp "$left/$name" "$work/$name"
done
for name in lake siem; do
	mkdir -p "$work/$name"
	xz -dc "$left/$name.xz" >"$work/$name/events"
	receiver "$name"
	to_http "$name"
done
had=$(rows "SELECT size FROM feed WHERE name = 'contoso/Audit.Exchange'")
events=$(rows "SELECT sum(size) FROM feed")
sim --events 200 --rate 100
agent
wait_for 30 "it is said that there is a backup" \
    log_has 'brought from version 1 .*store\.db\.version-1 is a backup'
[ "$(stat -c %a "$store.version-1")" = 600 ] || fail "the backup is for others"
wait_for 20 "a log begins with the old trees" \
    log_has 'the log of what is signed begins with the [1-9]'
for name in lake siem; do
	wait_for 30 "$name gets new events in the old tree" \
	    goes_beyond "$name" "$had"
done
wait_for 30 "the simulator makes all" stat_is finished = 1
wait_for 30 "the open item has become a gap" \
    eval "ask gaps --json | grep >/dev/null 'expired at the vendor'"
for name in lake siem; do
	wait_for 30 "$name gets all" delivered "$name" "$events"
done
ask dead-letters | grep >/dev/null '^ *1 *lake ' || fail "the dead letter is gone"
ask store check >"$work/checked" || fail "$(cat "$work/checked")"

# siem has every event of every feed; lake lacks the one that it refused.
wait_for 30 "all of siem is proven across the upgrade" "$sealfeed" verify \
    --complete --key "$work/vkey" "$work/siem/events"
"$sealfeed" verify --key "$work/vkey" "$work/lake/events" >"$work/verdict"
grep -q 'Audit.Exchange index 7: missing: dead letter at output lake' \
    "$work/verdict" && grep -q '^NOT well: 1 findings' "$work/verdict" ||
    fail "lake: $(cat "$work/verdict")"
agent_stop

# A version that does not know the store says which does, and the way back.
sqlite3 "$store" "PRAGMA user_version = 99;
    INSERT INTO written VALUES (99, '9.9.0', 1)"
cp "$store.version-1" "$store.version-2"
"$sealfeed" run --config "$work/sealfeed.yaml" 2>"$work/refused" &&
    fail "a newer store is opened"
grep -q 'newer version of sealfeed (9.9.0; .*put back the backup .*version-2' \
    "$work/refused" || fail "refused with: $(cat "$work/refused")"
