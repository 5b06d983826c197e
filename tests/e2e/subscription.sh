#!/bin/bash
# An administrator disables a subscription: it is started again, but not
# twice within 15 minutes; what was made meanwhile arrives.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 150 --subscribed
to_file lake
agent
# Of the feed itself: the agent's own names all feeds at the start.
wait_for 30 "events arrive" grep -q '^{"feed":"contoso/Audit.Exchange","index"' \
    "$work/lake/events"
steer "disable?type=Audit.Exchange"
wait_for 20 "it is started again" stat_is starts = 1
wait_for 20 "and read again" log_has 'Audit.Exchange: is read again'
steer "disable?type=Audit.Exchange"
wait_for 20 "the agent waits" log_has 'may be started again in'
steer "enable?type=Audit.Exchange"
settled lake
verified lake
stat_is starts = 1 || fail "started $(stat_of starts) times"
stat_is starts_too_soon = 0 || fail "started too soon"
stat_is stops = 0 || fail "stopped"
agent_stop
