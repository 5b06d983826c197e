#!/bin/bash
# systemd's side: readiness is announced once the roles work, keep-alives
# follow, a role that is killed comes back alone, and a stop is announced and
# takes less than five seconds.
. "${0%/*}/lib.sh"

role() {
	pgrep -g "$(cat "$work/agent.pid")" -x "$1"
}

announced() {
	grep -aq "$1" "$work/notified"
}

command -v socat >/dev/null || skip "socat is not there (tests/run gets it)"
mkdir "$work/notify"
socat -u "UNIX-RECV:$work/notify.sock" "OPEN:$work/notified,creat,append" &
echo $! >"$work/notify/pid"
wait_for 10 "the socket of the service manager" test -S "$work/notify.sock"
export NOTIFY_SOCKET=$work/notify.sock WATCHDOG_USEC=2000000
sim --events 2000 --rate 300
to_file archive
agent
wait_for 20 "READY=1" announced READY=1
wait_for 20 "WATCHDOG=1" announced WATCHDOG=1
for name in collect seal "ship archive" watch; do
	before=$(role "sf-$name") || fail "no process of $name"
	others=$(pgrep -g "$(cat "$work/agent.pid")" | grep -vx "$before")
	kill -KILL "$before"
	wait_for 20 "$name comes back" eval \
	    "p=\$(role 'sf-$name') && [ \"\$p\" != $before ]"
	for p in $others; do
		gone "$p" && fail "$name took others along"
	done
done
log_has 'collect: killed by signal 9 .*restarting in' ||
    fail "the log does not say that collect was killed"
settled archive
verified archive
agent_stop
[ "$took" -lt 5000 ] || fail "the stop took $took ms"
announced STOPPING=1 || fail "no STOPPING=1"
