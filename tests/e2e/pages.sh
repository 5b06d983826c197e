#!/bin/bash
# Listings of many pages: NextPageUri in every spelling, pages without a row
# in front of pages with rows, rows twice and in reverse order, no length.
. "${0%/*}/lib.sh"

sim --backlog 600 --blob 1-3 --page 3 --events 600 \
    --faults empty-page=30%,dup-row=30%,shuffle=30%,chunked=10%
receiver lake
to_http lake
agent
settled lake
no_repeats lake
verified lake
stat_is pages -ge 60 || fail "only $(stat_of pages) pages were followed"
for fault in empty-page dup-row shuffle; do
	stat_is "fault.$fault" -ge 5 || fail "too few pages with $fault"
done
stat_is listing_errors -eq 0 || fail "$(stat_of listing_errors) bad listings"
