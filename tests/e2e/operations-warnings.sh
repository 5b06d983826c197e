#!/bin/bash
# As operations-alerts, for what stands still at a vendor, in a role or on the
# host: a feed that is silent, lags or is near its gap, roles that die, an output
# that is behind, certificates that end, metrics that are old.
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

quiet=contoso/DLP.All
textfile=$work/metrics/sealfeed.prom

# past INSTANCE: at this time in both of the last two weeks the quiet feed had
# 3000 events an hour.
past() {
	local now week minute
	now=$(date +%s)
	echo "# TYPE sealfeed_feed_events counter"
	for week in 2 1; do
		for minute in {-70..10}; do
			echo "sealfeed_feed_events_total{feed=\"$quiet\",instance=\"$1\",job=\"sealfeed\"}" \
			    $((50 * (80 + minute))) \
			    $((now - week * 7 * 86400 + 60 * minute))
		done
	done
	echo "# EOF"
}

# The file of metrics, as node_exporter on that host shows it.
exporter_start() {
	# shellcheck disable=SC2016 # socat's shell expands it
	run_receiver "$1" env textfile="$textfile" socat \
	    "TCP-LISTEN:$2,bind=127.0.0.1,reuseaddr,fork" \
	    'SYSTEM:echo HTTP/1.0 200 OK; echo; cat "$textfile"'
}

# role ROLE: its process
role() {
	pgrep -g "$(cat "$work/agent.pid")" -x "sf-$1"
}

mkdir "$work/metrics"
# Six days of backlog, of which one feed can't be read.
sim --rate 20 --backlog 400 --backlog-span 560000 \
    --faults af20052@Audit.SharePoint=100%
source_options[initial]=7d
receiver lake
to_http lake
watch_options+=", textfile: $textfile"
installed
agent_again
run_on_some_port exporter exporter_start
watched

say "SealfeedFeedLags, SealfeedGapNear, SealfeedGapImminent"
fires SealfeedFeedLags
fires SealfeedGapNear
fires SealfeedGapImminent
try SealfeedFeedLags "sealfeed status"
shows 'contoso/Audit.SharePoint retry AF20052'
! try SealfeedFeedLags "sealfeed check --live" || fail "the vendor answers"
shows 'sources.contoso: .*AF20052'
steer "faults?set=none"
calms SealfeedFeedLags
calms SealfeedGapNear
calms SealfeedGapImminent

say "SealfeedFeedSilent"
fires SealfeedFeedSilent
try SealfeedFeedSilent "sealfeed status" || fail "$(cat "$work/said")"
shows '^running, all well'
steer "make?type=DLP.All&events=40&blobs=15"
calms SealfeedFeedSilent

say "SealfeedOutputBehind"
stop_one lake
fires SealfeedOutputBehind s/900/2/
try SealfeedOutputBehind "sealfeed status"
shows 'lake .*error for'
receiver lake
calms SealfeedOutputBehind s/900/2/

say "SealfeedRoleRestarts"
for n in 1 2 3 4 5; do
	wait_for 20 "it is back" role "ship lake"
	kill -KILL "$(role "ship lake")"
	wait_for 20 "restart $n is counted" metric_is \
	    'sealfeed_role_restarts_total{role="ship",output="lake"}' -eq "$n"
done
fires SealfeedRoleRestarts
try SealfeedRoleRestarts "journalctl -u sealfeed -g restarting"
shows 'ship lake: killed by signal 9 .*restarting in'

say "SealfeedRoleDown"
mv "$etc/siem-ca.pem" "$work/away"
wait_for 20 "it is back" role "ship lake"
kill -KILL "$(role "ship lake")"
fires SealfeedRoleDown # it was killed, and has not said yet why it stays away
wait_for 30 "it is started again" log_has 'ship lake: blocked: tls.ca'
try SealfeedRoleDown "journalctl -u sealfeed -p err -n 20"
shows 'ship lake: blocked: tls.ca: [^ ]*/siem-ca.pem'
mv "$work/away" "$etc/siem-ca.pem"
calms SealfeedRoleDown

say "SealfeedCertificateExpires, SealfeedCertificateExpiresSoon"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 \
    -keyout "$work/old.key" -out "$work/old.pem" -subj "/CN=the old one" \
    2>/dev/null || fail "openssl made no certificate"
cp "$etc/siem-ca.pem" "$work/good.pem"
cat "$work/old.pem" "$work/good.pem" >"$etc/siem-ca.pem"
systemctl reload sealfeed
fires SealfeedCertificateExpires
fires SealfeedCertificateExpiresSoon
file=$etc/siem-ca.pem
try SealfeedCertificateExpires "openssl x509 -noout -subject -enddate -in FILE" ||
    fail "$(cat "$work/said")"
shows 'the old one'
metric_is 'sealfeed_certificate_not_after_timestamp_seconds{option="outputs.lake.tls.ca"}' \
    -eq "$(date -d "$(sed -n 's/^notAfter=//p' "$work/said")" +%s)" ||
    fail "the metric is of another certificate: $(cat "$work/said")"
cp "$work/good.pem" "$etc/siem-ca.pem"
try SealfeedCertificateExpires "systemctl reload sealfeed"
calms SealfeedCertificateExpires
calms SealfeedCertificateExpiresSoon

say "SealfeedClockOff"
steer pause # or there were content of the future
steer "clock?offset=1200"
fires SealfeedClockOff
try SealfeedClockOff "sealfeed status" || fail "$(cat "$work/said")"
shows 'clock clock [0-9a-z ]+ the replies of the vendor tell a time'
steer "clock?offset=0"
steer resume
calms SealfeedClockOff

say "SealfeedMetricsOld"
agent_stop
# Ten minutes go by.
sed -i "s/^\(sealfeed_metrics_timestamp_seconds\) .*/\1 $(($(date +%s) - 600))/" \
    "$textfile"
fires SealfeedMetricsOld
try SealfeedMetricsOld "date" || fail "$(cat "$work/said")"
agent_again
calms SealfeedMetricsOld

say "SealfeedRestarts"
for n in 1 2 3; do
	wait_for 30 "start $n is seen" \
	    has_data "changes(sealfeed_start_time_seconds[1h]) >= $n"
	agent_stop
	agent_again
done
fires SealfeedRestarts
try SealfeedRestarts "journalctl -u sealfeed -n 100"
shows 'stopp'
enough
settled lake
verified lake
