#!/bin/bash
# The start of a subscription whose answer nobody saw is none: the vendor
# answers it with a 500, or the agent is killed over it.  It is sent again at
# once, but only once, and then the 15 minutes between two starts are kept.
. "${0%/*}/lib.sh"

lost() {
	stat_of fault.start-lost
}

sim --events 800 --rate 200 --faults "start-lost@Audit.Exchange=100%x1"
to_file lake
agent
settled lake
[ "$(lost)" -eq 1 ] || fail "no start was lost"
stat_is starts_too_soon = 0 || fail "started too soon"
agent_stop
stop_one sim
rm -r "$work"/sim "$work"/lake "$work"/store.db*

sim --events 800 --rate 200 --faults "start-lost@Audit.Exchange=100%"
outputs=
to_file lake
agent
wait_for 20 "two are lost" eval '[ "$(lost)" -ge 2 ]'
wait_for 20 "the cause is told" log_has 'Audit.Exchange: .*AF50000'
agent_kill
agent_again
wait_for 20 "the others go on" log_has 'ready: 1 sources'
within 8 eval '[ "$(lost)" -ge 4 ]' && fail "$(lost) starts were sent"
steer "faults?set=none"
