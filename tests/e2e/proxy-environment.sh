#!/bin/bash
# Vendor and HTTP receiver are reached through the proxy that the environment
# of the service names, but for the hosts that it leaves out; its password is
# known to no role that makes no connections.
. "${0%/*}/lib.sh"

sim --events 500 --rate 500
receiver lake
proxy gate clerk s3same
agent_env=("https_proxy=http://clerk:s3same@127.0.0.1:$(cat "$work/gate/port")"
    no_proxy=elsewhere.example)
to_http lake
agent
settled lake
verified lake
for port in "$(cat "$work/sim/port")" "$(cat "$work/lake/port")"; do
	grep -q "CONNECT localhost:$port" "$work/gate/log" ||
	    fail "not through the proxy: port $port"
done
for role in seal watch; do
	! grep -q s3same "/proc/$(pgrep -P "$(cat "$work/agent.pid")" \
	    -x "sf-$role")/environ" || fail "$role knows the password"
done
agent_stop

# A host that is left out is reached without it.
polled() {
	[ "$(grep -c 'ready: 1 sources' "$work/agent.log")" -eq 2 ] &&
	    status_says 'running, all well'
}
agent_env[1]=no_proxy=localhost
cp "$work/gate/log" "$work/before"
agent
wait_for 20 "the agent works again" polled
cmp -s "$work/gate/log" "$work/before" || fail "no_proxy is passed over"
