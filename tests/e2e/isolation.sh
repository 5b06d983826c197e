#!/bin/bash
# One output is down for an hour, as each of three in turn: a syslog receiver
# that is gone, a collector that takes requests and never answers, a cluster that
# closes every connection.  An hour's events come meanwhile, in seconds, and
# this machine's clock goes on by an hour: the others have them as soon as when
# all was well, memory stays as it is and the store within its bounds, and the
# late one ends with exactly the same.
. "${0%/*}/lib.sh"

burst=10000

# step SECONDS: the agent's clock is so far off from now on
step() {
	printf '%-20d\n' "$1" 1<>"$work/clock"
}

# memory [ROLE]: kB of all roles, or of one
memory() {
	local p all=0 agent
	agent=$(cat "$work/agent.pid")
	for p in $(pgrep -P "$agent" ${1:+-f "ship $1"}); do
		all=$((all + $(awk '/^Pss:/ { print $2 }' \
		    "/proc/$p/smaps_rollup")))
	done
	echo "$all"
}

# all_have N NAME…: each of them holds so many events
all_have() {
	local n=$1 name
	shift
	for name in "$@"; do
		[ "$(delivered "$name")" -ge "$n" ] || return 1
	done
}

delivered() {
	metric "sealfeed_output_events_total{output=\"$1\"}"
}

# an_hour NAME…: its events, and how long it takes, in ms of what this machine
# grants, until these outputs have delivered them
an_hour() {
	local name begin
	declare -A goal=()
	for name in "$@"; do
		goal[$name]=$(($(delivered "$name") + burst))
	done
	grant
	begin=$granted
	steer "make?type=Audit.Exchange&blobs=20&events=$((burst / 20))&small=1"
	for name in "$@"; do
		wait_for 30 "$name delivers an hour's events" \
		    all_have "${goal[$name]}" "$name"
	done
	grant
	took=$((granted - begin))
}

# down NAME, up NAME
down() {
	case $1 in
	siem) stop_one siem ;;
	splunk-hec) echo hang=100% >"$work/intakes/$1/faults" ;;
	elasticsearch) echo close=100% >"$work/intakes/$1/faults" ;;
	esac
}

up() {
	case $1 in
	siem) rsyslog siem ossl ;;
	*) rm "$work/intakes/$1/faults" ;;
	esac
}

printf '%-20d\n' 0 >"$work/clock"
agent_env=(LD_PRELOAD="$bin/clock.so" SEALFEED_CLOCK_FILE="$work/clock")
store_options="min_free: 16MiB, max_size: 256MiB"
sim --events 200 --rate 200
rsyslog siem ossl
own_receiver intake intakes
mkdir -p "$work/intakes/splunk-hec" "$work/intakes/elasticsearch"
echo 1 >"$work/intakes/splunk-hec/acks"
for name in splunk-hec elasticsearch; do
	echo abc >"$work/intakes/$name/token"
done
to_syslog siem "hold: { time: 1s }"
to_intake splunk-hec splunk-hec /services/collector/event "token: abc" \
    "timeout: 2s"
to_intake elasticsearch elasticsearch "" "api_key: abc"
agent
settled siem intakes/splunk-hec intakes/elasticsearch

an_hour siem splunk-hec elasticsearch
well=$took
before=$(memory)
hours=0
for name in siem splunk-hec elasticsearch; do
	others=(siem splunk-hec elasticsearch)
	others=("${others[@]/$name/}")
	# shellcheck disable=SC2206 # one of them is empty now
	others=(${others[@]})
	own=$(memory "$name")
	down "$name"
	step $((++hours * 3600))
	an_hour "${others[@]}"
	say "without $name: $took ms for ${others[*]}; $well ms when all is well"
	[ "$took" -le $((2 * well + 2000)) ] ||
	    fail "${others[*]} take $took ms without $name, and $well ms with it"
	wait_for 20 "$name is late" \
	    output_is "$name" backlog_events -ge "$burst"
	now=$(memory "$name")
	[ "$now" -le $((own + 8192)) ] ||
	    fail "the role of $name has $now kB, and had $own"
	now=$(memory)
	[ "$now" -le $((before + 12288)) ] ||
	    fail "all roles have $now kB, and had $before"
	used=$(metric sealfeed_store_used_bytes)
	[ "$used" -le $((64 << 20)) ] || fail "the store has $used bytes"
	up "$name"
	wait_for 60 "$name catches up" output_is "$name" backlog_events -eq 0
done
settled siem intakes/splunk-hec intakes/elasticsearch
no_repeats intakes/elasticsearch
verified siem intakes/splunk-hec intakes/elasticsearch
