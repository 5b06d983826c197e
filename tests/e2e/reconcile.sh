#!/bin/bash
# Reconciliation: what the feeds never deliver is found by the audit log queries
# of Microsoft Graph, forwarded with its mark, and accounted for hour by hour;
# whatever the queries do, and whoever is killed while they run.
. "${0%/*}/lib.sh"
. "${0%/*}/runbook.sh"

perl -MJSON::PP -e 1 2>/dev/null || skip "perl has no JSON::PP"
sim --subscribed --backlog 400 --backlog-span 7200 --events 400 --page 40
for type in Audit.Exchange Audit.SharePoint DLP.All; do
	steer "make?type=$type&events=3&age=7200&hold=1000000"
done
steer "graph?denied=1&hidden=5"
source_options[initial]=5h
source_options[interval]=1s
source_options[graph_url]=$api
source_options[reconcile]="{ every: 1s, settle: 1s }"
receiver lake
to_http lake
to_file other
agent

# json EXPRESSION [SOURCE]: true of $o, what reconcile says of the last six hours
json() {
	ask reconcile --source "${2:-contoso}" --from 6h --json >"$work/out" 2>&1
	perl -MJSON::PP -0777 -e '
		my $o = decode_json(<STDIN>)->{sources}[0];
		my %sum;
		for my $h (@{$o->{hours}}) {
			$sum{$_} += $h->{$_} // 0 for qw(listed collected sealed confirmed missing only_in_feed);
			$sum{"is $h->{state}"}++;
			$sum{lake} += $h->{delivered}{lake};
		}
		exit(('"$1"') ? 0 : 1)' <"$work/out"
}
marked() {
	grep -c '"via":"audit-query","event":' "$work/other/events"
}

say "a permission is missing: that is told once, and holds up nothing"
wait_for 20 "it is told" log_has 'reconcile: .*AuditLogsQuery.Read.All'
wait_for 30 "the feeds go on" holds lake 400
[ -z "${prometheus:-}" ] || watched
[ "$(grep -c 'reconcile: .*AuditLogsQuery.Read.All' "$work/agent.log")" -eq 1 ] ||
    fail "it was told more than once"
metric_is 'sealfeed_feed_failing{feed="contoso/Audit.Exchange"}' -eq 0 ||
    fail "a feed fails"

say "queries run when the agent is killed, and are gone on with"
steer "graph?denied=0&time=6&throttled=1"
wait_for 60 "queries are made" stat_is queries -ge 5
agent_kill
before=$(stat_of queries)
agent_again
found() {
	[ "$(marked)" -ge 9 ]
}
wait_for 60 "what the feeds withhold arrives" found
ended() {
	[ "$(grep -c '"type":"reconcile".*"state":"\(confirmed\|missing\)"' "$work/other/events")" -ge "$before" ]
}
wait_for 30 "all spans end" ended
settled lake
verified lake
[ "$(marked)" -eq 9 ] || fail "$(marked) events are marked"
[ "$(stat_of queries)" -eq "$before" ] || fail "a query was made twice"

say "the hours add up"
json '$sum{missing} == 9 && @{$o->{missing}} == 9 && $sum{only_in_feed} == 5' ||
    fail "$(cat "$work/out")"
ask reconcile --source contoso --from 2h >"$work/out" 2>&1
grep -Eq '^HOUR +LISTED +COLLECTED +SEALED +DELIVERED +CONFIRMED +MISSING +ONLY$' \
    "$work/out" || fail "no table: $(cat "$work/out")"
if [ -n "${prometheus:-}" ]; then
	fires SealfeedMissing
	try SealfeedMissing "sealfeed reconcile --from 24h"
	shows 'missing: contoso/DLP.All '
fi
"$sealfeed" status --config "$work/sealfeed.yaml" >"$work/out"
grep -q 'reconciled up to' "$work/out" || fail "status: $(cat "$work/out")"
metric_is 'sealfeed_feed_missing_total{feed="contoso/DLP.All"}' -eq 3 ||
    fail "the metric has $(metric 'sealfeed_feed_missing_total{feed="contoso/DLP.All"}')"

say "queries that fail, or have too much, and pages that lead elsewhere"
agent_stop
fresh_store
rm "$work"/other/events
stop_one lake
rm "$work"/lake/events
receiver lake
steer "graph?time=0&failing=2&limit=100&foreign=1&throttled=1"
source_options[reconcile]="{ every: 1s, settle: 1s, queries: 1000 }"
# And an Okta and a Box whose cursors leave out two events of twelve, and a Jira
# that counts them.
mkdir -p "$work/okta"
run_receiver okta python3 "$top/tests/e2e/okta.py" "$work/okta/port"
wait_for 30 "okta listens" test -s "$work/okta/port"
write_config
hosts="hosts: { api: \"http://127.0.0.1:$(cat "$work/okta/port")\" }"
every="reconcile: { every: 1s, settle: 1s }"
sed -i "s|^sources:|&\n  acme: { type: okta, domain: acme.okta.com, token: t0ken, initial: 5h, interval: 4s, $hosts, $every }\n  boxed: { type: box, enterprise: \"1\", client_id: me, client_secret: s3cret, initial: 5h, interval: 4s, $hosts, $every }\n  tickets: { type: jira, site: acme.atlassian.net, email: a@acme.example, token: t0ken, initial: 5h, interval: 4s, $hosts }|" \
    "$work/sealfeed.yaml"
agent_again
wait_for 60 "what the feeds withhold arrives again" found
all_known() {
	json '$sum{missing} == 9 && $sum{confirmed} + $sum{missing} + $sum{only_in_feed} == $sum{listed}
		&& !grep { $_->{collected} && $_->{state} !~ /^(confirmed|later)$/ } @{$o->{hours}}'
}
wait_for 60 "the hours add up" all_known
# left_out FEED: two of its events came by a query, and reconcile names one
left_out() {
	[ "$(grep -c "\"feed\":\"$1\".*\"via\":\"query\",\"event\":" "$work/other/events")" -eq 2 ] &&
	    ask reconcile --source "${1%/*}" --from 6h >"$work/out"
	grep -Eq "^missing: $1 [^ ]* e-7\$" "$work/out"
}
for feed in acme/system-log boxed/events; do
	wait_for 30 "what the cursor of $feed leaves out arrives" left_out "$feed"
	[ "$(grep -c "\"feed\":\"$feed\",\"index\":[0-9]*," "$work/other/events")" -eq 12 ] ||
	    fail "not twelve events of $feed"
done
counted() {
	json '$sum{collected} == 12 && $sum{confirmed} >= 12 &&
		!grep { $_->{collected} && $_->{state} ne "confirmed" } @{$o->{hours}}' tickets &&
	    grep '"type":"reconcile".*"state":"unconfirmed".*"source":"tickets/audit"' "$work/other/events"
}
wait_for 30 "hours are confirmed by Jira's own count, where it is right" counted
stat_is foreign = 0 || fail "a foreign page was followed"
[ "$(stat_of queries)" -gt $((2 * before + 2)) ] || fail "nothing was halved"
