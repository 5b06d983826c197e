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
wait_for 30 "status tells it" \
    status_says "ended for the system call execve"
! log_has '(seal|ship archive|watch): (killed|exited|ended)' ||
    fail "collect took others along"
agent_stop
grep -v "tried the system call execve" "$work/agent.log" >"$work/rest"
mv "$work/rest" "$work/agent.log"
sealfeed=$real agent_env=()

# stands SECCOMP LANDLOCK CAUSE: true or false each, for all four roles, where
# each asks.
stands() {
	local role m want
	wait_for 30 "status has seccomp: $1, Landlock: $2" eval "ask status --json |
	    jq -e '[.roles[].confined | select(. != null) | .no_new_privs and
		.seccomp == $1 and (.landlock_abi > 0) == $2 and
		(.landlock_rules > 5) == $2 and (.uid | type) == \"number\" and
		(.capabilities | test(\"^[0-9a-f]{16}\$\"))] | length == 4 and all'"
	want="yes  +$([ "$1" = true ] && echo yes || echo no)  +$([ "$2" = true ] &&
	    echo "[0-9]+, [0-9]+ rules" || echo no)"
	[ "$(ask status | grep -Ec "^(collect|seal|watch|ship archive) .* $want")" -eq 4 ] ||
	    fail "status: $(ask status)"
	for role in 'role="collect"' 'role="seal"' 'role="watch"' \
	    'role="ship",output="archive"'; do
		for m in no_new_privs:1 uid:0 "seccomp:$([ "$1" = true ] && echo 1 || echo 0)"; do
			metric_is "sealfeed_role_${m%:*}{$role}" -eq "${m#*:}" ||
			    fail "metric ${m%:*} of $role: $(metric "sealfeed_role_${m%:*}{$role}")"
		done
		for m in landlock_abi landlock_rules; do
			metric_is "sealfeed_role_$m{$role}" \
			    "$([ "$2" = true ] && echo -gt || echo -eq)" 0 ||
			    fail "metric $m of $role: $(metric "sealfeed_role_$m{$role}")"
		done
	done
	curl -s --unix-socket "$work/watch.sock" http://localhost/ >"$work/page"
	want="no_new_privs, $([ "$1" = true ] || echo 'no ')seccomp, $([ "$2" = true ] &&
	    echo 'Landlock [0-9]' || echo 'no Landlock')"
	[ "$(grep -o "$want" "$work/page" | wc -l)" -eq 4 ] ||
	    fail "the page: $(grep -o '[^,]*no_new_privs.*' "$work/page")"
	wait_for 30 "the event of a $3 carries it" eval "own_start | jq -e '
	    .cause == \"$3\" and ([.roles[].confined | .seccomp == $1 and
		(.landlock_abi > 0) == $2] | length == 4 and all)'"
}

# The event of the last start.
own_start() {
	grep -aE '"type": ?"start"' "$work/archive/events" | tail -n 1 |
	    jq '.event // .'
}

# told N REGEX: that roles are confined less, so often, and last for that.
told() {
	[ "$(grep -c 'roles are confined less' "$work/agent.log")" -eq "$1" ] &&
	    grep 'roles are confined less' "$work/agent.log" | tail -n 1 |
	    grep >/dev/null "$2" || fail "the log: $(grep 'confined less' "$work/agent.log")"
}

# In all modes, by reload.
: >"$work/agent.log"
agent_again
stands true true start
told 1 'they run as root'
sandbox=off
agent_reload
stands false false reload
told 2 'agent.sandbox is "off"'
sandbox=auto
agent_reload
stands true true reload
told 3 'they run as root'
agent_reload
wait_for 20 "it is reloaded again" eval \
    '[ "$(grep -c "configuration reloaded" "$work/agent.log")" -eq 3 ]'
told 3 'they run as root'
agent_stop
sandbox=required
write_config

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
	case $lack in
	landlock)
		stands true false start
		told 1 'the kernel has no Landlock'
		;;
	seccomp)
		stands false true start
		told 1 'the kernel has no filter of system calls'
		;;
	esac
	sandbox=required
	agent_reload
	wait_for 20 "a reload that cannot be is refused" log_has \
	    'not reloaded, the old one stays in effect: agent.sandbox: "required", but '
	grows archive
	agent_stop
done
sed -i '/not reloaded, the old one/d' "$work/agent.log" # no wall that a role met
