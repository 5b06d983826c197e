#!/bin/bash
# The rules for Prometheus: each fires when it has to and not before
# (tests/alerts), has a severity, a summary and a description, and leads to its
# paragraph in the manual, and no paragraph is without its rule.  Each has a
# story that makes the trouble, and what the paragraph says ends it
# (tests/style/commands.sh holds that its commands are those of the paragraph).
. "${0%/*}/lib.sh"

rules=$top/packaging/prometheus/sealfeed.rules.yaml
manual=$top/docs/operations.md

alerts=$(sed -n 's/^ *- alert: //p' "$rules")
[ "$(wc -l <<<"$alerts")" -ge 20 ] || fail "there are too few rules: $alerts"
paragraphs=$(sed -n '/^## Alerts/,/^## [^A]/s/^### //p' "$manual")
diff <(sort <<<"$alerts") <(sort <<<"$paragraphs") >"$work/difference" ||
    fail "rules (<) and paragraphs (>): $(cat "$work/difference")"
# These look back: they end an hour or a day later.
by_time="SealfeedRestarts SealfeedRoleRestarts SealfeedGap SealfeedLogLinesDropped SealfeedMissing"
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
	stories=$(grep -l "fires $alert\>" "$top"/tests/e2e/*.sh) ||
	    fail "$alert: no story makes the trouble"
	case " $by_time " in
	*" $alert "*) continue ;;
	esac
	# shellcheck disable=SC2086 # names without blanks
	grep -q "calms $alert\>" $stories || fail "$alert: no story sees it end"
done

[ -n "${promtool:-}" ] || skip "promtool is not there (tests/run gets it)"
said=$("$promtool" check rules "$rules" 2>&1) || fail "$said"
for file in rules silence; do
	said=$("$promtool" test rules "$top/tests/alerts/$file.yaml" 2>&1) ||
	    fail "$file: $said"
done
say "$(wc -l <<<"$alerts") alerts fire when they have to"
