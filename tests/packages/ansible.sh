#!/bin/bash
# The Ansible role on a booted Debian: check mode on a new host, the
# installation from a repository until events arrive, a second run that changes
# nothing, a faulty drop-in and a faulty definition that are not put in place, a
# reload after a change; and the secrets are nowhere but in their files.
. "${0%/*}/lib.sh"
. "${0%/*}/fleet.sh"

# play NAME OPTION…: the playbook; its log is $work/NAME.log
play() {
	local name=$1
	shift
	inside env LC_ALL=C.UTF-8 ANSIBLE_ROLES_PATH=/srv/ansible/roles ANSIBLE_NOCOLOR=1 \
	    ansible-playbook -i localhost, -c local -vvv --diff "$@" \
	    /srv/ansible/site.yml >"$work/$name.log" 2>&1
}

# played NAME OPTION…: the same, and it must succeed
played() {
	play "$@" || fail "$1: $(grep -A3 -E 'fatal|ERROR|failed=' \
	    "$work/$1.log" | cut -c1-1500 | tail -n 20)"
}

changes() {
	sed -n 's/^localhost .*changed=\([0-9]*\).*/\1/p' "$work/$1.log"
}

say "ansible-lint"
said=$(cd "$top/packaging/ansible" &&
    LC_ALL=C.UTF-8 ansible-lint --offline --nocolor -q --profile production . 2>&1) ||
    fail "ansible-lint: $said"

begin_fleet
mkdir -p "$root/srv/ansible"
cp -r "$top/packaging/ansible/roles" "$root/srv/ansible/"
cp "$work/ca.pem" "$root/srv/ansible/"
cp "$top/tests/packages/acme.yaml" "$root/srv/ansible/"
printf 'vault_%s: %s\n' contoso "$secret" acme "$secret-2" hec "$secret-3" \
    >"$root/srv/ansible/vault.yml"
fill "$top/tests/packages/ansible.yml" >"$root/srv/ansible/site.yml"

say "check mode on a new host"
played new --check
[ ! -e "$root/usr/bin/sealfeed" ] && [ ! -e "$root/etc/sealfeed" ] &&
    [ ! -e "$root/etc/apt/sources.list.d/sealfeed.sources" ] ||
    fail "check mode changed something"

say "install and run"
played first
vouched
expect "the configuration" "root:sealfeed 640" \
    "$(inside stat -c '%U:%G %a' /etc/sealfeed/conf.d/10-contoso.yaml)"
expect "the definition" "root:sealfeed 640" \
    "$(inside stat -c '%U:%G %a' /etc/sealfeed/sources.d/acme.yaml)"
inside systemctl is-enabled --quiet sealfeed || fail "it is not enabled"
grep -qF "$(cat "$work/vkey")" "$work/first.log" ||
    fail "the verifier key is not told"
no_secret "$work"/{new,first}.log

say "again, nothing changes"
before=$(main_pid)
played second
expect "changes of a second run" 0 "$(changes second)"
expect "the process" "$before" "$(main_pid)"

say "a fault stays outside"
play faulty -e '{"siem": {"outputs": {"siem": {"typ": "syslog"}}}}' &&
    fail "a faulty drop-in was accepted"
grep -q 'conf.d/20-siem.yaml:[0-9]*: outputs.siem: ' "$work/faulty.log" ||
    fail "the fault is not named: $(grep -A5 fatal "$work/faulty.log")"
play unknown -e '{"acme": {"title": "Acme"}}' &&
    fail "a faulty definition was accepted"
grep -q 'sources.d/acme.yaml:[0-9]*: .*missing' "$work/unknown.log" ||
    fail "the fault is not named: $(grep -A5 fatal "$work/unknown.log")"
inside sealfeed check >/dev/null || fail "the fault was put in place"

say "a change is reloaded"
played changed -e '{"sealfeed_dropins_exclusive": true, "sealfeed_dropins":
    {"30-file": {"outputs": {"copy": {"type": "file",
    "path": "/var/lib/sealfeed/copy"}}}}, "sealfeed_definitions": {}}'
wait_for 20 "the new output works" test -s "$root/var/lib/sealfeed/copy"
expect "the process after a reload" "$before" "$(main_pid)"
expect "drop-ins" 30-file.yaml "$(inside ls /etc/sealfeed/conf.d)"
expect "definitions" "" "$(inside ls /etc/sealfeed/sources.d)"
no_secret "$work"/{second,faulty,unknown,changed}.log
