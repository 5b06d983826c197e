#!/bin/bash
# What stands still says so once, with its cause: every blob failing, auditing
# off with a text that changes each time, a token endpoint that takes long.
# Log, status, the agent's own feed, the metrics and /readyz agree, and one line
# each ends it.
. "${0%/*}/lib.sh"

page() {
	curl -s -o "$work/page" -w '%{http_code}' \
	    --unix-socket "$work/watch.sock" "http://localhost$1"
}

# ready STATUS [REGEX]: what /readyz says
ready() {
	[ "$(page /readyz)" = "$1" ] && grep -Eq -- "${2:-}" "$work/page"
}

# told TYPE REGEX: how many of the agent's own events say so
told() {
	grep -a '"feed":"fra1/agent"' "$work/lake/events" |
	    grep -a "\"type\":\"$1\"" | grep -aEc -- "$2"
}

lines() {
	grep -Ec -- "$1" "$work/agent.log"
}

# once REGEX: each of the five feeds told it, but only once
once() {
	[ "$(told error "$1")" -le 5 ] || fail "$1: $(told error "$1") events"
	[ "$(lines "Audit.*$1")" -le 10 ] || fail "$1: $(lines "$1") lines"
}

sim --events 6000 --rate 60
to_file lake
agent
wait_for 30 "events arrive" test -s "$work/lake/events"
wait_for 30 "ready" ready 200
steer "faults?set=af20052=100%"
wait_for 20 "the log says so" log_has 'AF20052'
wait_for 20 "status says so" status_says 'AF20052'
wait_for 60 "not ready" ready 503 AF20052
wait_for 60 "many fetches fail" stat_is fault.af20052 -ge 200
once AF20052
metric 'sealfeed_trouble_since_timestamp_seconds{subject="contoso/Audit.Exchange",class="retry",code="AF20052"}' |
    grep >/dev/null . || fail "no metric"
steer "faults?set=none"
wait_for 60 "ready again" ready 200
wait_for 10 "its end is told" eval '[ "$(told recovered AF20052)" -ge 1 ]'
wait_for 30 "status shows it no more" eval "! status_says AF20052"
[ "$(page /healthz)" = 200 ] || fail "/healthz: $(cat "$work/page")"

steer "faults?set=audit-off=100%"
wait_for 60 "not ready" ready 503 'audit logging is switched off'
wait_for 60 "many polls fail" stat_is fault.audit-off -ge 15
once AF10001
steer "faults?set=none"
wait_for 90 "ready again" ready 200
enough
settled lake
agent_stop

steer "faults?set=slow-token=100%"
agent_again
wait_for 40 "status names the token endpoint" status_says 'waits for an access token'
wait_for 40 "not ready" ready 503 'waits for an access token|since the start'
