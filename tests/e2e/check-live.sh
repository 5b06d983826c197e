#!/bin/bash
# `check --live` does not flatter: it says what it could not test, fetches a
# blob of each content type where it can, finds the one that is denied, and
# looks at the secret and at who may read it.
. "${0%/*}/lib.sh"

# live STATUS REGEX…: what it says
live() {
	local want=$1 got regex
	shift
	ask check --live >"$work/check" 2>&1
	got=$?
	[ "$got" -eq "$want" ] || fail "status $got: $(cat "$work/check")"
	for regex in "$@"; do
		grep -Eq -- "$regex" "$work/check" ||
		    fail "no \"$regex\": $(cat "$work/check")"
	done
}

# Of the rarest type, too.
each_type() {
	local type
	for type in AzureActiveDirectory Exchange SharePoint General; do
		grep -q "\"feed\":\"contoso/Audit.$type\",\"index\"" \
		    "$work/lake/events" || return 1
	done
	grep -q '"feed":"contoso/DLP.All","index"' "$work/lake/events"
}

sim --events -1 --rate 1000
chmod 600 "$work/secret"
to_file lake
write_config
live 0 'Audit.Exchange: the subscription is missing.*not tested' \
    'sources.contoso: good as far as it is tested'
agent_again
wait_for 20 "there is a blob of each type" each_type
enough
settled lake
# The vendor's clock is known to the second: what it made in the last one is not
# listed yet.
whole() {
	ask check --live >"$work/check" 2>&1 &&
	    grep -q 'sources.contoso: good$' "$work/check"
}
within 20 whole || fail "not good: $(cat "$work/check")"
live 0 'Audit.Exchange: .*a blob with [0-9]+ events? was fetched' \
    'sources.contoso: good$'
steer "faults?set=af20052@Audit.Exchange=100%,denied@DLP.All=100%"
live 1 'AF20052' 'DLP.All: .*ActivityFeed.ReadDlp'
steer "faults?set=none"
chmod 644 "$work/secret"
live 0 'warning: sources.contoso: client_secret: .* can be read by every user' \
    'sources.contoso: works, but see the warnings'
chmod 600 "$work/secret"
for odd in 'first-secret ' '"first-secret"' '' $'\xef\xbb\xbffirst-secret' \
    $'first-secret\n'; do
	printf '%s\n' "$odd" >"$work/other"
	chmod 600 "$work/other"
	sed "s,$work/secret,$work/other," "$work/sealfeed.yaml" >"$work/odd.yaml"
	"$sealfeed" check --live "$work/odd.yaml" >"$work/check" 2>&1
	grep -q 'warning: sources.contoso: client_secret: ' "$work/check" ||
	    fail "$odd is good: $(cat "$work/check")"
done

# A blob that the vendor no longer has is no fault of the configuration.
steer "faults?set=af20050@Audit.Exchange=100%"
live 0 'Audit.Exchange: .*the blob .* is gone \(AF20050\)$' \
    'sources.contoso: good$'
