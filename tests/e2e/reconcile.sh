#!/bin/bash
# Reconciliation: what the feeds never deliver is found by the audit log queries
# of Microsoft Graph, forwarded with its mark, and accounted for hour by hour;
# whatever the queries do, and whoever is killed while they run.
. "${0%/*}/lib.sh"

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

# json EXPRESSION: true of $o, what reconcile says of the last six hours
json() {
	ask reconcile --source contoso --from 6h --json >"$work/out" 2>&1
	perl -MJSON::PP -0777 -e '
		my $o = decode_json(<STDIN>)->{sources}[0];
		my %sum;
		for my $h (@{$o->{hours}}) {
			$sum{$_} += $h->{$_} // 0 for qw(listed collected sealed confirmed missing only_in_feed);
			$sum{$h->{state}}++;
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
