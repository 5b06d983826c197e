#!/bin/bash
# An operator who has only the manual puts the agent behind a proxy: by the
# service's environment, with a SIEM that is left out, and by the option. The
# hosts that must be let through are those that check --live names.
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

# As if the drop-in were the manual's, with the names of this machine.
environment() {
	sed -n 's/^Environment=//p' <<<"$(block Proxy 1 ini)" |
	    sed -e "s,http://proxy.example.com:3128,http://clerk:s3same@$gate," \
		-e "s,siem.example.com,127.0.0.1,"
}

sim --events 500 --rate 500
receiver lake
receiver near
proxy gate clerk s3same
gate=127.0.0.1:$(cat "$work/gate/port")
to_http lake
to_http near
outputs=${outputs/localhost:$(cat "$work/near/port")/127.0.0.1:$(cat "$work/near/port")}
installed
read -ra agent_env <<<"$(environment)"
[ "${#agent_env[@]}" -eq 2 ] || fail "the manual names: ${agent_env[*]}"
agent_again
settled lake near
through() {
	grep -o 'CONNECT [a-z0-9][^ ]*:[0-9]*' "$work/gate/log" | sort -u
}
let_through=$(printf 'CONNECT localhost:%s\n' "$(cat "$work/sim/port")" \
    "$(cat "$work/lake/port")" | sort)
[ "$(through)" = "$let_through" ] || fail "through the proxy: $(through)"
agent_stop

# check --live goes the same way, and names what is not let through.
check() {
	env "${agent_env[@]}" "$sealfeed" check --live \
	    --config "$work/sealfeed.yaml" >"$work/check" 2>&1
}
check || fail "check --live: $(cat "$work/check")"
agent_env[0]=${agent_env[0]/s3same/another}
! check || fail "check --live goes another way"
while read -r _ host; do
	grep -q "$host.*CONNECT" "$work/check" ||
	    fail "check --live does not name $host: $(cat "$work/check")"
done <<<"$let_through"
