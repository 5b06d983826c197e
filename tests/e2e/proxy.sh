#!/bin/bash
# Vendor and HTTP receiver are reached through a proxy that wants a password.
# A wrong one is named by check --live, log and status; the right one, put
# into its file, is taken up by the running agent.
. "${0%/*}/lib.sh"

sim --events 1000 --rate 500
receiver lake
proxy gate clerk s3same
url=127.0.0.1:$(cat "$work/gate/port")
echo "http://clerk:wr0ng@$url" >"$work/proxy-url"
source_options[proxy]="\${file:$work/proxy-url}"
to_http lake "proxy: \"\${file:$work/proxy-url}\""
to_file archive
agent
hint="proxy rejects the user and password"
wait_for 20 "the log names the remedy for the source" \
    log_has "collect: .*CONNECT.*$hint"
wait_for 20 "the log names the remedy for the output" \
    log_has "ship lake: blocked: .*CONNECT.*$hint"
ask check --live >"$work/check" 2>&1 && fail "check --live finds nothing"
for part in sources.contoso outputs.lake; do
	grep -q "^$part: .*CONNECT.*$hint" "$work/check" ||
	    fail "check --live is not clear: $(cat "$work/check")"
done
ask status | tr -s ' \n' ' ' | grep >/dev/null "$hint" || fail "status: $(ask status)"
echo "http://clerk:s3same@$url" >"$work/proxy-url"
settled lake archive
no_repeats lake
verified lake archive
ask check --live >>"$work/check" || fail "check --live still finds faults"
for port in "$(cat "$work/sim/port")" "$(cat "$work/lake/port")"; do
	grep -q "CONNECT localhost:$port" "$work/gate/log" ||
	    fail "not through the proxy: port $port"
done
! grep -q "s3same\|wr0ng" "$work/agent.log" "$work/check" ||
    fail "the password is in the log"
