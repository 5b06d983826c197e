#!/bin/bash
# A host without an open port: the metrics are in a file that node_exporter may
# read, whole whenever it looks, and old when the agent stops.  Where the file
# can't be written the log says so, and the agent goes on.
. "${0%/*}/lib.sh"

file=$work/metrics/sealfeed.prom

# value SAMPLE: of the file, without a fraction
value() {
	awk -v n="$1" '{ v = $NF; sub(/ [^ ]*$/, "") } $0 == n { print v }' \
	    "$file" | cut -d. -f1
}

value_is() {
	local v
	v=$(value "$1")
	[ -n "$v" ] && test "$v" "$2" "$3"
}

umask 077
sim --events 200 --rate 200
to_file archive
watch_options="listen: none, textfile: $file"
agent
wait_for 20 "the log says why there is no file" \
    log_has 'watch.textfile: .*/sealfeed.prom.*No such file .*ReadWritePaths='
settled archive
mkdir -m 755 "$work/metrics"
wait_for 20 "there is a file" test -s "$file"
log_has 'watch.textfile: written again' || fail "the log says nothing of it"
[ "$(stat -c %a "$file")" = 644 ] || fail "mode $(stat -c %a "$file")"
value_is 'sealfeed_output_events_total{output="archive"}' -ge 200 ||
    fail "not the figures of the agent: $(grep output_events "$file")"
for role in 'collect"' 'watch"' 'ship",output="archive"'; do
	wait_for 20 "$role is up" value_is "sealfeed_role_up{role=\"$role}" -eq 1
done
first=$(value sealfeed_metrics_timestamp_seconds)
age=$(($(date +%s) - first))
[ "$age" -ge -1 ] && [ "$age" -le 600 ] || fail "$age seconds old"
if [ -n "${promtool:-}" ]; then
	said=$("$promtool" check metrics <"$file" 2>&1) ||
	    fail "promtool check metrics: $said"
	[ -z "$said" ] || fail "promtool check metrics: $said"
else
	say "promtool is not there (tests/run gets it)"
fi

# A role that is killed writes again once it is back, and is counted.
sleep 1.1 # the timestamp differs by a second
pkill -KILL -g "$(cat "$work/agent.pid")" -x sf-watch
wait_for 20 "it is written again" \
    value_is sealfeed_metrics_timestamp_seconds -gt "$first"
wait_for 20 "the restart is counted" \
    value_is 'sealfeed_role_restarts_total{role="watch"}' -eq 1
agent_stop
[ -s "$file" ] || fail "the file is gone with the agent"
[ "$(ls "$work/metrics")" = sealfeed.prom ] ||
    fail "something is left: $(ls "$work/metrics")"
