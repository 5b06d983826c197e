#!/bin/bash
# An HTTP receiver that refuses: the token at first (401, until the right one
# is in its file and SIGHUP comes), then bodies that are too large (413), one
# record (400, found by bisection, the only dead letter), and some replies are
# lost.  In the end it refuses every event: a few become dead letters, the
# others are kept until it takes them again.
. "${0%/*}/lib.sh"

sim --events 2000 --rate 500 --blob 20-40
receiver lake --authorization "Bearer right" --max-body 40000 \
    --bad 'contoso/Audit.Exchange","index":77,"agent"'
receiver twin
echo wrong >"$work/token"
to_http lake "bearer: \"\${file:$work/token}\"" "compress: false" \
    "max_body: 64KiB"
to_http twin
agent
retries='sealfeed_output_retries_total{output="lake"}'
wait_for 20 "lake is blocked" log_has 'ship lake: blocked: .*401.*bearer'
ask check --live >"$work/check" 2>&1 && fail "check --live finds nothing"
grep -q '^outputs.lake: .*401.*check .*bearer' "$work/check" ||
    fail "check --live does not say so: $(cat "$work/check")"
wait_for 20 "a second try" metric_is "$retries" -ge 2
echo right >"$work/token"
agent_reload
wait_for 4 "the right token is used at once" \
    log_has "ship lake: delivery resumes"
echo "lost-reply=5%" >"$work/lake/faults"
settled twin
wait_for 40 "lake's backlog is sent" output_is lake backlog_events -eq 0
ask dead-letters >"$work/letters"
grep -Eq '^ *1 +lake +contoso/Audit.Exchange +77 ' "$work/letters" &&
    output_is lake dead_letters -eq 1 ||
    fail "wanted one dead letter, have $(cat "$work/letters")"
grep -q '^413' "$work/lake/requests" || fail "nothing was too large"
"$bin/tally" --lines --received "$work/lake/events" | sort >"$work/have"
"$bin/tally" --lines --received "$work/twin/events" | sort >"$work/want"
[ "$(comm -3 "$work/have" "$work/want" | wc -l)" -eq 1 ] ||
    fail "lake does not lack exactly the refused record"
verified twin
stop_one lake
receiver lake --authorization "Bearer right"
ask dead-letters retry --all >"$work/letters" || fail "$(cat "$work/letters")"
settled lake
verified lake

# No reply is lost any more: status tells what happened last.
rm "$work/lake/faults"
stop_one lake
receiver lake --authorization "Bearer right" --bad '"event":'
steer "make?type=Audit.Exchange&blobs=30&events=50"
wait_for 20 "lake refuses everything" \
    log_has 'ship lake: refusing: the receiver refuses every event.*400'
# The state is in the store a moment after the line is in the log.
wait_for 10 "status says so" \
    status_says "error for .*: the receiver refuses every event"
wait_for 20 "a single event is tried" output_is lake dead_letters -gt 20
output_is lake dead_letters -le 30 ||
    fail "$(ask dead-letters | wc -l) dead letters"
output_is lake backlog_events -gt 1000 || fail "nothing is kept"
stop_one lake
receiver lake --authorization "Bearer right"
kill -USR1 "$(cat "$work/agent.pid")"
wait_for 20 "lake goes on" output_is lake backlog_events -eq 0
wait_for 10 "nothing is wrong" output_is lake failing -eq 0
ask dead-letters retry --all >"$work/letters" || fail "$(cat "$work/letters")"
settled lake twin
verified lake
