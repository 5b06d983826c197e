#!/bin/bash
# What a role that is taken over can reach: the table in SECURITY.md is that of
# this machine; a call that none makes ends the role, with a line that names
# it, and the others go on; where the kernel lacks something, "required" does
# not start and "auto" says what is missing.
. "${0%/*}/lib.sh"

[ "$(id -u)" -eq 0 ] || skip "needs root, whom nothing but the walls stops"
mkdir -p "$work/behind/walls"
chmod 711 "$work" "$work/behind"
"$bin/hostile" "$work/behind/walls" >"$work/table" 2>"$work/hostile.log"
case $? in
0) ;;
77) skip "this kernel lacks something: $(tail -n 1 "$work/hostile.log")" ;;
*) fail "$(grep '^hostile' "$work/hostile.log" | head -n 20)" ;;
esac
sed -n '/^| who has taken over/,/^$/p' "$top/SECURITY.md" | grep . >"$work/told"
diff "$work/told" "$work/table" >"$work/diff" ||
    fail "SECURITY.md has another table than this run: $(head -n 10 "$work/diff")"

# A role that is taken over.
sim --events 300 --rate 100
to_file archive
agent
settled archive
agent_stop
real=$sealfeed sealfeed=$bin/taken agent_env=(SEALFEED_TAKEN=collect:execve)
: >"$work/agent.log"
agent_again
wait_for 20 "the log names role and call" log_has \
    '^<3>collect: tried the system call execve, '
wait_for 20 "the supervisor tells the end" log_has \
    'collect: ended for the system call execve, which it may not make; restarting in 0[.]2'
wait_for 30 "status tells it" eval \
    'ask status | grep >/dev/null "ended for the system call execve"'
! log_has '(seal|ship archive|watch): (killed|exited|ended)' ||
    fail "collect took others along"
agent_stop
grep -v "tried the system call execve" "$work/agent.log" >"$work/rest"
mv "$work/rest" "$work/agent.log"
sealfeed=$real agent_env=()

# What is in force: where each asks.
agent_again
wait_for 20 "all roles tell" eval '[ "$(ask status |
    grep -Ec "^(collect|seal|watch|ship archive) .* yes  +yes  +[0-9]+, [0-9]+ rules")" -eq 4 ]'
for role in 'role="collect"' 'role="seal"' 'role="watch"' \
    'role="ship",output="archive"'; do
	for m in no_new_privs:1 seccomp:1 uid:0; do
		metric_is "sealfeed_role_${m%:*}{$role}" -eq "${m#*:}" ||
		    fail "metric ${m%:*} of $role: $(metric "sealfeed_role_${m%:*}{$role}")"
	done
	metric_is "sealfeed_role_landlock_rules{$role}" -gt 5 ||
	    fail "no rules of $role"
done
ask status --json | jq -e '[.roles[].confined |
    .seccomp and .no_new_privs and .landlock_abi > 0 and .landlock_rules > 5 and
    (.uid | type) == "number" and (.capabilities | test("^[0-9a-f]{16}$"))] |
    length == 4 and all' >"$work/json" || fail "status --json: $(ask status --json)"
curl -s --unix-socket "$work/watch.sock" http://localhost/ >"$work/page"
grep -q 'no_new_privs, seccomp, Landlock [0-9]' "$work/page" || fail "the page does not tell"
own_start() {
	grep -a '"type":"start"\|"type": "start"' "$work/archive/events" | tail -n 1
}
wait_for 20 "the start's event carries it" eval 'own_start | grep >/dev/null "\"seccomp\": *true"'
log_has 'roles are confined less than they could be: .*they run as root' ||
    fail "the log does not say that roles are root"
agent_stop

# Kernels without.
for lack in landlock seccomp; do
	"$bin/without" $lack -- "$sealfeed" run --config "$work/sealfeed.yaml" \
	    >"$work/refused" 2>&1
	[ $? -eq 78 ] && grep -q 'agent.sandbox: "required", but ' "$work/refused" ||
	    fail "without $lack: $(cat "$work/refused")"
	sandbox=auto
	write_config
	: >"$work/agent.log"
	"$sealfeed" check "$work/sealfeed.yaml" >/dev/null || fail "check"
	"$bin/without" $lack -- setsid "$sealfeed" run --config \
	    "$work/sealfeed.yaml" >>"$work/agent.log" 2>&1 &
	echo $! >"$work/agent.pid"
	wait_for 20 "it runs without $lack" log_has 'ready: '
	log_has 'roles are confined less than they could be: ' ||
	    fail "nobody was told that there is no $lack"
	case $lack in
	landlock) metric=sealfeed_role_landlock_abi ;;
	seccomp) metric=sealfeed_role_seccomp ;;
	esac
	wait_for 10 "status says that there is no $lack" \
	    metric_is "$metric{role=\"seal\"}" -eq 0
	agent_stop
	sandbox=required
	write_config
done
