#!/bin/bash
# diskfull: the disk of the store fills up to its last byte while events are
# collected, sealed, shipped, cleaned away, and before the agent starts.  Then
# there is room again, and all of it arrives.  At the store's own limits
# collecting pauses and goes on.
#
# The disk is a small tmpfs in a mount namespace of the story's own.

if [ "${1:-}" != inside ]; then
	as=()
	[ "$(id -u)" -eq 0 ] || as=(-r)
	if ! unshare "${as[@]}" -m mount -t tmpfs none /mnt 2>/dev/null; then
		echo "diskfull: skipped: unshare and mount are not allowed here"
		exit 77
	fi
	exec unshare "${as[@]}" -m --propagation private "$0" inside
fi
. "${0%/*}/lib.sh"

disk=$work/disk
mkdir "$disk" || fail "no folder"
mount -t tmpfs -o size=24m none "$disk" || fail "mount"
ending() {
	umount -l "$disk"
}
store=$disk/store.db
store_options="min_free: 0"

fill() {
	cat /dev/zero >"$disk/filler" 2>/dev/null
}

room() {
	rm "$disk/filler"
}

more_than() {
	[ "$(stat_of made)" -gt "$1" ]
}

# made N: the vendor has so many events more.
made() {
	wait_for 30 "the vendor goes on" more_than $(($(stat_of made) + $1))
}

log_begin() {
	said_before=$(wc -l <"$work/agent.log")
}

# says REGEX: since log_begin.
says() {
	tail -n +$((said_before + 1)) "$work/agent.log" | grep >/dev/null -E -- "$1"
}

no_space="[Nn]o space left.*make room"

# all_well PHASE DEATHS: everything arrives, and not more roles died.
all_well() {
	steer pause
	whole archive
	no_gaps
	not_said "damaged|has lost|killed by signal" "something worse"
	no_loop "$2"
	agent_lives || fail "the agent has ended"
	say "$1: $(stat_of made) events are there"
	steer resume
}

# While something is full: it goes on for so many events, and nobody dies.
pass() {
	made "$1"
	agent_lives || fail "the agent has ended"
}

sim --events -1 --rate 300 --blob 1-30
to_file archive
agent
made 200

log_begin
fill
wait_for 30 "collect pauses" says "collect: .*collecting pauses.*free space"
pass 300
ask status | paste -sd' ' >"$work/status"
grep -Eq "(4|10) MiB must stay free" "$work/status" &&
    grep -q "turns this into a gap in 6d" "$work/status" ||
    fail "status does not tell of it: $(cat "$work/status")"
lines=$(tail -n +$((said_before + 1)) "$work/agent.log" | wc -l)
[ "$lines" -le 40 ] || fail "$lines lines of log about one full disk"
room
all_well collecting 0

# seal finds a backlog, and a WAL that may or may not have room for it.
freeze seal
made 300
fill
thaw
pass 200
room
all_well sealing 0

freeze "ship archive"
made 300
fill
thaw
pass 200
room
all_well shipping 0

# The receiver cannot be written while much is collected; once it can, what
# is delivered is cleaned away, without more room than the store has.
mv "$work/archive" "$work/away"
made 2000
fill
mv "$work/away" "$work/archive"
pass 200
room
all_well cleaning 0

# The agent stops on a full disk, and starts on it.
fill
agent_stop
log_begin
agent_again
pass 200
room
all_well starting 0

# For the first time, too.
agent_stop
fresh_store
rm -f "$work/archive/events"
fill
log_begin
agent_again
wait_for 30 "the supervisor tells of the full disk" says "$no_space.*starts as soon as"
{ ask status 2>/dev/null || true; } | sed -n 1p | grep >/dev/null -Ei 'disk is full' ||
    fail "status: $(ask status 2>&1)"
pass 100
room
wait_for 30 "it starts" says "ready: 1 sources"
all_well "first start" 0
