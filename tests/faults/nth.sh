#!/bin/bash
# nth [short|long [CALL…]]: the n-th write, pwrite, fsync, mmap or malloc of a role
# fails, once, in a run of its own; for a spread of n, or (long) for every n
# (of malloc: every one that comes from somewhere else).
#
# A run without a fault says how many calls there are (fault.c).  Every run
# starts with an empty store and ends when the receiver holds the vendor's
# events and the agent has been told to stop.
. "${0%/*}/lib.sh"

how=${1:-short}
calls=${*:2}
fault=$bin/fault.so
[ -e "$fault" ] || fail "$fault is not there: make check TESTS="
export SEALFEED_FAULT_FIRED=$work/fired

# begin: an agent on an empty store, with what FAULT_* say.
begin() {
	fresh_store
	rm -rf "$work/archive/events" "$work/agent.log" "$SEALFEED_FAULT_FIRED"
	start
}

# start: also what a service manager does when the supervisor has ended.
start() {
	LD_PRELOAD=$fault setsid "$sealfeed" run \
	    --config "$work/sealfeed.yaml" >>"$work/agent.log" 2>&1 &
	echo $! >"$work/agent.pid"
}

stop() {
	local pid
	pid=$(cat "$work/agent.pid")
	agent_stop
	wait "$pid" 2>/dev/null
}

# A supervisor that has ended: not by a crash.
again() {
	wait "$(cat "$work/agent.pid")" 2>/dev/null
	[ $? -lt 128 ] || touch "$work/crashed"
	start
}

arrived() {
	agent_lives || again
	[ -s "$work/archive/events" ] &&
	    [ "$(wc -l <"$work/archive/events")" -ge "$total" ] &&
	    same archive
}

# scrape: watch does something only when somebody asks.
scrape() {
	curl -s --max-time 5 --unix-socket "$work/watch.sock" \
	    "http://localhost/metrics" >"$work/metrics"
}

# end: the store and the receiver agree, and no process crashed.
end() {
	local role=$1
	wait_for 40 "all events arrive" arrived
	[ "$role" != sf-watch ] || scrape
	stop
	[ ! -e "$work/crashed" ] || fail "the supervisor crashed"
	not_said "killed by signal" "that a role crashed"
	not_said "damaged|has lost" "that the store is damaged"
	said_if_died
	store_whole
	no_gaps
	"$sealfeed" verify --key "$work/vkey" "$work/archive/events" \
	    >"$work/verdict" || fail "verify: $(tail -n 3 "$work/verdict")"
}

# A role that ended in trouble said why before.
said_if_died() {
	local role
	sed -n 's/^<3>sealfeed: \(.*\): exited with status [1-9].*/\1/p' \
	    "$work/agent.log" | while read -r role; do
		grep -Eq "^<[23]>(sealfeed|$role): .*(;|:|unavailable)" \
		    <(grep -v "exited with status" "$work/agent.log") ||
		    exit 1
	done || fail "a role ended without saying why"
}

# spread: of the sorted numbers on standard input those to try.
spread() {
	if [ "$how" = long ]; then
		cat
	else
		awk '{ n[NR] = $1 }
		END {
			for (i = 1; i <= NR; i = i < 2 ? i + 1 : i * 4)
				print n[i]
			if (NR > 3)
				print n[NR]
		}' | uniq
	fi
}

keep_all
source_options[interval]=1h
sim --events 200 --backlog 200 --blob 5-20 --subscribed
to_file archive
total=200
runs=0
fired=0

count() {
	say "counting"
	rm -f "$work/count"
	unset SEALFEED_FAULT_CALL SEALFEED_FAULT_ROLE SEALFEED_FAULT_NTH
	SEALFEED_FAULT_COUNT=$work/count begin
	within 40 arrived || fail "not even without a fault"
	scrape
	stop
	store_whole
}

# try CALL…: those of each role, counted first.
try() {
	local call n ns role roles
	write_config
	count
	roles=$(cut -d' ' -f3- "$work/count" | sort -u)
	while read -r role; do
		for call; do
			ns=$(sed -n "s/^$call \([0-9]*\) $role\$/\1/p" \
			    "$work/count" | sort -nu | spread)
			for n in $ns; do
				export SEALFEED_FAULT_CALL=$call SEALFEED_FAULT_ROLE=$role SEALFEED_FAULT_NTH=$n
				begin
				end "$role"
				runs=$((runs + 1))
				[ ! -e "$SEALFEED_FAULT_FIRED" ] ||
				    fired=$((fired + 1))
			done
			say "$role, $call: $(wc -w <<<"$ns") runs, of $(grep -c \
			    "^$call [0-9]* $role\$" "$work/count") calls"
		done
	done <<<"$roles"
}

calls=${calls:-write pwrite fsync mmap malloc}
# shellcheck disable=SC2086 # words
[ "$calls" = malloc ] || try ${calls/malloc/}
# Where memory ends libseccomp 2.5 frees twice, so without it.
case $calls in
*malloc*)
	sandbox=off
	try malloc
	;;
esac
say "$runs runs, in $fired of them a call failed"
[ $((fired * 2)) -ge "$runs" ] || fail "too few calls failed"
