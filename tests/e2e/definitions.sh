#!/bin/bash
# Every vendor that has a script (tests/vectors/source) in one agent, whose
# collect role is killed again and again while pages are being read: the output
# gets each vendor's events, all of them, byte for byte.
. "${0%/*}/lib.sh"

events=24
api=https://localhost:1 # of the source that is replaced below
vendors=$work/vendors
mkdir -p "$vendors" "$work/sources.d"
ln -s "$top"/tests/vectors/definition/x-*.yaml "$work/sources.d"
# Pages of a few rows are full where the script says so.
for script in "$top"/tests/vectors/source/*.yaml; do
	full=$(sed -n 's/^full: //p' "$script")
	[ -z "$full" ] || sed "s/\(page: .*\bsize: \)[0-9]*/\1$full/" \
	    "$top/agent/sources/definitions/${script##*/}" \
	    >"$work/sources.d/${script##*/}"
done
# Two sources with one refresh token, which each grant replaces.
twins() {
	awk '/^  [^ ]/ { on = /^  "x-rotating":/ } on' "$vendors/sources.yaml"
	awk '/^  [^ ]/ { on = sub(/^  "x-rotating":/, "  twin:") } on' \
	    "$vendors/sources.yaml"
}

receiver lake
to_http lake
write_config
"$bin/vendor" "$vendors" "$events" "$top"/tests/vectors/source/*.yaml \
    >>"$vendors/log" 2>&1 &
vendor=$!
disown
wait_for 30 "the vendors listen" test -s "$vendors/sources.yaml"
{
	sed '/^sources:/,$d' "$work/sealfeed.yaml"
	cat "$vendors/sources.yaml"
	twins | sed -n '/^  twin:/,$p'
	echo "outputs:"
	printf '%s' "$outputs"
} >"$work/definitions.yaml"
mv "$work/definitions.yaml" "$work/sealfeed.yaml"
agent_again

# made N: each vendor has as many
made() {
	[ "$(cat "$vendors/made" 2>/dev/null || echo 0)" -ge "$1" ]
}

kill_collect() {
	collect=$(pgrep -P "$(cat "$work/agent.pid")" -x sf-collect) &&
	    kill -KILL "$collect"
}

for n in 8 16 $events; do
	wait_for 60 "events are made" made "$n"
	wait_for 30 "collect is there to be killed" kill_collect
done

# arrived NAME: the events of a source at the receiver, each once, sorted
arrived() {
	sed -n 's/^{"feed":"'"$1"'\/[^"]*","index":[0-9]*,"agent":"fra1","event":\(.*\)}$/\1/p' \
	    "$work/lake/events" | sort -u
}

whole() {
	[ -s "$1" ] &&
	    arrived "$(basename "$1" .ledger)" | cmp -s - <(sort -u "$1")
}

same_events() {
	cmp -s <(arrived "$1") <(arrived "$2")
}

wait_for 60 "the ledgers are there" test -s "$vendors/ledgers"
for ledger in "$vendors"/*.ledger; do
	within 120 whole "$ledger" || {
		name=$(basename "$ledger" .ledger)
		diff <(arrived "$name") <(sort -u "$ledger") | head
		fail "$name differs from the vendor's ledger"
	}
done
within 60 same_events x-rotating twin ||
    fail "the source with the same refresh token has other events"
verified lake
# Whoever tries them asks in turn with them.
{
	sed '/^sources:/,$d' "$work/sealfeed.yaml"
	echo "sources:"
	twins
} >"$work/twins.yaml"
for _ in 1 2; do
	"$sealfeed" check --live "$work/twins.yaml" >"$work/check" 2>&1 &&
	    [ "$(grep -Ec '^sources[^ ]*: (good|works)' "$work/check")" -eq 2 ] ||
	    fail "check --live: $(cat "$work/check")"
done
# Whoever gets a vendor's port next is none of this agent's.
agent_stop
kill "$vendor"
wait_for 10 "the vendors end" gone "$vendor"
[ ! -s "$vendors/complaints" ] || fail "$(cat "$vendors/complaints")"
