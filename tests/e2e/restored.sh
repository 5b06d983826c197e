#!/bin/bash
# An old copy of the store is put back, as from a backup, and once it is a
# whole store that is gone.  Seal has signed more than these hold: it begins
# new trees and never a second history.  Nothing is missing, verify finds all
# of it well, and status, log and the agent's own feed tell.
. "${0%/*}/lib.sh"

# The trees of a feed, as checkpoints at the receiver name them.
trees() {
	grep -o '"feed":"contoso/Audit.Exchange[^"]*","size"' \
	    "$work/lake/events" | sort -u | wc -l
}

more_trees() {
	[ "$(trees)" -gt "$1" ]
}

# Events of the feed, which leave when they are signed.
signed() {
	grep -c '^{"feed":"contoso/Audit.Exchange[^"]*","index"' \
	    "$work/lake/events"
}

more_signed() {
	[ "$(signed)" -gt "$1" ]
}

put_back() {
	rm -f "$store"*
	cp -a "$work/backup/." "$work"
}

told_in_feed() {
	grep -q '"type":"new-tree"[^}]*"feed":"contoso/Audit.Exchange"' \
	    "$work/lake/events"
}

# Every event of the ledger is there, under whatever tree.  A feed that begins
# anew gets again from the vendor what the old copy did not know.
complete() {
	"$bin/tally" --lines --ledger "$work/sim/ledger" | sort -u >"$work/want"
	"$bin/tally" --lines --received "$work/lake/events" |
	    sed "s/^\([^~	]*\)~[^	]*/\1/" | sort -u >"$work/have"
	cmp -s "$work/want" "$work/have"
}

sim --rate 300
receiver lake
to_http lake
agent
wait_for 20 "a first tree" more_trees 0
agent_stop
mkdir "$work/backup"
cp -a "$store"* "$work/backup"
before=$(signed)
agent_again
wait_for 20 "more of the feed is signed" more_signed "$before"
agent_stop
[ "$(trees)" -eq 1 ] || fail "a second tree without a cause"

put_back
agent_again
wait_for 20 "a second tree" more_trees 1
said='begin.* new tree.*restored from an older copy'
log_has "$said" || fail "the log does not say that trees begin"
ask status | tr -s ' \n' ' ' >"$work/status" || fail "no status"
grep -q 'a new tree, because .*restored from an older copy' "$work/status" ||
    fail "status does not say so: $(cat "$work/status")"
wait_for 20 "the own feed tells" told_in_feed
ask store restored 2>"$work/refused" && fail "a store in use is restored"
grep -q 'another sealfeed is running' "$work/refused" ||
    fail "refused with: $(cat "$work/refused")"
agent_stop

# By hand: the log was lost with the store.
put_back
rm "$seal_log"
agent_again
wait_for 20 "seal says that its log is gone" \
    log_has 'seal\.log: the log of what was signed is gone'
says_stands() {
	status_says 'seal .*the log of what was signed is gone'
}
wait_for 10 "status says so" says_stands
not_ready() {
	curl -s --unix-socket "$work/watch.sock" http://localhost/readyz |
	    grep >/dev/null 'log of what was signed is gone'
}
wait_for 10 "it is not ready" not_ready
before=$(trees)
agent_stop
ask store restored >"$work/restored" || fail "store restored"
grep -q '^[1-9][0-9]* feeds begin a new tree' "$work/restored" ||
    fail "store restored says: $(cat "$work/restored")"
agent_again
wait_for 20 "a third tree" more_trees "$before"
agent_stop

# root leaves nothing behind that the agent's user could not open.
if [ "$(id -u)" -eq 0 ]; then
	mkdir "$work/state"
	cp "$store" "$work/state/store.db"
	sed -e "s#$store#$work/state/store.db#" \
	    -e "s#$seal_log#$work/state/log/seal.log#" "$work/sealfeed.yaml" \
	    >"$work/owned.yaml"
	chown -R 4321:4321 "$work/state"
	chmod 711 "$work"
	"$sealfeed" store restored --config "$work/owned.yaml" >>"$work/restored" ||
	    fail "store restored as root"
	[ -s "$work/state/log/seal.log" ] || fail "there is no log"
	find "$work/state" ! -uid 4321 | grep . && fail "these are root's"
fi

# A store that is gone.
before=$(trees)
rm -f "$store"*
agent_again
wait_for 20 "a fourth tree" more_trees "$before"
enough
wait_for 30 "all events are there" complete
verified lake
