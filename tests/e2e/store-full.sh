#!/bin/bash
# A receiver is down until the store is full: collect pauses and says how long
# the vendor still keeps what is unread.  When the receiver is back, collect
# goes on by itself, and nothing was lost.  Before that the store is full from
# the beginning, when nothing was listed yet.  Prometheus sees it coming.
. "${0%/*}/lib.sh"
. "${0%/*}/runbook.sh"

# Five looks in a row see the same number of fetched blobs.
looks=0 seen=
paused() {
	local blobs
	blobs=$(stat_of blobs)
	[ "$blobs" = "$seen" ] && looks=$((looks + 1)) || looks=0
	seen=$blobs
	[ "$looks" -ge 5 ]
}

# Collect is full, and not only about to be: what was delivered meanwhile may
# leave room for a few more.
stays_full() {
	paused && metric_is sealfeed_store_full -eq 1
}

# How often collect went on.
resumed() {
	grep -c "has room again: collecting resumes" "$work/agent.log"
}

sim --events 80000 --rate 8000 --blob 100-200
rsyslog siem ossl
stop_one siem
receiver lake
to_syslog siem
to_http lake
store_options="min_free: 60TiB"
agent
told() {
	ask status >"$work/status"
	[ "$(grep -c 'deletes the oldest unread events in 5d 23h' \
	    "$work/status")" -eq 5 ]
}
wait_for 20 "every feed tells its horizon" told
stat_is listings = 0 || fail "content is listed for a full store"
watched
fires SealfeedStorePaused
store_options="min_free: 16MiB, max_size: 16MiB"
agent_reload
fires SealfeedStoreFills
wait_for 40 "the store is full" metric_is sealfeed_store_full -eq 1
wait_for 10 "collect says so" log_has 'store is full.*collecting pauses.*gap'
wait_for 10 "no more blobs are fetched" paused
fires SealfeedStorePaused
try SealfeedStorePaused "df -h /var/lib/sealfeed" || fail "$(cat "$work/said")"
paused_in_status() {
	try SealfeedStorePaused "sealfeed status"
	metric_is sealfeed_store_full -eq 1 &&
	    grep >/dev/null 'The store is full' "$work/said"
}
wait_for 20 "status says that the store is full" paused_in_status
shows 'The store is full.* Collecting pauses'
shows 'deletes the oldest unread events in 6d'
shows 'siem not known yet [0-9]+ .*error for .*refused'
horizon='sealfeed_feed_retention_horizon_seconds{feed="contoso/Audit.Exchange"}'
metric_is "$horizon" -gt 500000 || fail "horizon is $(metric "$horizon")"
wait_for 20 "more events are made" stat_is finished = 1
wait_for 20 "no more blobs are fetched, and the store is full" stays_full
[ "$(stat_of blobs)" -lt "$(stat_of made_blobs)" ] ||
    fail "collect went on with a full store"
before=$(resumed)
rsyslog siem ossl
wait_for 40 "collect resumes" eval '[ "$(resumed)" -gt "$before" ]'
settled siem lake
calms SealfeedStorePaused
calms SealfeedStoreFills
no_repeats siem lake
verified siem lake
ask gaps | grep >/dev/null -i "no gaps\|^gaps: none" || fail "gaps: $(ask gaps)"
