#!/bin/bash
# The Puppet module on a booted Debian: the installation until events arrive, a
# second run that changes nothing, a faulty drop-in and a faulty definition that are
# not put in place, a reload after a change; and the secrets are nowhere but in
# their files.
. "${0%/*}/lib.sh"
. "${0%/*}/fleet.sh"

# apply NAME OPTION…: the manifest; its log is $work/NAME.log, its status 0
# for no change, 2 for changes
apply() {
	local name=$1
	shift
	inside puppet apply --modulepath /srv/puppet --detailed-exitcodes \
	    --debug --show_diff --color false "$@" /srv/site.pp \
	    >"$work/$name.log" 2>&1
}

# applied NAME STATUS
applied() {
	local status
	apply "$1"
	status=$?
	[ "$status" -eq "$2" ] || fail "$1: status $status and not $2: $(grep -E \
	    '^(Error|Warning|Notice)' "$work/$1.log" | cut -c1-500 | tail -n 20)"
}

# manifest OUTPUTS [DEFINITION]
manifest() {
	fill "$top/tests/packages/puppet.pp" |
	    sed -e "s|@OUTPUTS@|$1|" -e "s,@SECRET@,$secret," \
		-e "s|@ACME@|${2:-file('/srv/acme.yaml')}|" >"$root/srv/site.pp"
}

begin_fleet
cp -r "$top/packaging/puppet" "$root/srv/puppet"
cp "$work/ca.pem" "$top/tests/packages/acme.yaml" "$root/srv/"
cp "$deb" "$root/srv/sealfeed.deb"

say "puppet parser and epp"
inside sh -c 'cd /srv/puppet/sealfeed &&
    puppet parser validate manifests types examples &&
    puppet epp validate templates/*.epp' >"$work/validate.log" 2>&1 ||
    fail "$(cat "$work/validate.log")"
jq -e '.name and .version and .author and .license and .summary and .source and
    (.dependencies | type == "array")' \
    "$top/packaging/puppet/sealfeed/metadata.json" >/dev/null ||
    fail "metadata.json lacks something"

siem="'siem' => { 'type' => 'syslog', 'address' => 'localhost:$(cat \
    "$work/siem/port")', 'tls' => { 'ca' => '/etc/sealfeed/ca.pem' } }"

say "install and run"
manifest "$siem"
applied first 2
vouched
expect "the configuration" "root:sealfeed 640" \
    "$(inside stat -c '%U:%G %a' /etc/sealfeed/conf.d/10-contoso.yaml)"
expect "the definition" "root:sealfeed 640" \
    "$(inside stat -c '%U:%G %a' /etc/sealfeed/sources.d/acme.yaml)"
inside systemctl is-enabled --quiet sealfeed || fail "it is not enabled"
no_secret "$work/first.log"

say "again, nothing changes"
before=$(main_pid)
applied second 0
expect "the process" "$before" "$(main_pid)"

say "a fault stays outside"
manifest "'siem' => { 'typ' => 'syslog' }"
apply faulty
grep -q 'conf.d/20-siem.yaml:[0-9]*: outputs.siem: ' "$work/faulty.log" ||
    fail "the fault is not named: $(grep Error "$work/faulty.log")"
manifest "$siem" "{ 'title' => 'Acme' }"
apply unknown
grep -q 'sources.d/acme.yaml:[0-9]*: .*missing' "$work/unknown.log" ||
    fail "the fault is not named: $(grep Error "$work/unknown.log")"
inside sealfeed check >/dev/null || fail "the fault was put in place"

say "a change is reloaded"
manifest "$siem, 'copy' => { 'type' => 'file', 'path' => '/var/lib/sealfeed/copy' }"
applied changed 2
wait_for 20 "the new output works" test -s "$root/var/lib/sealfeed/copy"
expect "the process after a reload" "$before" "$(main_pid)"
no_secret "$work"/{second,faulty,unknown,changed}.log
