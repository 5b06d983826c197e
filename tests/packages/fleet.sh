# fleet.sh - what the tests of Ansible and Puppet share: a booted system, a
# vendor and a SIEM for the agent there, and a look-out for secrets.  Sourced
# by tests.
# shellcheck shell=bash

. "${0%/*}/boot.sh"

root=$work/root
ending() {
	[ -z "${look_out:-}" ] || kill "$look_out" 2>/dev/null
	power_off
}

# begin: the system with a repository that has the package, and what the agent
# will talk to.  No other secret here is written like this one.
begin_fleet() {
	secret=fleet-$(openssl rand -hex 16)
	echo "$secret" >"$work/secret"
	sim --rate 100
	rsyslog siem ossl
	signing_key sealfeed
	debian_root "$root" fleet
	repository "$packages/1" "$root/srv/repo" sealfeed file:///srv/repo
	mkdir -p "$root/etc/cloud"
	touch "$root/etc/cloud/cloud-init.disabled"
	boot "$root"
	look_for_secret &
	look_out=$!
}

# fill FILE: with what the agent will talk to
fill() {
	sed -e "s,@API@,$api,g" -e "s,@TENANT@,$tenant," -e "s,@CLIENT@,$client," \
	    -e "s,@PORT@,$(cat "$work/siem/port")," "$1"
}

# look_for_secret: in what every user of a machine can see of its processes.
# The pattern is no argument, either.
look_for_secret() {
	local seen
	while :; do
		seen=$(grep -laFf "$work/secret" /proc/[0-9]*/cmdline \
		    /proc/[0-9]*/environ 2>/dev/null) &&
		    echo "$seen" >>"$work/secret-seen"
		sleep 0.1
	done
}

# Those that are to have it, in order.
secret_files=(acme.token contoso.secret hec.token)

# no_secret FILE…: neither there, nor in the system's logs, caches and facts.
no_secret() {
	local found
	[ ! -s "$work/secret-seen" ] ||
	    fail "the secret was an argument or in an environment"
	inside journalctl -q >"$work/journal"
	! grep -qFf "$work/secret" "$work/journal" "$@" ||
	    fail "the secret is in $(grep -lFf "$work/secret" "$work/journal" "$@" | xargs)"
	found=$(cd "$root" && grep -rlaFf "$work/secret" --exclude-dir=proc \
	    --exclude-dir=sys --exclude-dir=dev --exclude-dir=srv . 2>/dev/null)
	expect "files with the secret" \
	    "$(printf './etc/sealfeed/%s\n' "${secret_files[@]}")" \
	    "$(sort <<<"$found")"
	for found in "${secret_files[@]}"; do
		expect "$found" "root:sealfeed 640" \
		    "$(inside stat -c '%U:%G %a' "/etc/sealfeed/$found")"
	done
}

# vouched: events arrive, and the SIEM's file is proven by the key.
vouched() {
	grows siem
	inside sealfeed keygen --public /etc/sealfeed/seal.pem --name fra1 \
	    >"$work/vkey" || fail "there is no key"
	verified siem
}

main_pid() {
	inside systemctl show -P MainPID sealfeed
}
