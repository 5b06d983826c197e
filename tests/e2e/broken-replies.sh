#!/bin/bash
# Replies that break off or lie: connections reset in the middle of a body or
# before it, gzip streams and JSON that end early in complete replies, empty
# bodies, login pages with status 200, the wrong content type.  Each counts
# as a failure, none as an empty page or blob.
. "${0%/*}/lib.sh"

faults=reset=8%,close=8%,gzip-truncate=8%,truncate=8%
faults+=,empty200=8%,html200=8%,ctype=8%
sim --events 2000 --rate 200 --page 10 --faults "$faults"
receiver lake
to_file archive
to_http lake
agent
settled archive lake
no_repeats archive lake
verified archive lake
curl -s --unix-socket "$work/watch.sock" http://localhost/metrics |
    awk '/^sealfeed_feed_retries_total/ { n += $NF } END { exit n == 0 }' ||
    fail "no retry is counted"
for fault in ${faults//=8%/}; do
	for name in ${fault//,/ }; do
		stat_is "fault.$name" -gt 0 || fail "$name never happened"
	done
done
