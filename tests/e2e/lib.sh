# lib.sh - what every story begins with: . "${0%/*}/lib.sh"
#
# A story is a short script that starts a simulator, receivers and the agent,
# does something to them, and says what must be true in the end:
#
#	. "${0%/*}/lib.sh"
#	sim --events 2000 --rate 500
#	rsyslog siem ossl
#	to_syslog siem
#	agent
#	settled siem
#	verified siem
#
# Everything lives in $work, a folder that goes away with the story, and in
# processes that are killed when it ends.  Exit status 0: passed, 77: skipped,
# any other: failed.  KEEP=1 leaves $work for a look at it.
#
# From the outside: SEALFEED_BUILD, the build tree (default: the source tree);
# SEALFEED_CORPUS, a file of real records; SEALFEED_RECEIVERS, the folder that
# receivers_fetch filled.
# shellcheck shell=bash

set -uo pipefail
export LC_ALL=C
top=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
story=$(basename "$0" .sh)
build=${SEALFEED_BUILD:-$top}
bin=$build/tests/bin
sealfeed=$build/sealfeed
work=$(mktemp -d "${TMPDIR:-/tmp}/sealfeed-$story.XXXXXX") || exit 1
tenant=0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11
client=6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42
patience=${SEALFEED_PATIENCE:-60} # seconds that most waits may take
. "$top/tests/e2e/load.sh"
. "$top/tests/e2e/receivers.sh"
receivers_use "${SEALFEED_RECEIVERS:-$build/tests/var/receivers}" || true

# -- ends ------------------------------------------------------------------

say() {
	echo "$story: $*"
}

fail() {
	say "FAILED: $*"
	exit 1
}

skip() {
	say "skipped: $*"
	exit 77
}

# What a reader of a failed run wants to see.
evidence() {
	local f
	for f in "$work"/*/log "$work"/agent.log; do
		[ -s "$f" ] || continue
		echo "--- ${f#"$work"/} (last lines)"
		tail -n 25 "$f"
	done
	[ -z "${control:-}" ] || {
		echo "--- simulator"
		curl -s "$control/stat" | grep -v ' 0$' | paste -sd' '
	}
	[ ! -s "$store" ] || {
		echo "--- sealfeed status"
		timeout 10 "$sealfeed" status --config "$work/sealfeed.yaml"
	}
}

# sanitizers_silent: a role that a sanitizer ended is started again, and all
# may go well.
sanitizers_silent() {
	! grep -Ea -m 1 -A 60 'ERROR: (Address|Leak)Sanitizer|runtime error: |WARNING: ThreadSanitizer' \
	    "$work/agent.log" 2>/dev/null || {
		say "FAILED: a sanitizer found something"
		false
	}
}

# walls_silent: a system call that a role was refused may do no visible harm.
walls_silent() {
	! grep -Ea -m 3 "tried the system call |agent.sandbox: " \
	    "$work/agent.log" 2>/dev/null || {
		say "FAILED: a role ran against its walls"
		false
	}
}

finish() {
	local status=$? p
	trap - EXIT
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		evidence
	fi
	for p in "$work"/*/pid "$work"/agent.pid; do
		[ -s "$p" ] || continue
		kill -CONT "$(cat "$p")" 2>/dev/null
		kill -TERM "$(cat "$p")" 2>/dev/null
	done
	for p in "$work"/*/pid "$work"/agent.pid; do
		[ -s "$p" ] || continue
		gone "$(cat "$p")" || within 5 gone "$(cat "$p")" ||
		    kill -KILL "$(cat "$p")" 2>/dev/null
	done
	[ "$status" -ne 0 ] || { sanitizers_silent && walls_silent; } || status=1
	ending
	[ -n "${KEEP:-}" ] && say "kept $work" || rm -rf "$work" "$work-collect"
	exit "$status"
}
trap finish EXIT

# The last act of a story, before $work goes away.
ending() {
	:
}
trap 'exit 130' INT TERM

# -- waiting ---------------------------------------------------------------

# nap MS: without a process of its own, of which a story would start thousands.
mkfifo "$work/nap" && exec {nap}<>"$work/nap" || exit 1
nap() {
	local fraction=000$1
	read -r -t "$(($1 / 1000)).${fraction: -3}" -u "$nap"
}

# within SECONDS COMMAND…: try until it succeeds or the time is over, less
# often when it takes long.  Seconds are those of an idle machine (load.sh);
# $took is how many ms went by.
took=0
within() {
	local begin end status=0
	grant
	begin=$granted
	end=$((begin + 1000 * $1))
	shift
	until "$@"; do
		grant
		[ "$granted" -lt "$end" ] || { status=1; break; }
		took=$((granted - begin))
		nap $((took < 2000 ? 100 : took < 10000 ? 250 : 500))
	done
	grant
	took=$((granted - begin))
	return "$status"
}

# wait_for SECONDS WHAT COMMAND…: the same, and fail with WHAT.
wait_for() {
	local seconds=$1 what=$2
	shift 2
	within "$seconds" "$@" >/dev/null 2>&1 ||
	    fail "not within $seconds s: $what"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

alive() {
	kill -0 "$(cat "$work/$1/pid")" 2>/dev/null
}

# -- certificates ----------------------------------------------------------

# authority NAME: a test CA in $work/NAME.pem and .key, which issues the
# certificates from now on.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$work/$1.key" -out "$work/$1.pem" -days 90 \
	    -subj "/CN=sealfeed test authority $1" 2>/dev/null ||
	    fail "openssl made no CA"
	issuer=$1
}

# certificate NAME SUBJECT [EXTENSIONS]: $work/NAME.pem and .key by the
# present authority.
certificate() {
	local name=$1 subject=$2 extensions=${3:-}
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$work/$name.key" -out "$work/$name.csr" \
	    -subj "$subject" 2>/dev/null &&
	    openssl x509 -req -in "$work/$name.csr" -CA "$work/$issuer.pem" \
		-CAkey "$work/$issuer.key" -CAcreateserial -days 90 \
		-extfile <(echo "$extensions") -out "$work/$name.pem" \
		2>/dev/null || fail "openssl made no certificate $name"
}

authority ca
certificate server "/CN=localhost" \
    "subjectAltName=DNS:localhost,IP:127.0.0.1"

# -- the vendor ------------------------------------------------------------

# sim [OPTION…]: start the simulator.  Sets $api and $control.
sim() {
	mkdir -p "$work/sim"
	[ -s "$work/secret" ] || echo "first-secret" >"$work/secret"
	"$bin/simulator" --dir "$work/sim" --cert "$work/server.pem" \
	    --key "$work/server.key" --secret-file "$work/secret" \
	    --tenant "$tenant" --client "$client" "$@" \
	    >>"$work/sim/log" 2>&1 &
	echo $! >"$work/sim/pid"
	wait_for 30 "simulator listens" test -s "$work/sim/port"
	api=https://localhost:$(cat "$work/sim/port")
	control=http://127.0.0.1:$(cat "$work/sim/control")
}

# steer ACTION[?KEY=VALUE&…]: see tests/sim/control.c.
steer() {
	curl -sSf -X POST "$control/${1//%/%25}" >/dev/null ||
	    fail "the simulator refuses: $1"
}

# enough: no more events than were made by now.
enough() {
	steer finish
	wait_for 10 "the simulator ends" stat_is finished = 1
}

# stat NAME: one of the simulator's counters.
stat_of() {
	"$bin/get" "${control##*:}" "/stat?name=$1"
}

stat_is() {
	test "$(stat_of "$1")" "$2" "$3"
}

# -- receivers: each has a folder $work/NAME with port, pid, log, events ----

# run_receiver NAME COMMAND…
run_receiver() {
	local name=$1
	shift
	"$@" >>"$work/$name/log" 2>&1 &
	echo $! >"$work/$name/pid"
	disown # or the shell speaks of it when it is killed
}

# listens NAME: something accepts connections on its port
listens() {
	[ -s "$work/$1/port" ] &&
	    (exec 3<>"/dev/tcp/127.0.0.1/$(cat "$work/$1/port")") 2>/dev/null
}

# rsyslog NAME ossl|gtls|ptcp [AUTH-MODE]: a real rsyslog; again after stop_one it
# gets the same port.
rsyslog() {
	local name=$1 driver=$2
	[ -n "${rsyslogd:-}" ] || skip "rsyslog is not there (tests/run gets it)"
	mkdir -p "$work/$name"
	rsyslog_write_conf "$work/$name" "$driver" "$work/ca.pem" \
	    "$work/server.pem" "$work/server.key" ${3:+"$3"}
	rm -f "$work/$name/rsyslogd.pid"
	run_receiver "$name" rsyslog_exec "$work/$name"
	wait_for 30 "rsyslog $name listens" listens "$name"
}

# terminator NAME KIND BACKEND: haproxy, stunnel or nginx, which ends TLS in
# front of the receiver BACKEND.
terminator() {
	terminator_spec="$2 $3"
	[ -n "$haproxy" ] || skip "$2 is not there (tests/run gets it)"
	run_on_some_port "$1" terminator_start
}

terminator_start() {
	local kind=${terminator_spec% *} backend=${terminator_spec#* }
	"${kind}_write_conf" "$work/$1" "$2" "$(cat "$work/$backend/port")" \
	    "$work/server.pem" "$work/server.key"
	run_receiver "$1" terminator_exec "$kind" "$work/$1"
}

# syslogng NAME [PEER-VERIFY [SSL-OPTIONS]]: a real syslog-ng.
syslogng() {
	syslogng_tls="${2:-optional-untrusted} ${3:-}"
	[ -n "${syslogng:-}" ] ||
	    skip "syslog-ng is not there (tests/run gets it)"
	run_on_some_port "$1" syslogng_start
}

syslogng_start() {
	# shellcheck disable=SC2086 # two words
	syslogng_write_conf "$work/$1" "$2" \
	    "$work/ca.pem" "$work/server.pem" "$work/server.key" $syslogng_tls
	run_receiver "$1" syslogng_exec "$work/$1"
}

# proxy NAME USER PASSWORD: an HTTP proxy for CONNECT.
proxy() {
	[ -n "${tinyproxy:-}" ] ||
	    skip "tinyproxy is not there (tests/run gets it)"
	proxy_login="$2 $3"
	run_on_some_port "$1" proxy_start
}

proxy_start() {
	# shellcheck disable=SC2086 # two words
	tinyproxy_write_conf "$work/$1" "$2" $proxy_login
	run_receiver "$1" "$tinyproxy" -d -c "$work/$1/conf"
}

# run_on_some_port NAME START: for programs that can't tell which port they
# got one is picked here; START NAME PORT runs them.
run_on_some_port() {
	local name=$1 try
	mkdir -p "$work/$name"
	for try in 1 2 3 4 5; do
		[ -s "$work/$name/port" ] ||
		    echo $((20000 + (RANDOM * 32768 + RANDOM) % 12000)) \
			>"$work/$name/port"
		"$2" "$name" "$(cat "$work/$name/port")"
		within 15 eval "listens $name || ! alive $name"
		alive "$name" && listens "$name" && return
		rm "$work/$name/port"
	done
	fail "$name does not listen"
}

# own_receiver PROGRAM NAME [OPTION…]: one of tests/recv.
own_receiver() {
	local program=$1 name=$2
	shift 2
	mkdir -p "$work/$name"
	[ ! -s "$work/$name/port" ] ||
	    set -- "$@" --port "$(cat "$work/$name/port")"
	run_receiver "$name" "$bin/$program" --dir "$work/$name" \
	    --cert "$work/server.pem" --key "$work/server.key" "$@"
	wait_for 30 "receiver $name listens" listens "$name"
}

# receiver NAME [OPTION…]: our HTTPS receiver of NDJSON.
receiver() {
	own_receiver receiver "$@"
}

# odd NAME [OPTION…]: our TLS syslog receiver with bad habits (tests/recv/odd.c).
odd() {
	own_receiver odd "$@"
}

# stop_one NAME [SIGNAL]: until it is gone.
stop_one() {
	local pid
	pid=$(cat "$work/$1/pid")
	kill -"${2:-TERM}" "$pid"
	wait_for 15 "$1 ends" gone "$pid"
	rm "$work/$1/pid"
}

size_of() {
	stat -c %s "$work/$1/events" 2>/dev/null || echo 0
}

larger() {
	[ "$(size_of "$1")" -gt "$2" ]
}

# grows NAME [SECONDS]: until the receiver gets something more.
grows() {
	wait_for "${2:-20}" "something arrives at $1" \
	    larger "$1" "$(size_of "$1")"
}

# -- the agent -------------------------------------------------------------

# What confines the roles has to be there in all stories, and nothing that a role
# does in them may be refused; SEALFEED_SANDBOX=auto is for kernels without it.
sandbox=${SEALFEED_SANDBOX:-required}

# Options of the source, of the agent block, of its watch and of outputs; a story
# may change them.
declare -A source_options=([interval]=250ms [initial]=24h)
agent_options=
watch_options="listen: $work/watch.sock"
store=$work/store.db
seal_log=$work/seal.log
store_options="min_free: 16MiB"
output_tls="{ ca: $work/ca.pem }"
outputs=

# to_syslog NAME [YAML-LINE…]: an output of that name to the receiver of that
# name, or to what stands in front of it.
declare -A front=()
to_syslog() {
	local name=$1 line
	shift
	outputs+="  $name:
    type: syslog
    address: localhost:$(cat "$work/${front[$name]:-$name}/port")
    tls: $output_tls
"
	for line in "$@"; do
		outputs+="    $line"$'\n'
	done
}

# to_http NAME [YAML-LINE…]
to_http() {
	local name=$1 line
	shift
	outputs+="  $name:
    type: http
    url: https://localhost:$(cat "$work/$name/port")/ingest
    tls: $output_tls
"
	for line in "$@"; do
		outputs+="    $line"$'\n'
	done
}

# to_intake NAME TYPE PATH [YAML-LINE…]: to the receiver of that name in
# tests/recv/intake.c, started as intakes; PATH stands behind its name.
to_intake() {
	local name=$1 line
	outputs+="  $name:
    type: $2
    url: https://localhost:$(cat "$work/intakes/port")/$name$3
    tls: $output_tls
"
	shift 3
	for line in "$@"; do
		outputs+="    $line"$'\n'
	done
}

# to_file NAME [YAML-LINE…]: to $work/NAME/events
to_file() {
	local name=$1 line
	shift
	mkdir -p "$work/$name"
	outputs+="  $name:
    type: file
    path: $work/$name/events
"
	for line in "$@"; do
		outputs+="    $line"$'\n'
	done
}

# fresh_store: as on a new machine, which has no log of what was signed either.
fresh_store() {
	rm -rf "$store"* "$seal_log"*
}

# write_config: $work/sealfeed.yaml from what was said so far.
write_config() {
	local key
	[ -s "$work/seal.pem" ] ||
	    "$sealfeed" keygen "$work/seal.pem" --name fra1 |
	    grep -E '^fra1\+[0-9a-f]{8}\+' >"$work/vkey" ||
	    fail "keygen printed no verifier key"
	[ -n "${source_options[client_secret]:-}${source_options[certificate]:-}" ] ||
	    source_options[client_secret]="\${file:$work/secret}"
	{
		cat <<EOF
agent:
  name: fra1
  key: $work/seal.pem
  store: { path: $store, $store_options }
  seal: { log: $seal_log }
  watch: { $watch_options }
  sandbox: $sandbox
$agent_options
sources:
  contoso:
    type: office365
    login_url: $api
    api_url: $api
    tenant: $tenant
    client_id: $client
    tls: { ca: $work/ca.pem }
EOF
		for key in "${!source_options[@]}"; do
			echo "    $key: ${source_options[$key]}"
		done
		echo "outputs:"
		printf '%s' "$outputs"
	} >"$work/sealfeed.yaml"
}

# agent: write the configuration and start.
agent() {
	write_config
	agent_again
}

# agent_again: start with the configuration as it is.
agent_again() {
	"$sealfeed" check "$work/sealfeed.yaml" >>"$work/agent.log" 2>&1 ||
	    fail "sealfeed check: $(tail -n 5 "$work/agent.log")"
	setsid env "${agent_env[@]}" "$sealfeed" run --config "$work/sealfeed.yaml" \
	    >>"$work/agent.log" 2>&1 &
	echo $! >"$work/agent.pid"
}

# agent_stop: SIGTERM; five seconds are promised.
agent_stop() {
	local pid
	pid=$(cat "$work/agent.pid")
	kill -TERM "$pid"
	wait_for "${1:-6}" "the agent stops" gone "$pid"
	rm "$work/agent.pid"
}

# agent_kill: the whole process group, without a word.
agent_kill() {
	local pid
	pid=$(cat "$work/agent.pid")
	kill -KILL -- -"$pid"
	wait_for 5 "the agent is dead" gone "$pid"
	rm "$work/agent.pid"
}

agent_reload() {
	write_config
	kill -HUP "$(cat "$work/agent.pid")"
}

# log_has REGEX: the agent said so.
log_has() {
	grep -Eq -- "$1" "$work/agent.log"
}

# metric 'NAME{LABEL="VALUE"}': its value, nothing when it is not there.
metric() {
	"$bin/get" "$work/watch.sock" /metrics "$1"
}

# metric_is 'NAME{LABEL="VALUE"}' -gt 5: compared without a fraction
metric_is() {
	local v
	v=$(metric "$1")
	[ -n "$v" ] && test "${v%.*}" "$2" "$3"
}

# output_is NAME METRIC -eq N: of sealfeed_output_METRIC
output_is() {
	metric_is "sealfeed_output_$2{output=\"$1\"}" "$3" "$4"
}

# ask SUBCOMMAND…: sealfeed with this story's configuration
ask() {
	local command=$1
	shift
	"$sealfeed" "$command" --config "$work/sealfeed.yaml" "$@"
}

# status_says REGEX: status does, wherever its lines are wrapped.
status_says() {
	ask status | tr -s ' \n' ' ' | grep >/dev/null -E -- "$1"
}

# -- what must be true -----------------------------------------------------

# same NAME: what the receiver holds is what the simulator made available,
# order and repeats aside.
same() {
	[ -s "$work/$1/events" ] &&
	    [ "$("$bin/tally" --received "$work/$1/events")" = \
	    "$(ledger_sums "$1")" ]
}

# The sums of the ledger; bare events ("envelope: none") have no feed.
bare_receivers=
ledger_sums() {
	case " $bare_receivers " in
	*" $1 "*)
		cat "$work"/sim/ledger/[AD]* >"$work/bare-ledger"
		"$bin/tally" --received "$work/bare-ledger"
		;;
	*)
		"$bin/tally" --ledger "$work/sim/ledger"
		;;
	esac
}

# settled NAME…: the simulator has made all that it was asked for, and every
# receiver gets exactly that, byte for byte.
settled() {
	local name
	wait_for "$patience" "simulator makes all events" stat_is finished = 1
	for name in "$@"; do
		within "$patience" same "$name" 2>/dev/null || {
			difference "$name"
			fail "$name differs from the simulator's ledger"
		}
	done
	for name in "$@"; do
		exact "$name"
	done
}

# keeps_up NAME…: it holds all that was made up to now, soon
keeps_up() {
	local name want
	want=$(stat_of made)
	for name in "$@"; do
		wait_for 20 "$name holds the $want events made" \
		    holds "$name" "$want"
	done
}

# holds NAME N: at least N events of the ledger, repeats aside
holds() {
	[ "$("$bin/tally" --received "$work/$1/events" |
	    awk '{ n += $2 } END { print n + 0 }')" -ge "$2" ]
}

# exact NAME: the same by sort and cmp, without sums.
exact() {
	case " $bare_receivers " in
	*" $1 "*) return ;;
	esac
	[ ! -e "$work/sim/ledger/synthetic" ] || return 0
	"$bin/tally" --lines --ledger "$work/sim/ledger" | sort >"$work/want"
	"$bin/tally" --lines --received "$work/$1/events" | sort >"$work/have"
	cmp -s "$work/want" "$work/have" || {
		difference "$1"
		fail "$1 differs from the simulator's ledger"
	}
	say "$1 holds exactly the $(wc -l <"$work/want") events of the ledger"
}

difference() {
	"$bin/tally" --lines --ledger "$work/sim/ledger" | sort >"$work/want"
	"$bin/tally" --lines --received "$work/$1/events" | sort >"$work/have"
	say "$1: $(comm -23 "$work/want" "$work/have" | wc -l) missing, $(comm -13 \
	    "$work/want" "$work/have" | wc -l) too many, of $(wc -l <"$work/want")"
	comm -23 "$work/want" "$work/have" | cut -c1-200 | head -n 2 |
	    sed 's/^/missing: /'
	comm -13 "$work/want" "$work/have" | cut -c1-200 | head -n 2 |
	    sed 's/^/too many: /'
}

# repeats NAME: how many events arrived there more than once
repeats() {
	"$bin/tally" --repeats --received "$work/$1/events"
}

no_repeats() {
	local name n
	for name in "$@"; do
		n=$(repeats "$name")
		[ "$n" -eq 0 ] || fail "$n events arrived twice at $name"
	done
}

# verified NAME…: `sealfeed verify` finds nothing wrong in the file.
verified() {
	local name
	for name in "$@"; do
		wait_for 30 "verify is content with $name" "$sealfeed" verify \
		    --key "$work/vkey" "$work/$name/events"
	done
}

[ -x "$bin/simulator" ] && [ -x "$bin/tally" ] && [ -x "$bin/receiver" ] ||
    fail "build first: make check TESTS="
[ -x "$sealfeed" ] || fail "$sealfeed is not there: build first"
