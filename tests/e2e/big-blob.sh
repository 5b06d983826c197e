#!/bin/bash
# One blob of 1 GB (SEALFEED_BIG bytes): it streams through, and all
# processes of the agent together stay below 48 MB.
. "${0%/*}/lib.sh"

most=0
# sample: the agent's memory, pages that are shared counted once
sample() {
	local kib
	# shellcheck disable=SC2002,SC2046 # one name a process; cat passes over what ended
	kib=$(cat $(printf '/proc/%s/smaps_rollup ' $(pgrep -g \
	    "$(cat "$work/agent.pid")")) 2>/dev/null |
	    awk '/^Pss:/ { n += $2 } END { print n + 0 }')
	[ "$kib" -le "$most" ] || most=$kib
}

arrived() {
	sample
	same lake 2>/dev/null
}

made() {
	sample
	stat_is made -ge 1000
}

sim --events 100 --rate 1000
to_file lake
agent
steer "big?type=Audit.Exchange&bytes=${SEALFEED_BIG:-1000000000}"
complete() {
	sample
	stat_is outstanding -eq 0
}
within 150 complete || fail "the blob was not read within 150 s"
patience=60
within 60 arrived || fail "not the same events"
verified lake
say "$(stat_of made) events, at most $most KiB in memory"
[ "$most" -gt 1000 ] || fail "no memory was measured"
[ "$most" -le $((48 * 1024)) ] || fail "$most KiB in memory"
