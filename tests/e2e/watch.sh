#!/bin/bash
# Prometheus and a load balancer look at the agent: every family has HELP and
# TYPE, counters end in _total, the figures are those of the ledger, the lag is
# next to nothing where all is delivered, health and readiness answer, and
# nothing else does.
. "${0%/*}/lib.sh"

page() {
	curl -s -o "$work/page" -w '%{http_code}' "${@:2}" \
	    --unix-socket "$work/watch.sock" "http://localhost$1"
}

sum_of() {
	page /metrics >/dev/null
	awk -v n="$1{" 'index($0, n) == 1 && /contoso/ { s += $NF }
	    END { print s + 0 }' "$work/page"
}

# All feeds are less than two seconds behind, as status tells it and as
# /metrics does.
no_lag() {
	page /metrics >/dev/null
	awk '/^sealfeed_feed_lag_seconds/ { n++; late += $NF >= 2 }
	    END { exit n != 5 || late }' "$work/page" &&
	    ask status --json | grep -o '"lag_seconds":[0-9][0-9.]*' |
	    awk -F: '{ n++; late += $2 >= 2 } END { exit n != 5 || late }'
}

sim --events 500 --rate 500
to_file archive
agent
settled archive
wait_for 30 "every event is counted" eval '[ "$(sum_of sealfeed_feed_sealed_events_total)" = 500 ]'
wait_for 30 "nothing is left to deliver" eval \
    '[ "$(metric "sealfeed_output_backlog_events{output=\"archive\"}")" = 0 ]'
wait_for 30 "no feed lags" no_lag
[ "$(page /metrics)" = 200 ] || fail "/metrics: $(cat "$work/page")"
awk '/^# HELP / { help[$3] = 1; next }
    /^# TYPE / { type[$3] = $4; next }
    {
	name = $1
	sub(/\{.*/, "", name)
	part = name
	if (sub(/_(bucket|sum|count)$/, "", part) && type[part] == "histogram")
		name = part
	if (!help[name] || !type[name] || name !~ /^sealfeed_[a-z_]+$/ ||
	    (type[name] == "counter") != (name ~ /_total$/) ||
	    $NF !~ /^-?[0-9.]+$/) { print "bad sample: " $0; bad = 1 }
    }
    END { exit bad }' "$work/page" || fail "/metrics is not as Prometheus has it"
for name in feed_lag_seconds feed_retention_horizon_seconds \
    output_position_batch output_oldest_undelivered_seconds \
    output_mode_info store_used_bytes build_info; do
	grep -q "^# TYPE sealfeed_$name gauge" "$work/page" ||
	    fail "sealfeed_$name is missing"
done
wait_for 30 "ready" eval '[ "$(page /readyz)" = 200 ]'
[ "$(page /healthz)" = 200 ] || fail "/healthz: $(cat "$work/page")"
[ "$(page /nothing)" = 404 ] || fail "/nothing is served"
[ "$(page /metrics -X POST)" = 405 ] || fail "POST is served"
ends=$(date -u -d "$(openssl x509 -in "$work/ca.pem" -noout -enddate |
    cut -d= -f2)" +%s)
metric_is 'sealfeed_certificate_not_after_timestamp_seconds{option="sources.contoso.tls.ca"}' \
    -eq "$ends" || fail "the CA ends at $ends: $(grep not_after "$work/page")"
for role in 'collect"' 'seal"' 'watch"' 'ship",output="archive"'; do
	metric_is "sealfeed_role_up{role=\"$role}" -eq 1 || fail "$role is not up"
done
verified archive
