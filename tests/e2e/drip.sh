#!/bin/bash
# Every blob of one content type comes at a byte a second: the other four
# arrive as if nothing were, and the one does when it is over.
. "${0%/*}/lib.sh"

healthy() {
	local type
	for type in Audit.AzureActiveDirectory Audit.SharePoint \
	    Audit.General DLP.All; do
		[ "$(grep -c "^{\"feed\":\"contoso/$type\",\"index\"" \
		    "$work/lake/events")" -eq \
		    "$(cat "$work/sim/ledger/$type"* | wc -l)" ] || return 1
	done
}

source_options[timeout]=15s
sim --events 1500 --rate 400 --faults drip@Audit.Exchange=100%
to_file lake
agent
wait_for 30 "the simulator makes all" stat_is finished = 1
wait_for 8 "the healthy four are complete" healthy
steer "faults?set=none"
settled lake
verified lake
agent_stop
