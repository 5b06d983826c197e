#!/bin/bash
# status --watch as a user sees it: at several sizes down to 60x12 and below,
# with every key, through signals, on a dumb terminal, with a thousand feeds,
# while the agent stops and the store goes away.
. "${0%/*}/lib.sh"
. "$top/packaging/needs.sh"

command -v apt-get >/dev/null || skip "the terminal is Debian's python3-pyte"
needs_apt python3 python3-pyte sqlite3 ||
    skip "python3-pyte cannot be installed"

seen() {
	/usr/bin/python3 "$top/tests/e2e/screen.py" "$1" "$sealfeed" \
	    "$work/sealfeed.yaml" 2>&1
}

# said N: so many stages of the outage were seen
said() {
	[ "$(wc -l <"$work/outage")" -ge "$1" ]
}

sim --events 200 --rate 200
to_file archive
agent
settled archive
well() {
	ask status | sed -n 1p | grep >/dev/null '^running, all well'
}
wait_for 60 "all is well" well
for step in sizes keys calm signals plain; do
	saw=$(seen $step) || fail "$step: $saw"
done
seen outage >"$work/outage" &
looking=$!
wait_for 60 "it runs" said 1
agent_stop
wait_for 60 "it has stopped" said 2
agent_again
wait_for 60 "it runs again" said 3
agent_stop
mkdir "$work/aside"
mv "$store"* "$work/aside/"
wait "$looking" || fail "outage: $(cat "$work/outage")"
mv "$work/aside/"* "$work/"
agent_again
wait_for 60 "all is well" well
sqlite3 -cmd ".timeout 20000" "$store" "WITH RECURSIVE n(i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
    INSERT INTO feed (name, tree) SELECT 'tenant' || i || '/a', 'tenant' || i || '/a' FROM n"
saw=$(seen many) || fail "many: $saw"
