#!/bin/bash
# status answers the question in its first line, whatever happens: never
# started, starting, well, an output that is down, a key that cannot be read,
# stopped, killed.  --check, --json, /readyz and /healthz tell
# the same, in no more than 80 columns.
. "${0%/*}/lib.sh"

first() {
	{ ask status 2>/dev/null || true; } | sed -n 1p
}

# line REGEX: the first line is that
line() {
	first | grep >/dev/null -E -- "^$1"
}

# check CODE REGEX [OPTION…]: as a monitoring plugin
check() {
	local code=$1 regex=$2 got
	shift 2
	ask status --check "$@" >"$work/check"
	got=$?
	[ "$got" -eq "$code" ] && [ "$(wc -l <"$work/check")" -eq 1 ] &&
	    grep -Eq -- "^SEALFEED $regex.* \| 'lag'=" "$work/check"
}

page() {
	curl -s -o "$work/page" -w '%{http_code}' \
	    --unix-socket "$work/watch.sock" "http://localhost$1"
}

# ready STATUS REGEX, healthy STATUS
ready() {
	[ "$(page /readyz)" = "$1" ] && grep -Eq -- "^$2" "$work/page"
}

healthy() {
	[ "$(page /healthz)" = "$1" ]
}

role() {
	pgrep -g "$(cat "$work/agent.pid")" -x "sf-$1"
}

# narrow [COLUMNS]: no line is wider, so that no figure is cut on a screen
narrow() {
	COLUMNS=${1:-80} ask status |
	    awk -v most="${1:-80}" 'length($0) > most { print; bad = 1 } END { exit bad }'
}

sim --events 100000 --rate 50
receiver lake
to_http lake
to_file archive-of-all-that-was-sent
write_config
line 'never started' || fail "no store yet: $(first)"
check 2 'CRITICAL - never started' || fail "$(cat "$work/check")"
ask status --json >"$work/json" 2>/dev/null
grep -q '"level":"CRITICAL","text":"never started' "$work/json" ||
    fail "no verdict without a store"

agent_again
wait_for 60 "all is well" line 'running, all well$'
check 0 'OK - running, all well' || fail "$(cat "$work/check")"
check 1 'WARNING' --warning backlog=0 || fail "$(cat "$work/check")"
check 2 'CRITICAL' --critical lag=0,delay=none || fail "$(cat "$work/check")"
wait_for 20 "ready" ready 200 'running, all well$'
healthy 200 || fail "/healthz: $(cat "$work/page")"
ask status --json | grep >/dev/null '"works":true,"alive":true,"remarks":\[\]}' ||
    fail "$(ask status --json)"
ask status --check --warning lag=soon >"$work/check"
[ $? -eq 3 ] || fail "a bad limit is no UNKNOWN"
narrow || fail "wider than 80 columns"
narrow 60 >"$work/wide" || fail "wider than 60 columns: $(cat "$work/wide")"
ask status | grep >/dev/null -E '[0-9]/s collected$' || fail "no rate"
[ "$(COLUMNS=60 ask status | sed -n 1p)" = "running, all well" ] || fail "COLUMNS"
ask status --color always | sed -n 1p | grep >/dev/null $'\033\[32mrunning' || fail "no colours"
! ask status | grep >/dev/null $'\033' || fail "colours in a pipe"

stop_one lake
wait_for 60 "status says what is blocked" line 'lake blocked for [0-9]+ s.*: '
check 1 'WARNING - lake blocked for' || fail "$(cat "$work/check")"
narrow || fail "wider than 80 columns"
receiver lake
wait_for 60 "well again" line 'running, all well$'

chmod 0 "$work/seal.pem"
[ "$(id -u)" -ne 0 ] || mv "$work/seal.pem" "$work/seal.away"
kill -KILL "$(role seal)"
wait_for 30 "the key is missed" line 'seal stands still for [0-9]+ s.*: .*seal\.pem'
wait_for 10 "not ready" ready 503 'seal stands still'
check 2 'CRITICAL - seal stands still' || fail "$(cat "$work/check")"
[ "$(id -u)" -ne 0 ] || mv "$work/seal.away" "$work/seal.pem"
chmod 600 "$work/seal.pem"
wait_for 60 "well again" line 'running, all well$'

# The store by another name, beside which its WAL is not.
mkdir "$work/again"
ln "$store" "$work/again/store.db"
sed "s|$store|$work/again/store.db|" "$work/sealfeed.yaml" >"$work/again.yaml"
for command in gaps dead-letters; do
	"$sealfeed" $command --config "$work/again.yaml" >"$work/said" 2>&1 &&
	    fail "$command reads the store by another name"
	grep -q 'a hard link to the store of an agent that runs' "$work/said" ||
	    fail "$command: $(cat "$work/said")"
done
"$sealfeed" status --config "$work/again.yaml" >"$work/said" 2>&1
tr -s ' \n' ' ' <"$work/said" | grep >/dev/null 'a hard link to the store' ||
    fail "status: $(cat "$work/said")"
[ ! -e "$work/again/store.db-wal" ] || fail "a second WAL"
rm -r "$work/again"

agent_stop
line 'stopped [0-9]+ s ago' || fail "stopped: $(first)"
check 2 'CRITICAL - stopped' || fail "$(cat "$work/check")"
ask status --json | grep >/dev/null '"running":false' || fail "it is said to run"
agent_again
wait_for 60 "well again" line 'running, all well$'
agent_kill
line 'not running, its last sign of life was [0-9]+ s ago' || fail "killed: $(first)"
