#!/bin/bash
# What is no more than a blip does not block, and what stands between is not
# the receiver: three refusals in a row, of credentials or of a path, are got
# over without a word while the other requests end.  A firewall's
# page under 200 is no receipt: the output is blocked, with the page's title,
# nothing becomes a dead letter, and it recovers by itself.
. "${0%/*}/lib.sh"

sim --events 3000 --rate 1000 --blob 20-40
receiver lake
receiver waf
echo "401=#1,403=#1,404=#1" >"$work/lake/faults"
echo "page=100%" >"$work/waf/faults"
to_http lake "max_body: 16KiB"
to_http waf "max_body: 16KiB"
agent
settled lake
[ "$(grep -c '^40[134] ' "$work/lake/requests")" -eq 3 ] ||
    fail "not all refusals came: $(sort "$work/lake/requests" | uniq -c)"
log_has 'ship lake: ' && fail "a blip is spoken of: $(grep 'ship lake: ' "$work/agent.log")"
no_repeats lake
verified lake

blocked='ship waf: blocked: .*answers 200 with a web page, "Request Rejected"'
wait_for 20 "waf is blocked" log_has "$blocked"
wait_for 10 "status says so" \
    status_says 'error for .*: .*a web page, "Request Rejected"'
output_is waf events_total -eq 0 || fail "a page counts as a receipt"
output_is waf dead_letters -eq 0 || fail "dead letters: $(ask dead-letters)"
[ "$(size_of waf)" -eq 0 ] || fail "the firewall stores"
ask check --live >"$work/check" 2>&1 && fail "check --live finds nothing"
grep -q '^outputs.waf: .*"Request Rejected"' "$work/check" ||
    fail "check --live does not say so: $(cat "$work/check")"
rm "$work/waf/faults"
wait_for 40 "waf recovers by itself" log_has 'ship waf: delivery resumes'
settled waf
verified waf
