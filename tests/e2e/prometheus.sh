#!/bin/bash
# A real Prometheus scrapes a real agent: every query of the dashboard has data,
# every metric in it and in the rules is there, the rules are evaluated, none of
# them minds an agent that is well, and one does when it is gone.
. "${0%/*}/lib.sh"

. "${0%/*}/runbook.sh"

dashboard=$top/packaging/grafana/sealfeed.json

# state ALERT: "inactive", "pending" or "firing"
state() {
	prometheus_api rules | jq -r --arg name "$1" \
	    '.data.groups[].rules[] | select(.name == $name) | .state'
}

sim --rate 50
receiver siem
to_http siem
agent
watched
wait_for 30 "events are delivered" output_is siem events_total -ge 50
wait_for 30 "Prometheus has scraped them" has_data \
    'sealfeed_output_events_total >= 50 and on(job) up{job="sealfeed"} == 1'
# Each group has been evaluated.
wait_for 30 "the rules are evaluated" eval \
    'prometheus_api rules | jq -e "[.data.groups[] | select(.name == \"sealfeed\") |
	.rules[] | select(.health != \"ok\")] == []"'
minds=$(prometheus_api rules | jq -r '.data.groups[].rules[] |
    select(.type == "alerting" and .state != "inactive") | .name')
# The test's own certificates end in 90 days; nothing else is amiss either.
[ -z "$minds" ] || fail "the agent is well, yet: $minds"

# What only an agent in trouble has.
stop_one siem
wait_for 30 "a backlog" has_data 'sealfeed_output_oldest_undelivered_seconds > 0'
steer "faults?set=af20052=100%"
wait_for 30 "a trouble" has_data sealfeed_trouble_since_timestamp_seconds

said=$(curl -s --unix-socket "$work/watch.sock" http://localhost/metrics |
    "$promtool" check metrics 2>&1) || fail "promtool check metrics: $said"
[ -z "$said" ] || fail "promtool check metrics: $said"

mapfile -t queries < <(jq -r '[.. | objects | .expr? // empty] | unique[]' \
    "$dashboard")
[ "${#queries[@]}" -ge 30 ] || fail "only ${#queries[@]} queries"
for query in "${queries[@]}"; do
	query=${query//\$__rate_interval/10s}
	query=${query//\$instance/.*}
	case $query in
	*'$'*) fail "a variable is left: $query" ;;
	changes*) query=${query%% > 0} ;; # an event, not a state
	esac
	within 20 has_data "$query" || fail "$query: $(answer "$query")"
done
say "${#queries[@]} queries of the dashboard have data"
label=$(jq -r '.templating.list[] | select(.name == "instance") |
    .query.query' "$dashboard")
[ "$label" = "label_values(sealfeed_build_info, instance)" ] &&
    has_data sealfeed_build_info || fail "no instances to choose from: $label"

prometheus_api label/__name__/values | jq -r '.data[]' | sort >"$work/there"
grep -ohE '\bsealfeed_[a-z_0-9]+' "$dashboard" "$rules" | sort -u >"$work/named"
[ "$(wc -l <"$work/named")" -ge 30 ] || fail "few metrics: $(cat "$work/named")"
nowhere=$(comm -23 "$work/named" "$work/there")
[ -z "$nowhere" ] || fail "there is no $nowhere"

agent_stop
wait_for 20 "an agent that is gone is noticed" \
    eval '[ "$(state SealfeedDown)" = pending ]'
