#!/bin/bash
# Every vendor that has a script (tests/vectors/source) in one agent, whose
# collect role is killed again and again while pages are being read: the output
# gets each vendor's events, all of them, byte for byte.
. "${0%/*}/lib.sh"

events=200
api=https://localhost:1 # of the source that is replaced below
scripts=$top/tests/vectors/source
receiver lake
to_http lake
write_config
for script in "$scripts"/*.yaml; do
	name=$(basename "$script" .yaml)
	mkdir -p "$work/$name"
	# Few of those that answer one request in two seconds.
	case $name in
	github | microsoft-graph) n=9 ;;
	*) n=$events ;;
	esac
	"$bin/vendor" "$script" "$work/$name" "$n" \
	    >>"$work/$name/log" 2>&1 &
	echo $! >"$work/$name/pid"
	disown
done
{
	sed '/^sources:/,$d' "$work/sealfeed.yaml"
	echo "sources:"
	for script in "$scripts"/*.yaml; do
		name=$(basename "$script" .yaml)
		wait_for 30 "$name listens" test -s "$work/$name/port"
		url=http://127.0.0.1:$(cat "$work/$name/port")
		login=
		grep -q '^token:' "$script" && login=", login: \"$url\""
		echo "  \"$name\":"
		echo "    type: \"$name\""
		echo "    interval: 250ms"
		echo "    initial: 10m"
		echo "    streams: [$(sed -n 's/^stream: //p' "$script")]"
		echo "    hosts: { api: \"$url\"$login }"
		sed -n 's/^source: {\(.*\)}$/\1/p' "$script" | tr ',' '\n' |
		    sed 's/^ */    /'
	done
	echo "outputs:"
	printf '%s' "$outputs"
} >"$work/definitions.yaml"
mv "$work/definitions.yaml" "$work/sealfeed.yaml"
mkdir -p "$work/sources.d"
ln -s "$top"/tests/vectors/definition/x-*.yaml "$work/sources.d"
agent_again

# made N: some vendor has as many
made() {
	[ "$(cat "$work"/*/made 2>/dev/null | sort -n | tail -n 1)" -ge "$1" ]
}

for round in 1 2 3 4; do
	wait_for 30 "events are made" made $((round * 40))
	collect=$(pgrep -P "$(cat "$work/agent.pid")" -x sf-collect) &&
	    kill -KILL "$collect"
done

# arrived NAME: its events at the receiver, sorted
arrived() {
	sed -n 's/^{"feed":"'"$1"'\/[^"]*","index":[0-9]*,"agent":"fra1","event":\(.*\)}$/\1/p' \
	    "$work/lake/events" | sort
}

whole() {
	[ -s "$work/$1/ledger" ] &&
	    arrived "$1" | uniq | cmp -s - <(sort "$work/$1/ledger" | uniq)
}

for script in "$scripts"/*.yaml; do
	name=$(basename "$script" .yaml)
	within 60 whole "$name" || {
		diff <(arrived "$name") <(sort "$work/$name/ledger") | head
		fail "$name differs from the vendor's ledger"
	}
done
verified lake
for script in "$scripts"/*.yaml; do
	name=$(basename "$script" .yaml)
	kill "$(cat "$work/$name/pid")"
	wait_for 10 "$name ends" gone "$(cat "$work/$name/pid")"
	[ ! -s "$work/$name/complaint" ] ||
	    fail "$name: $(cat "$work/$name/complaint")"
done
