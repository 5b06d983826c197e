#!/bin/bash
# Presets against strict fakes of what they are for (tests/recv): path, token,
# body and limits as each has them, through a few faults and one bad event.
. "${0%/*}/lib.sh"

faults=lost-reply=#1,429=#1,page=#1,partial=#1

# preset NAME URL-PATH [YAML-LINE…]
presets=()
preset() {
	local name=$1 path=$2
	shift 2
	presets+=("$name")
	mkdir -p "$work/intakes/$name"
	echo "$faults" >"$work/intakes/$name/faults"
	echo abc >"$work/intakes/$name/token"
	to_intake "$name" "${name%-bare}" "$path" "max_body: 16KiB" "$@"
}

sim --events 600 --rate 600 --blob 20-40
echo abc >"$work/token"
own_receiver intake intakes
secret="\"\${file:$work/token}\""
collector=/services/collector/event
preset crowdstrike-logscale /api/v1/ingest/hec "token: $secret"
preset cribl $collector "token: $secret"
preset vector $collector "token: $secret"
preset fluent-bit $collector "token: $secret"
preset logstash "" "basic: \"sealfeed:\${file:$work/token}\""
preset panther /http/7 "headers: { x-api-key: $secret }" "envelope: seal"
preset panther-bare /http/7 "headers: { x-api-key: $secret }"
preset axiom "" "token: $secret" "dataset: m365"
preset new-relic "" "license_key: $secret"
places=()
for name in "${presets[@]}"; do
	[ "$name" = panther-bare ] || places+=("intakes/$name")
done

# The events alone, among which are the agent's own.
bare_ones_are_there() {
	[ -z "$(comm -23 <(sort "$work"/sim/ledger/[AD]*) \
	    <(sort "$work/intakes/panther-bare/events"))" ]
}

# One event that none wants, where it stands in an envelope.
for name in "${presets[@]}"; do
	case $name in
	logstash | panther* | axiom | new-relic)
		poison='Audit.Exchange","index":40,'
		;;
	*) poison='Audit.Exchange","sealfeed_index":"40"' ;;
	esac
	echo "$poison" >"$work/intakes/$name/poison"
done
agent
wait_for "$patience" "simulator makes all events" stat_is finished = 1
wait_for "$patience" "the events alone are there" bare_ones_are_there
for name in "${presets[@]}"; do
	wait_for 30 "$name gets everything" \
	    output_is "$name" backlog_events -eq 0
	for fault in ${faults//,/ }; do
		grep -q " ${fault%=*}\$" "$work/intakes/$name/requests" ||
		    fail "$name never had the fault ${fault%=*}"
	done
	[ "$name" = panther-bare ] || {
		ask dead-letters --output "$name" >"$work/letters"
		output_is "$name" dead_letters -eq 1 &&
		    grep -q "xchange  *40 " "$work/letters" ||
		    fail "$name: $(cat "$work/letters")"
	}
	rm "$work/intakes/$name/poison" "$work/intakes/$name/faults"
done
ask dead-letters retry --all >"$work/letters" || fail "$(cat "$work/letters")"
settled "${places[@]}"

# What each says of a secret that is not known.
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
for name in "${presets[@]}"; do
	echo new >"$work/intakes/$name/token"
done
ask check --live >"$work/check" 2>&1 && fail "check --live finds nothing"
for name in "${presets[@]}"; do
	grep -Eq "^outputs.$name: .*(token|license_key|basic|headers)" \
	    "$work/check" || fail "check --live: $(cat "$work/check")"
done
