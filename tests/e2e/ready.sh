#!/bin/bash
# READY=1 waits for every role: for the key, for the files of an output, for
# watch's address; the ones that are waited for are named, STATUS= has the
# verdict; a reload is over when all are ready again.
. "${0%/*}/lib.sh"

heard() {
	grep -aEq -- "^$1" "$work/systemd/log"
}

# waits NAMES REGEX: not ready, and the line says for what
waits() {
	wait_for 30 "STATUS= names $1" heard "STATUS=$2"
	! heard READY=1 || fail "ready without $1"
}

begin() {
	: >"$work/systemd/log"
	agent_again
}

sim --events 100 --rate 100
receiver lake
to_http lake
mkdir "$work/systemd"
export NOTIFY_SOCKET=$work/systemd/socket WATCHDOG_USEC=2000000
run_receiver systemd "$bin/notified" "$NOTIFY_SOCKET"
wait_for 10 "the socket is there" test -S "$NOTIFY_SOCKET"
write_config

mv "$work/seal.pem" "$work/away"
begin
waits "the key" 'seal stands still for .*seal\.pem'
mv "$work/away" "$work/seal.pem"
wait_for 20 "READY=1" heard READY=1
wait_for 20 "all is well" heard 'STATUS=running, all well'
agent_stop

cp "$work/ca.pem" "$work/siem.pem"
sed -i '/^outputs:/,$ s,ca\.pem,siem.pem,' "$work/sealfeed.yaml"
mv "$work/siem.pem" "$work/away"
begin
waits "the output's CA" 'lake blocked for .*siem\.pem'
mv "$work/away" "$work/siem.pem"
kill -USR1 "$(cat "$work/agent.pid")"
wait_for 20 "READY=1" heard READY=1
agent_stop

# Somebody else has watch's address.
sed -i "s,listen: .*/watch.sock,listen: \"127.0.0.1:$(cat "$work/sim/control")\"," \
    "$work/sealfeed.yaml"
begin
waits "watch" 'waiting for watch'
wait_for 60 "the log names it" log_has 'not ready after 10 s.*: watch;'
ask status | sed -n 1p | grep >/dev/null '^watch is down for .*: its process exited' ||
    fail "status: $(ask status)"
agent_stop

write_config
begin
wait_for 20 "READY=1" heard READY=1
: >"$work/systemd/log"
mv "$work/seal.pem" "$work/away"
sed -i 's/^agent:/&\n  retain: 25h/' "$work/sealfeed.yaml"
kill -HUP "$(cat "$work/agent.pid")"
wait_for 20 "the key is missed" heard 'STATUS=seal stands still'
heard RELOADING=1 && ! heard READY=1 || fail "the reload is over without a key"
mv "$work/away" "$work/seal.pem"
wait_for 20 "READY=1" heard READY=1
settled lake
agent_stop
verified lake
