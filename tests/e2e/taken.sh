#!/bin/bash
# Whoever has taken over a role turns what it shares with others against them:
# it commands nobody, the supervisor goes on, and the others deliver.  In the
# store it damages what it can, and crashes nobody that reads it.
. "${0%/*}/lib.sh"

# taken ROLE:DEED: the agent, of which that role is.
taken() {
	agent_env=("SEALFEED_TAKEN=$1" "NOTIFY_SOCKET=$work/notify")
	: >"$work/agent.log"
	sealfeed=$bin/taken agent_again
}

# others_live NAME: those of that name may end; nobody else did.
others_live() {
	! grep -E '(killed|exited|ended for|no heartbeat)' "$work/agent.log" |
	    grep -Ev "[^a-z]$1: " >"$work/ended" ||
	    fail "$1 took others along: $(head -n 3 "$work/ended")"
}

# holds_only REGEX: nothing else was open in the role.
holds_only() {
	wait_for 20 "it says what it has open" log_has 'that is all$'
	! sed -n 's/.*: holds //p' "$work/agent.log" | grep -Evx "$1" \
	    >"$work/open" || fail "it also has open: $(cat "$work/open")"
}

# goes_on NAME: events arrive there again and again, though all that a role
# shares with others is spoilt.
goes_on() {
	wait_for 20 "all is spoilt" log_has 'has spoilt all of them'
	for _ in 1 2 3; do
		grows "$1"
	done
}

mkdir "$work/systemd"
run_receiver systemd "$bin/notified" "$work/notify"
sim --events -1 --rate 100
to_file archive
to_file lake
write_config
shared="pipe:.*|/dev/(null|pts/.*)|anon_inode:\[event(fd|poll)\]|$store.lock|$store"

say "somebody else hands over"
: >"$work/empty"
echo short >"$work/short"
head -c 65536 /dev/zero >"$work/zeros"
head -c 65536 /dev/urandom >"$work/random"
for what in empty short zeros random; do
	(exec -a sf-watch "$sealfeed" 9 9<"$work/$what") >"$work/said" 2>&1
	status=$?
	[ "$status" -eq 1 ] || [ "$status" -eq 64 ] ||
	    fail "$what: status $status: $(cat "$work/said")"
	grep -Eq 'started by .sealfeed run. alone|is not whole' "$work/said" ||
	    fail "$what: $(cat "$work/said")"
done

say "watch"
taken watch:descriptors
holds_only "$shared|$store-(wal|shm)|socket:.*"
goes_on archive
supervisor=$(cat "$work/agent.pid")
agent_options="  log_level: info"
agent_reload
wait_for 20 "it is reloaded" log_has 'configuration reloaded'
grows archive
[ "$(cat "$work/agent.pid")" = "$supervisor" ] && ! gone "$supervisor" ||
    fail "the supervisor is another one"
others_live watch
log_has 'watch: holds .*/store.db-shm$' || fail "it does not read the store"
! log_has 'watch: (may write|.*damaged)' ||
    fail "it can write to the store: $(grep 'watch: ' "$work/agent.log")"
log_has 'watch: tried the system call flock, which .* refused' ||
    fail "it can give up the lock of the store"
agent_stop
! grep -aEv '^(STATUS|READY=1|RELOADING=1|MONOTONIC_USEC|STOPPING=1|WATCHDOG=1|EXTEND)' \
    "$work/systemd/log" >"$work/ended" ||
    fail "systemd was told: $(head -n 3 "$work/ended")"
[ "$(grep -ac '^STOPPING=1' "$work/systemd/log")" -eq 1 ] ||
    fail "a stop was forged"
! grep -a $'\033' "$work/systemd/log" || fail "the terminal is commanded"

say "a ship"
taken "ship lake:descriptors"
holds_only "$shared"
goes_on archive
verified archive
others_live "ship lake"
agent_stop

say "collect, in the store"
taken collect:rows
wait_for 20 "many rows are others" log_has 'changed [0-9]{3,} columns'
agent_stop 15
! log_has 'killed by signal (4|5|6|7|8|11|31) ' ||
    fail "rows crash a role: $(grep 'killed by' "$work/agent.log" | head -n 3)"
! grep -aE 'Sanitizer|runtime error' "$work/agent.log" ||
    fail "rows crash a role"

say "it is driven out"
agent_env=()
agent_again
grows archive 40
! log_has 'tried the system call ' || fail "a role met its walls"
