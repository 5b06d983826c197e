#!/bin/bash
# At rest, all roles of an agent with one source and two outputs have 20 MB
# together, some 5 of them relocations of libraries, which each process has to
# itself since it is executed and not forked.  The program runs with copies of its
# libraries, so that no other program on this machine shares their pages and
# takes a part of the count.
. "${0%/*}/lib.sh"

bound=20000 # kB

ldd "$sealfeed" | grep >/dev/null 'lib[alut]*san' &&
    skip "a sanitizer's shadow memory is not the agent's"

# table: a line for each process, and their sum
table() {
	local p
	for p in $agent $(pgrep -P "$agent"); do
		awk -v name="$(cat "/proc/$p/comm")" '
		    { kb[$1] = $2 }
		    END {
			printf "%-16s %6d kB, %6d of its own\n", name,
			    kb["Pss:"], kb["Pss_Anon:"]
		    }' "/proc/$p/smaps_rollup"
	done | awk '{ print; for (i = 2; i <= NF; i++)
		if ($i == "kB,") { all += $(i - 1); own += $(i + 1) } }
	    END { printf "%-16s %6d kB, %6d of its own\n", "all", all, own }'
}

below() {
	[ "$(table | tee "$work/table" | awk 'END { print $2 }')" -le "$1" ]
}

mkdir "$work/lib"
# Its libraries, and those that it loads late.
{
	echo "$sealfeed"
	"$top/packaging/late" "$sealfeed"
} | tee "$work/late" | xargs ldd |
    sed -n 's/.* => \(\/[^ ]*\).*/\1/p' | sort -u | xargs cp -t "$work/lib"
sed 1d "$work/late" | xargs cp -t "$work/lib"
cp "$sealfeed" "$work/sealfeed-alone"
sealfeed=$work/sealfeed-alone
agent_env=("LD_LIBRARY_PATH=$work/lib")
sim --events 1000 --rate 1000
odd siem
receiver lake
to_syslog siem
to_http lake
agent
settled siem lake
agent=$(cat "$work/agent.pid")
# Memory is given back some seconds after the last event.
within 30 below "$bound" || fail "at rest it has more than $bound kB: $(cat "$work/table")"
cat "$work/table"
[ "$(grep -c sf- "$work/table")" -eq 5 ] || fail "these are not all roles"
