#!/bin/bash
# The vendor throttles one content type and asks for an hour; and denies
# another, whatever the token.  The others go on, the wait is bounded, told and
# shown, the token that is good for others is kept, and nothing is lost.
. "${0%/*}/lib.sh"

# others: events of these feeds that have arrived
others() {
	grep -Ec '"feed":"contoso/(Audit.General|Audit.SharePoint)"' \
	    "$work/lake/events"
}

source_options[retry_after_max]=12s
sim --events 2500 --rate 120
to_file lake
agent
wait_for 30 "events arrive" test -s "$work/lake/events"
tokens=$(stat_of tokens)
steer "faults?set=long-wait@Audit.Exchange=100%,denied@DLP.All=100%"
wait_for 20 "the wait is told" \
    log_has 'Audit.Exchange: .*waits until .* because status 429'
wait_for 20 "status shows it" status_says 'waits until'
wait_for 20 "the denial names where to look" \
    log_has 'DLP.All: .*ActivityFeed.ReadDlp.*tenant .* of cloud commercial'
before=$(others)
wait_for 20 "the others go on" eval '[ "$(others)" -ge $((before + 100)) ]'
throttled=$(stat_of fault.long-wait)
wait_for 40 "the wait ends and is probed" \
    eval '[ "$(stat_of fault.long-wait)" -gt $((throttled + 1)) ]'
[ "$(($(stat_of tokens) - tokens))" -le 8 ] ||
    fail "$(($(stat_of tokens) - tokens)) tokens for one denied feed"
[ "$(stat_of fault.long-wait)" -le 60 ] ||
    fail "$(stat_of fault.long-wait) requests though throttled"
steer "faults?set=none"
settled lake
no_repeats lake
verified lake
