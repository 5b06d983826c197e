#!/bin/bash
# What is done to a receiver's file afterwards, verify finds, each by feed and
# index: an altered byte, a removed line, a forged event, a checkpoint by
# another key, a cut tail, a feed removed whole.  Another order is no fault.
. "${0%/*}/lib.sh"

sim --events 1500 --rate 0 --subscribed
rsyslog siem ossl
syslogng archive
receiver lake
to_syslog siem
to_syslog archive
to_http lake
agent
settled siem archive lake
# What tells of a feed that is removed whole is the agent's own heartbeat.
for name in siem archive lake; do
	wait_for 20 "$name has a heartbeat" grep -q '"type":"heartbeat"' \
	    "$work/$name/events"
done
verified siem archive lake
agent_stop

# line_of FILE N: the number of the N-th line that holds an Exchange event
line_of() {
	grep -nE 'Audit\.Exchange" ?,?"?(index=|index")' "$1" | sed -n "$2p" |
	    cut -d: -f1
}

# index_in FILE LINE
index_in() {
	sed -nE "$2s/.*index\"?[:=]\"?([0-9]+).*/\1/p" "$1" | head -n 1
}

# finds NAME REGEX: verify says so of $work/copy and its status is 1
finds() {
	"$sealfeed" verify --key "$work/vkey" "$work/copy" >"$work/said" 2>&1
	[ $? -eq 1 ] || fail "$1: verify did not answer 1: $(cat "$work/said")"
	grep -Eq "$2" "$work/said" ||
	    fail "$1: verify did not find it: $(cat "$work/said")"
}

for name in siem archive lake; do
	file=$work/$name/events
	a=$(line_of "$file" 30) b=$(line_of "$file" 31) c=$(line_of "$file" 40)
	ia=$(index_in "$file" "$a") ib=$(index_in "$file" "$b")
	feed='contoso/Audit\.Exchange'

	sed "${a}s/\"Id\":\"./\"Id\":\"z/" "$file" >"$work/copy"
	finds "altered byte" "$feed index $ia: altered"
	sed "${b}d" "$file" >"$work/copy"
	finds "removed line" "$feed index $ib: missing"
	sed "${c}{p;s/\"Id\":\"./\"Id\":\"z/;s/(index\"?[:=]\"?)[0-9]+/\199999/}" \
	    -E "$file" >"$work/copy"
	finds "forged event" "$feed index 99999"
	grep -vE '(feed=|^."feed":)"contoso/DLP' "$file" >"$work/copy"
	finds "feed removed" 'contoso/DLP\.All: missing entirely'
	head -n "$a" "$file" >"$work/copy"
	"$sealfeed" verify --key "$work/vkey" "$work/copy" >"$work/said" 2>&1
	grep -q 'not yet covered' "$work/said" ||
	    fail "cut tail: $(cat "$work/said")"
	{ sed "1,10!d" "$file" | tac; sed "1,10d" "$file"; } >"$work/copy"
	"$sealfeed" verify --key "$work/vkey" "$work/copy" >"$work/said" 2>&1 ||
	    fail "ten swapped lines: $(cat "$work/said")"
	"$sealfeed" keygen "$work/other-$name.pem" --name fra1 |
	    grep -E '^fra1\+' >"$work/other"
	"$sealfeed" verify --key "$work/other" "$file" >"$work/said" 2>&1 &&
	    fail "another key was as good"
	say "$name: all found"
done
