#!/bin/bash
# The client secret is changed at the vendor and in its file while the agent
# runs: it notices by itself, and nothing is lost.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 200
receiver lake
to_http lake
echo first-secret >"$work/agent-secret"
source_options[client_secret]="\${file:$work/agent-secret}"
agent
wait_for 30 "events arrive" test -s "$work/lake/events"
echo second-secret >"$work/secret"
steer expire-tokens
wait_for 30 "the old secret is refused" stat_is tokens_refused -ge 1
echo second-secret >"$work/agent-secret"
settled lake
verified lake
