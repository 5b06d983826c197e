#!/bin/bash
# A hundred thousand blobs (SEALFEED_MANY) are listed at once, one event in
# each: all arrive, and the agent's memory does not grow with them.
. "${0%/*}/lib.sh"

many=${SEALFEED_MANY:-100000}
sim --events 1 --page 1000 --rate 1000 --subscribed
for type in Audit.AzureActiveDirectory Audit.Exchange Audit.SharePoint \
    Audit.General DLP.All; do
	steer "make?type=$type&blobs=$((many / 5))&events=1&small=1"
done
to_file lake
agent
wait_for 300 "all blobs are read" stat_is outstanding -eq 0
settled lake
no_repeats lake
verified lake
# shellcheck disable=SC2002,SC2046 # one name a process; cat passes over what ended
kib=$(cat $(printf '/proc/%s/smaps_rollup ' $(pgrep -g \
    "$(cat "$work/agent.pid")")) | awk '/^Pss:/ { n += $2 } END { print n }')
say "$kib KiB in memory"
[ "$kib" -le $((48 * 1024)) ] || fail "$kib KiB in memory"
