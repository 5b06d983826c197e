# lib.sh - what every part of the crash matrix begins with:
# . "${0%/*}/lib.sh"
#
# The parts are stories (tests/e2e/lib.sh) in which the agent's processes, its
# disk or its store suffer.  In the end nothing is missing anywhere, nothing
# is repeated inside the store, and verify finds nothing wrong.
# shellcheck shell=bash

. "${BASH_SOURCE[0]%/*}/../e2e/lib.sh"

# The store keeps what was delivered, so that it can be looked through.
keep_all() {
	agent_options="  retain: 24h"
}

# role_pid NAME: the process of the role ("collect", "ship lake"); nothing
# while it is not running.
role_pid() {
	local agent p
	agent=$(cat "$work/agent.pid")
	# shellcheck disable=SC2013 # words of one line
	for p in $(cat "/proc/$agent/task/$agent/children" 2>/dev/null); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" != "sf-$1" ] || echo "$p"
	done
}

# role_other NAME PID: the role runs, and not as that process.
role_other() {
	local pid
	pid=$(role_pid "$1")
	[ -n "$pid" ] && [ "$pid" != "$2" ]
}

# freeze NAME: stop the role, but not in the middle of a write, which would lock
# all others out; thaw lets it go on.
freeze() {
	wait_for 20 "$1 stands still" try_freeze "$1"
}

try_freeze() {
	frozen=$(role_pid "$1")
	kill -STOP "$frozen"
	sqlite3 "$store" ".timeout 3000" "BEGIN IMMEDIATE; ROLLBACK;" && return
	thaw
	return 1
}

thaw() {
	kill -CONT "$frozen"
}

agent_lives() {
	kill -0 "$(cat "$work/agent.pid")" 2>/dev/null
}

# whole RECEIVER…: wait until each holds the ledger's events, then see that
# the store repeats nothing and that verify is content with all of it.
# The simulator must have been paused, or be finished.
whole() {
	local name
	for name in "$@"; do
		within "$patience" same "$name" 2>/dev/null || {
			difference "$name"
			fail "$name differs from the simulator's ledger"
		}
		exact "$name"
	done
	verified "$@"
}

# store_whole: the same of the store itself, after keep_all.
store_whole() {
	mkdir -p "$work/store"
	ask export >"$work/store/events" 2>/dev/null || fail "export ends with status $?"
	same store || {
		difference store
		fail "the store differs from the simulator's ledger"
	}
	no_repeats store
	verified store
}

# no_gaps: nothing was given up.
no_gaps() {
	[ "$(sqlite3 -readonly "$store" \
	    'SELECT count(*) FROM gap')" -eq 0 ] || {
		ask gaps
		fail "there are gaps"
	}
}

# said REGEX WHAT: the log has a line of that kind.
said() {
	log_has "$1" || fail "the log does not say $2"
}

not_said() {
	! log_has "$1" || fail "the log says $2: $(grep -E -m 1 -- "$1" \
	    "$work/agent.log")"
}

# no_loop N: no role died more often than that since the log began.
no_loop() {
	local deaths
	deaths=$(grep -c "restarting in" "$work/agent.log")
	[ "$deaths" -le "$1" ] || fail "$deaths deaths, at most $1 are fine"
}
