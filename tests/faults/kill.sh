#!/bin/bash
# kill [ROUNDS [SEED]]: kill -9, at random moments under load, a random role,
# the supervisor alone, or the whole process group, which then starts again.
. "${0%/*}/lib.sh"

rounds=${1:-20}
seed=${2:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
say "$rounds rounds, seed $seed"

victims=(collect seal watch "ship lake" "ship archive")

# Up to 0.4 s, at random.
a_moment() {
	sleep "0.$(printf %03d $((RANDOM % 400)))"
}

# start_again: as a service manager would.
start_again() {
	rm -f "$work/agent.pid"
	agent_again
}

kill_role() {
	local role=$1 pid
	wait_for 60 "$role runs" role_other "$role" 0
	pid=$(role_pid "$role")
	a_moment
	kill -KILL "$pid" 2>/dev/null
}

# The roles end by themselves, and the next supervisor waits for them.
kill_supervisor() {
	local pid
	a_moment
	pid=$(cat "$work/agent.pid")
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	start_again
}

kill_group() {
	local pid
	a_moment
	pid=$(cat "$work/agent.pid")
	kill -KILL -- -"$pid"
	wait "$pid" 2>/dev/null
	start_again
}

keep_all
sim --events -1 --rate 800 --blob 1-30 --page 20 --seed "$seed"
receiver lake
to_http lake
to_file archive
if [ -n "${rsyslogd:-}" ]; then
	rsyslog siem ossl
	to_syslog siem
	victims+=("ship siem")
fi
agent
patience=120
declare -A times=()
for ((i = 0; i < rounds; i++)); do
	case $((RANDOM % 8)) in
	0) who=group ;;
	1) who=supervisor ;;
	*) who=${victims[RANDOM % ${#victims[@]}]} ;;
	esac
	times[$who]=$((${times[$who]:-0} + 1))
	case $who in
	group | supervisor) "kill_$who" ;;
	*) kill_role "$who" ;;
	esac
done
for who in "${!times[@]}"; do
	echo "  killed ${times[$who]} times: $who"
done

steer pause
whole lake archive ${rsyslogd:+siem}
store_whole
no_gaps
not_said "damaged|has lost" "that the store is damaged"
say "repeats: lake $(repeats lake), archive $(repeats archive)"
[ "$(stat_of made)" -ge $((rounds * 50)) ] ||
    fail "only $(stat_of made) events: no load"
agent_stop
