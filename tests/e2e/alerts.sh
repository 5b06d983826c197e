#!/bin/bash
# The rules for Prometheus: each fires when it has to and not before
# (tests/alerts), has a severity, a summary and a description, and leads to its
# paragraph in the manual, and no paragraph is without its rule.
. "${0%/*}/lib.sh"

rules=$top/packaging/prometheus/sealfeed.rules.yaml
manual=$top/docs/operations.md

alerts=$(sed -n 's/^ *- alert: //p' "$rules")
[ "$(wc -l <<<"$alerts")" -ge 20 ] || fail "there are too few rules: $alerts"
paragraphs=$(sed -n '/^## Alerts/,/^## [^A]/s/^### //p' "$manual")
diff <(sort <<<"$alerts") <(sort <<<"$paragraphs") >"$work/difference" ||
    fail "rules (<) and paragraphs (>): $(cat "$work/difference")"
for alert in $alerts; do
	rule=$(sed -n "/- alert: $alert\$/,/^ *runbook_url:/p" "$rules")
	for part in 'expr: .' 'severity: \(critical\|warning\) ' \
	    'summary: ".*[a-z]' 'description: ".*[a-z]' \
	    "runbook_url: file:///usr/share/doc/sealfeed/operations.md#${alert,,}\$"; do
		grep -q -- "$part" <<<"$rule" || fail "$alert has no $part"
	done
	grep -q "alertname: $alert\$" "$top"/tests/alerts/*.yaml &&
	    grep -A 2 "alertname: $alert\$" "$top"/tests/alerts/*.yaml |
	    grep >/dev/null exp_alerts || fail "$alert: nothing shows that it fires"
done

[ -n "${promtool:-}" ] || skip "promtool is not there (tests/run gets it)"
said=$("$promtool" check rules "$rules" 2>&1) || fail "$said"
for file in rules silence; do
	said=$("$promtool" test rules "$top/tests/alerts/$file.yaml" 2>&1) ||
	    fail "$file: $said"
done
say "$(wc -l <<<"$alerts") alerts fire when they have to"
