#!/bin/bash
# An operator who has only the manual backs up the store of an agent that is at
# work, checks it, makes it smaller, restores the backup, and says that another
# copy came back.  Nobody waits for the backup; every event is at the SIEM in the
# end, and verify is content with all trees.
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

# Events of the feed under whatever tree.
signed() {
	grep -c '^{"feed":"contoso/Audit.Exchange[^"]*","index"' \
	    "$work/lake/events"
}

trees() {
	grep -o '"feed":"contoso/Audit.Exchange[^"]*","size"' \
	    "$work/lake/events" | sort -u | wc -l
}

more_trees() {
	[ "$(trees)" -gt "$1" ]
}

complete() {
	"$bin/tally" --lines --ledger "$work/sim/ledger" | sort -u >"$work/want"
	"$bin/tally" --lines --received "$work/lake/events" |
	    sed "s/^\([^~	]*\)~[^	]*/\1/" | sort -u >"$work/have"
	cmp -s "$work/want" "$work/have"
}

sim --rate 300
receiver lake
to_http lake
installed
agent_again
grows lake
follow "Back-up" 1 >"$work/said" 2>&1
backup=$(echo "$work"/backups/sealfeed/store-*.db)
[ "$(stat -c %a "$backup")" = 600 ] || fail "others can read the backup"
tar -tzf "$work"/backups/sealfeed/etc-*.tar.gz >"$work/kept"
grep -q 'seal.pem$' "$work/kept" || fail "the key is not kept"
follow "Is it sound?" 1 >"$work/said" || fail "$(cat "$work/said")"
follow "Make it smaller" 1 >"$work/said"
before=$(signed)
wait_for 20 "more is signed after the backup" \
    eval '[ "$(signed)" -gt $((before + 50)) ]'
! log_has 'WAL|blocked|exited' || fail "the agent minds"

follow "Restore" 1 >"$work/said"
grep -q 'The store is sound' "$work/said" || fail "$(cat "$work/said")"
wait_for 20 "the log tells of new trees" \
    log_has 'restored from a backup of 20.* feeds begin new trees'
wait_for 20 "a second tree" more_trees 1
follow "Restore" 2
[ ! -e "$state/replaced" ] || fail "replaced files are left"

# All of the machine comes back, the log of what was signed, too.
agent_stop
mkdir "$work/snapshot"
cp -a "$state" "$work/state-seal" "$work/snapshot"
agent_again
before=$(signed)
wait_for 20 "more is signed after the snapshot" \
    eval '[ "$(signed)" -gt $((before + 50)) ]'
agent_stop
rm -r "$state" "$work/state-seal"
cp -a "$work/snapshot/." "$work"
agent_again
before=$(trees)
follow "From a snapshot" 1 >"$work/said"
grep -q 'feeds begin a new tree' "$work/said" || fail "$(cat "$work/said")"
wait_for 20 "another tree" more_trees "$before"
enough
wait_for 30 "all events are there" complete
verified lake
