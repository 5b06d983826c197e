# runbook.sh - for stories about alerts: a real Prometheus sees that an alert's
# expression is true, the commands of its paragraph in docs/operations.md show
# the cause, and what it says ends it.  Sourced behind lib.sh.
#
#	. "${0%/*}/runbook.sh"
#	watched
#	fires SealfeedGap
#	try SealfeedGap "sealfeed gaps"
#	shows 'expired at the vendor'
#	calms SealfeedGap
#
# A story that has an exporter (run_on_some_port exporter …) before that lets it
# show the file of metrics.
# The service manager is played, and so is its journal, which is the agent's
# log.
# shellcheck shell=bash

manual=$top/docs/operations.md
rules=$top/packaging/prometheus/sealfeed.rules.yaml

# -- the alert ---------------------------------------------------------------

# The agent listens on a socket in $work, and nothing else has its port.
bridge_start() {
	run_receiver "$1" socat "TCP-LISTEN:$2,bind=127.0.0.1,reuseaddr,fork" \
	    "UNIX-CONNECT:$work/watch.sock"
}

# past: OpenMetrics of the weeks before, from a story that has some; $1 is
# the instance.
past() {
	:
}

prometheus_start() {
	local instance
	instance=127.0.0.1:$(cat "$work/bridge/port")
	cat >"$work/$1/conf.yaml" <<-END
		global: { scrape_interval: 1s, evaluation_interval: 1s }
		rule_files: [ $rules ]
		scrape_configs:
		  - job_name: sealfeed
		    static_configs: [ { targets: [ "$instance" ] } ]
	END
	[ ! -s "$work/exporter/port" ] || cat >>"$work/$1/conf.yaml" <<-END
		  - job_name: node
		    static_configs:
		      - targets: [ "127.0.0.1:$(cat "$work/exporter/port")" ]
		    metric_relabel_configs:
		      - { source_labels: [ __name__ ], action: keep,
			regex: sealfeed_metrics_timestamp_seconds }
	END
	past "$instance" >"$work/$1/history"
	[ ! -s "$work/$1/history" ] ||
	    "$promtool" tsdb create-blocks-from openmetrics "$work/$1/history" \
		"$work/$1/data" >"$work/$1/log" 2>&1 ||
	    fail "promtool takes no history: $(cat "$work/$1/log")"
	run_receiver "$1" "$prometheus" --config.file="$work/$1/conf.yaml" \
	    --storage.tsdb.path="$work/$1/data" --log.level=warn \
	    --web.listen-address="127.0.0.1:$2"
}

# watched: Prometheus scrapes the agent, which runs.
watched() {
	local need
	[ -n "${prometheus:-}" ] ||
	    skip "Prometheus is not there (tests/run gets it)"
	for need in jq socat; do
		command -v "$need" >/dev/null ||
		    skip "$need is not there (tests/run gets it)"
	done
	run_on_some_port bridge bridge_start
	run_on_some_port prometheus prometheus_start
	wait_for 30 "Prometheus scrapes the agent" has_data 'up == 1'
}

prometheus_api() {
	command curl -s \
	    "http://127.0.0.1:$(cat "$work/prometheus/port")/api/v1/$1" "${@:2}"
}

# answer EXPRESSION: how many samples it gives, or what is wrong with it
answer() {
	prometheus_api query --data-urlencode "query=$1" |
	    jq -r 'if .status == "success" then .data.result | length
		else .error end'
}

has_data() {
	local n
	n=$(answer "$1")
	[ "$n" -gt 0 ] 2>/dev/null
}

has_none() {
	[ "$(answer "$1")" = 0 ]
}

# expression ALERT [SED]: as it stands in the rules, with what they record
# calculated now.  SED shortens a time, or a size, that a story can't wait for.
expression() {
	prometheus_api rules | jq -r --arg name "$1" '
	    [.data.groups[].rules[]] as $all |
	    reduce ($all[] | select(.type == "recording")) as $r
		(($all[] | select(.name == $name) | .query);
		split($r.name) | join("(" + $r.query + ")"))' |
	    sed "${2:-}"
}

# fires ALERT [SED]: its expression becomes true.  (For how long it has to be
# true is for tests/alerts.)
fires() {
	local expr
	expr=$(expression "$@")
	[ -n "$expr" ] || fail "there is no rule $1"
	wait_for 30 "$1 fires: $expr" has_data "$expr"
}

# calms ALERT [SED]: what was done has helped.
calms() {
	local expr
	expr=$(expression "$@")
	[ -n "$expr" ] || fail "there is no rule $1"
	wait_for 60 "$1 ends: $expr" has_none "$expr"
}

# -- its paragraph -------------------------------------------------------------

# try ALERT COMMAND: which stands in its paragraph; what it says is in
# $work/said, its status is the command's.  FILE and ID in it are the story's
# $file and $id.
try() {
	awk -v alert="### $1" '/^#/ { here = $0 == alert } here' "$manual" |
	    tr '\n' ' ' | grep >/dev/null -F "\`$2\`" ||
	    fail "the paragraph of $1 does not have \"$2\""
	eval "$(sed "s,/var/lib/sealfeed,${store%/*},g; s,FILE,${file:-},g
	    s,\<ID\>,${id:-},g" <<<"$2")" >"$work/said" 2>&1
}

# shows REGEX
shows() {
	tr -s ' \n' ' ' <"$work/said" | grep >/dev/null -E -- "$1" ||
	    fail "no \"$1\" in: $(cat "$work/said")"
}

sealfeed() {
	case $1 in
	keygen | verify) "$sealfeed" "$@" ;;
	*) ask "$@" ;;
	esac
}

systemctl() {
	case "$*" in
	"start sealfeed" | "enable --now sealfeed") agent_again ;;
	"stop sealfeed" | "disable --now sealfeed") agent_stop ;;
	"reload sealfeed") kill -HUP "$(cat "$work/agent.pid")" ;;
	*) fail "systemctl $*" ;;
	esac
}

# journalctl -u sealfeed [-n LINES] [-p err] [-g REGEX]
journalctl() {
	local last=100000 level=9 regex=.
	[ "$1 $2" = "-u sealfeed" ] || fail "journalctl $*"
	shift 2
	while [ $# -gt 0 ]; do
		case "$1 $2" in
		"-n "*) last=$2 ;;
		"-p err") level=3 ;;
		"-g "*) regex=$2 ;;
		*) fail "journalctl $*" ;;
		esac
		shift 2
	done
	grep -E "^<[0-$level]>.*$regex" "$work/agent.log" | tail -n "$last"
}

curl() {
	[ "$*" != "-s http://127.0.0.1:9469/healthz" ] ||
	    set -- -s --unix-socket "$work/watch.sock" http://localhost/healthz
	command curl "$@"
}
