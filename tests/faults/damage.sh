#!/bin/bash
# damage [CASE…]: what happens to files happens to the store: cut short, bits
# flipped, the WAL gone, something else in its place, an old copy put back.
# It is found and told, what is damaged is moved aside, what no output has is
# fetched again, and the agent goes on; it never dies twice of one damage.
#
# Every case begins with a store that has events which the receiver has, and
# others which it has not.
. "${0%/*}/lib.sh"

# -- what is done to the store while the agent is down ----------------------

# Let the file itself have all that the WAL has.
settle_wal() {
	sqlite3 "$store" "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null ||
	    fail "no checkpoint"
}

# poke OFFSET BYTES: write random bytes there
poke() {
	dd if=/dev/urandom of="$store" bs=1 seek="$1" count="$2" \
	    conv=notrunc status=none
}

# page_of TABLE: the offset of its b-tree's root
page_of() {
	sqlite3 "$store" "SELECT (rootpage - 1) * (SELECT page_size
	    FROM pragma_page_size) FROM sqlite_schema WHERE name = '$1'"
}

cut_short() {
	settle_wal
	truncate -s $(($(stat -c %s "$store") / 2)) "$store"
}

emptied() {
	settle_wal
	: >"$store"
}

header() {
	settle_wal
	poke 0 100
}

interior_page() {
	settle_wal
	poke "$(page_of batch)" 64
}

ledger_page() {
	settle_wal
	poke "$(page_of item)" 64
}

# The gzip member of the last events is in the pages that were written last.
payload() {
	local at
	settle_wal
	at=$(grep -abo -P '\x1f\x8b\x08' "$store" | tail -n 1 | cut -d: -f1)
	[ -n "$at" ] || fail "no payload in the store"
	poke $((at + 60)) 8
}

no_wal() {
	[ -s "$store-wal" ] || fail "there is no WAL"
	rm "$store-wal"
}

garbage_wal() {
	[ -s "$store-wal" ] || fail "there is no WAL"
	head -c 200000 /dev/urandom >"$store-wal"
}

directory_wal() {
	rm -f "$store-wal"
	mkdir "$store-wal"
}

garbage() {
	head -c 300000 /dev/urandom >"$store"
}

directory() {
	rm "$store"
	mkdir "$store"
}

old_copy() {
	cp "$work/old.db" "$store"
	rm -f "$store-wal" "$store-shm"
}

# Case, what the log says of it, and what lies beside the store afterwards.
cases="
cut_short     damaged.*moved.aside          damaged-*
emptied       has.lost.the.last             mark
header        damaged.*moved.aside          damaged-*
interior_page damaged.*moved.aside          damaged-*
ledger_page   damaged.*moved.aside          damaged-*
payload       damaged.*kept.as              damaged-*-batch-*.gz
no_wal        has.lost.the.last             mark
garbage_wal   has.lost.the.last             mark
directory_wal not.a.regular.file.*moved.aside  damaged-*-wal
garbage       damaged.*moved.aside          damaged-*
directory     not.a.regular.file.*moved.aside  damaged-*
old_copy      has.lost.the.last             mark
"

# -- what must be true ------------------------------------------------------

# The events as a set: those fetched again come in a new tree, named
# FEED~TIME, and may be at the receiver already.
bare_lines() {
	cut -f2- | sort -u
}

has_all() {
	"$bin/tally" --lines --received "$work/archive/events" |
	    bare_lines >"$work/have"
	cmp -s "$work/want" "$work/have"
}

# hold_wal: the file has all that is stored by now, and what is written from
# now on stays in the WAL alone: a reader of the file itself keeps SQLite from
# writing anything back.
hold_wal() {
	[ -p "$work/questions" ] || mkfifo "$work/questions"
	wait_for 20 "the WAL is empty and stays" hold_empty_wal
}

hold_empty_wal() {
	: >"$work/answers"
	sqlite3 "$store" <"$work/questions" >"$work/answers" 2>&1 &
	holder=$!
	disown
	exec 8>"$work/questions"
	printf '%s\n' ".timeout 5000" "PRAGMA wal_checkpoint(TRUNCATE);" \
	    "BEGIN; SELECT 'held ' || count(*) FROM feed;" >&8
	within 10 grep -q held "$work/answers" && [ ! -s "$store-wal" ] && return
	let_wal
	return 1
}

# let_wal: a reader that closes the store might write the WAL back.
let_wal() {
	kill -KILL "$holder"
	exec 8>&-
	wait_for 10 "nobody reads the store" gone "$holder"
}

# fresh: an agent with some events delivered and some not
fresh() {
	fresh_store
	rm -rf "$work/archive/events" "$work/old.db" "$work/agent.log"
	agent
	wait_for 30 "something is delivered" test -s "$work/archive/events"
	if [ "$1" = old_copy ]; then
		wait_for 30 "there is something to copy" stored_more 100
		sqlite3 "$store" ".backup $work/old.db" || fail "no copy"
	fi
	freeze "ship archive"
	holder=
	case $1 in
	no_wal | garbage_wal) hold_wal ;;
	esac
	steer "make?type=Audit.Exchange&blobs=20&events=10"
	steer "make?type=Audit.SharePoint&blobs=20&events=10"
	"$bin/tally" --lines --ledger "$work/sim/ledger" |
	    bare_lines >"$work/want"
	wait_for 30 "all is stored" stored_more "$(wc -l <"$work/want")"
	agent_kill 2>/dev/null
	[ -z "$holder" ] || let_wal
	# What was lost is fetched from all the vendor has, not from as far
	# back as a new feed begins.
	sed -i 's/initial: .*/initial: 1m/' "$work/sealfeed.yaml"
}

# stored_more N: at least so many events of the vendor's
stored_more() {
	[ "$(sqlite3 -readonly "$store" "SELECT sum(size) FROM feed
	    WHERE name NOT LIKE '%/agent'")" -ge "$1" ]
}

after() {
	local name=$1 says=$2 beside=$3
	within "$patience" has_all 2>/dev/null || {
		comm -23 "$work/want" "$work/have" | cut -c1-100 | head -n 3
		fail "$name: $(comm -23 "$work/want" "$work/have" | wc -l) \
missing, $(comm -13 "$work/want" "$work/have" | wc -l) too many"
	}
	said "$says" "what was wrong: $says"
	compgen -G "$store.$beside" >/dev/null ||
	    fail "$name: no $beside beside the store: $(ls "$work")"
	agent_lives || fail "$name: the agent has ended"
	no_loop 1
	verified archive
	agent_stop
}

patience=30
source_options[initial]=7d
sim --events 400 --backlog 400 --blob 5-20 --subscribed
to_file archive
keep_all
wanted_cases=$*
while read -r name says beside; do
	case " $wanted_cases " in
	"  " | *" $name "*) ;;
	*) continue ;;
	esac
	[ ! -e "$work/agent.pid" ] || agent_stop
	fresh "$name"
	"$name"
	agent_again
	after "$name" "$says" "$beside"
	say "$name: $(grep -E -m 1 -- "$says" "$work/agent.log" |
	    sed "s,$work/,,g" | cut -c1-300)"
done < <(echo "$cases" | grep .)
