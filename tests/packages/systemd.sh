#!/bin/bash
# A machine's life with the deb, in a Debian that systemd has booted: the three
# commands of the README's start, as they stand there, install it, set it up in
# a dialogue and start it; it forwards to a real rsyslog, is reloaded, upgraded
# under load from the signed repository, removed and purged, and nothing is
# left.
. "${0%/*}/lib.sh"
. "${0%/*}/boot.sh"
. "${0%/*}/../e2e/terminal.sh"

root=$work/root
ending() {
	power_off
}

# start N: the README's command.
start() {
	sed -n '/^## Start$/,/^(/s/^    //p' "$top/README.md" | sed -n "$1p"
}

# configure: the second command of the start, and an answer to each question.
configure() {
	dialogue "$(as_inside) $(start 2)"
	answer "Name of this agent" fra1
	answer "Type, by number or name" office365
	answer "Name of this source" contoso
	answer "Directory (tenant) ID:" "$tenant"
	answer "Application (client) ID:" "$client"
	answer "Client secret" "$(cat "$work/secret")"
	shows "is a placeholder"
	answer "Client secret" "$(cat "$work/secret")"
	for option in "login_url=$api" "api_url=$api" interval=250ms \
	    tls.ca=/etc/ssl/test-ca.pem ""; do
		answer "Another option" "$option"
	done
	answer "Type, by number or name" syslog
	answer "Name of this output [siem]" ""
	answer "Receiver, as host:port" "localhost:$(cat "$work/siem/port")"
	answer "File of the CA certificates" /etc/ssl/test-ca.pem
	answer "Another option" ""
	answer "Go on? [Y/n]" ""
	ends 0
	shows '^Checking as the user sealfeed'
	shows '^contoso/[A-Za-z.]+, index 0'
	shows "^Next: $(start 3)"
	tr -d '\r' <"$work/shown" | sed -n 's/^  \(fra1+[^ ]*\)$/\1/p' \
	    >"$work/vkey"
}

apt() {
	inside apt-get -qq -o APT::Sandbox::User=root "$@" >"$work/apt.log" \
	    2>&1 || fail "apt-get $*: $(tail -n 20 "$work/apt.log")"
}

# offer RELEASE: the repository has this one.
offer() {
	repository "$packages/$1" "$root/srv/repo" sealfeed file:///srv/repo
}

# all_files: every file, what changes by itself left out.
all_files() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys \
	    -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./srv \
	    -o -path ./var/log -o -path ./var/tmp -o -path ./var/cache \
	    -o -path ./var/lib/apt -o -path ./var/lib/systemd/timers \
	    -o -path ./var/lib/systemd/random-seed \) -prune \
	    -o -printf '%M %u:%g %p\n') | sort
}

mode() {
	inside stat -c '%U:%G %a' "$1"
}

main_pid() {
	inside systemctl show -P MainPID sealfeed
}

# processes: of sealfeed, by name
processes() {
	inside sh -c 'cat /proc/[0-9]*/comm' 2>/dev/null | grep -E '^sf-|^sealfeed'
}

journal() {
	inside journalctl -q -u sealfeed
}

journal_has() {
	grep -q -- "$1" <<<"$(journal)"
}

active() {
	inside systemctl is-active --quiet sealfeed
}

sim --rate 200
rsyslog siem ossl
signing_key sealfeed
debian_root "$root"
offer 1
cp "$root/srv/repo/apt/sealfeed.sources" "$root/etc/apt/sources.list.d/"
cp "$work/ca.pem" "$root/etc/ssl/test-ca.pem"
cp "$packages"/1/sealfeed_*.deb "$root/root/sealfeed.deb"
boot "$root"
# A system that has had users has the copies that useradd and userdel keep.
inside sh -c 'useradd --system other && userdel other'
all_files >"$work/before"

say "install"
[ "$(start 1)" = "apt install ./sealfeed.deb" ] && [ -z "$(start 4)" ] ||
    fail "the README's start is another: $(start '1,$')"
inside sh -c "cd /root && $(start 1)" >"$work/apt.log" 2>&1 ||
    fail "$(start 1): $(cat "$work/apt.log")"
expect "the configuration's folder" "root:sealfeed 750" "$(mode /etc/sealfeed)"
expect "the drop-ins' folder" "root:sealfeed 750" \
    "$(mode /etc/sealfeed/conf.d)"
for file in sealfeed.yaml sealfeed.yaml.example; do
	expect "$file" "root:sealfeed 640" "$(mode "/etc/sealfeed/$file")"
done
for folder in /var/lib/sealfeed{,-seal,-collect}; do
	expect "$folder" "sealfeed:sealfeed 700" "$(mode "$folder")"
done
inside sealfeed check /etc/sealfeed/sealfeed.yaml.example >"$work/check.log" ||
    fail "the example has faults"
! inside systemctl is-enabled --quiet sealfeed || fail "it is enabled"
! active || fail "it runs without a configuration"
refused "a start without a configuration" "Job for sealfeed.service failed" \
    inside systemctl start sealfeed
wait_for 20 "the journal says why: $(journal)" \
    journal_has "no outputs are configured"
inside systemctl reset-failed sealfeed

say "configure and start"
cat >"$root/etc/sealfeed/conf.d/05-test.yaml" <<END
agent: { store: { min_free: 16MiB } }
END
chmod 644 "$root/etc/sealfeed/conf.d/05-test.yaml"
cat >"$root/root/answers.yaml" <<END
agent: { name: fra1 }
sources: { contoso: { type: office365, tenant: $tenant, client_id: $client,
    client_secret: wrong, login_url: $api, api_url: $api, interval: 250ms,
    tls: { ca: /etc/ssl/test-ca.pem } } }
outputs: { siem: { type: syslog, address: "localhost:$(cat "$work/siem/port")",
    tls: { ca: /etc/ssl/test-ca.pem } } }
END
all_files >"$work/unconfigured"
refused "a wrong secret" "client secret is wrong" \
    inside sealfeed setup --answers /root/answers.yaml
all_files | diff "$work/unconfigured" - ||
    fail "a setup that fails leaves something behind"
configure
all_files >"$work/configured"
expect "processes that setup leaves" "" "$(processes)"
for file in seal.pem source-contoso.client_secret conf.d/10-agent.yaml \
    conf.d/20-source-contoso.yaml conf.d/30-output-siem.yaml; do
	expect "$file" "root:sealfeed 640" "$(mode "/etc/sealfeed/$file")"
done
expect "the store" "sealfeed:sealfeed 600" "$(mode /var/lib/sealfeed/store.db)"
sed -i "s/wrong/$(cat "$work/secret")/" "$root/root/answers.yaml"
inside sealfeed setup --answers /root/answers.yaml >"$work/setup.log" 2>&1 ||
    fail "setup with answers: $(cat "$work/setup.log")"
grep -q "nothing was changed" "$work/setup.log" ||
    fail "a second setup makes something: $(cat "$work/setup.log")"
grep -qF "$(cat "$work/vkey")" "$work/setup.log" || fail "another key"
all_files | diff "$work/configured" - || fail "a second setup changed files"
rm "$root/root/answers.yaml"
inside sh -c "$(start 3)" || fail "$(start 3):
$(journal)"
grows siem
refused "the status for an ordinary user" "run this with sudo" \
    inside setpriv --reuid 65534 --regid 65534 --clear-groups sealfeed status
inside sealfeed status >"$work/status.log" || fail "status for root"
grep -q '^sf-collect' <<<"$(processes)" || fail "its processes are not seen"
for file in "" conf.d seal.pem source-contoso.client_secret sealfeed.yaml \
    conf.d/20-source-contoso.yaml; do
	! inside setpriv --reuid sealfeed --regid sealfeed --clear-groups \
	    test -w "/etc/sealfeed/$file" || fail "it may write $file"
done

say "reload"
! inside test -e /bin/kill || fail "/bin/kill is here, which may be missing"
before=$(main_pid)
echo "nonsense: 1" >"$root/etc/sealfeed/conf.d/20-bad.yaml"
chmod 644 "$root/etc/sealfeed/conf.d/20-bad.yaml"
! inside systemctl reload sealfeed 2>/dev/null ||
    fail "a faulty configuration is reloaded"
wait_for 20 "the journal names the fault: $(journal)" \
    journal_has '20-bad.yaml:1: '
cat >"$root/etc/sealfeed/conf.d/20-bad.yaml" <<END
outputs: { copy: { type: file, path: /var/lib/sealfeed/copy } }
END
inside systemctl reload sealfeed || fail "the reload fails"
copied() {
	[ -s "$root/var/lib/sealfeed/copy" ]
}
wait_for 20 "the new output works" copied
expect "the process after reloads" "$before" "$(main_pid)"
grows siem

say "metrics in a file, as docs/operations.md has it"
prom=/var/lib/prometheus/node-exporter
dropin=/etc/systemd/system/sealfeed.service.d
inside mkdir -p "$prom"
echo "agent: { watch: { listen: none, textfile: $prom/sealfeed.prom } }" \
    >"$root/etc/sealfeed/conf.d/30-watch.yaml"
chmod 644 "$root/etc/sealfeed/conf.d/30-watch.yaml"
inside systemctl reload sealfeed || fail "the reload fails"
wait_for 20 "the journal tells what the unit needs: $(journal)" \
    journal_has 'watch.textfile: .*ReadWritePaths='
inside setfacl -m u:sealfeed:rwx "$prom" || fail "setfacl"
# Below its first comment the reader writes what the manual shows.
printf '[Service]\nReadWritePaths=%s\n' "$prom" >"$root/root/unit"
inside env SYSTEMD_EDITOR="sed -i -e 2r/root/unit" \
    script -qec "systemctl edit sealfeed" /dev/null >"$work/edit.log" 2>&1 ||
    fail "systemctl edit: $(cat "$work/edit.log")"
rm "$root/root/unit"
inside systemctl restart sealfeed || fail "the restart fails: $(journal)"
wait_for 30 "the metrics are in the file: $(journal)" \
    grep -q '^sealfeed_role_up{role="collect"} 1' "$root$prom/sealfeed.prom"
expect "the file" "sealfeed:sealfeed 644" "$(mode "$prom/sealfeed.prom")"

say "what paragraphs of alerts have an operator look at"
. "${0%/*}/../e2e/runbook.sh"
store=/var/lib/sealfeed/store.db # as the paragraphs have it
systemctl() {
	inside systemctl "$@"
}
journalctl() {
	inside journalctl -q "$@"
}
timedatectl() {
	inside timedatectl "$@"
}
# looks ALERT COMMAND REGEX: it works, and shows that
looks() {
	try "$1" "$2" || fail "$1: $2: $(cat "$work/said")"
	shows "$3"
}
# shellcheck disable=SC2016 # the shell inside expands it
inside sh -c 'for p in /proc/[0-9]*; do
    [ "$(cat "$p/comm" 2>/dev/null)" != sf-collect ] || kill -KILL "${p#/proc/}"
done'
wait_for 20 "the journal tells of it" journal_has 'collect: killed by signal 9'
looks SealfeedDown "systemctl status sealfeed" 'Active: active .running.'
looks SealfeedDown "journalctl -u sealfeed -n 50" 'sealfeed: ready'
looks SealfeedMetricsOld "journalctl -u sealfeed -g watch.textfile" \
    'watch.textfile: .*ReadWritePaths='
looks SealfeedRestarts "journalctl -u sealfeed -n 100" 'sealfeed: stopped'
looks SealfeedRestarts "journalctl -k" ''
looks SealfeedRoleDown "journalctl -u sealfeed -p err -n 20" \
    'collect: killed by signal 9'
looks SealfeedRoleRestarts "journalctl -u sealfeed -g restarting" \
    'collect: killed by signal 9 .*restarting in'
looks SealfeedClockOff "timedatectl" 'System clock synchronized: '
looks SealfeedLogLinesDropped "journalctl --disk-usage" 'take up '
rm -r "$root/var/lib/prometheus" "${root:?}$dropin" \
    "$root/etc/sealfeed/conf.d/30-watch.yaml"
inside systemctl daemon-reload
inside systemctl restart sealfeed || fail "the restart fails: $(journal)"
before=$(main_pid)
grows siem

say "encrypted credentials, as docs/operations.md has it"
. "${0%/*}/../e2e/manual.sh"
# in_manual N: that block of commands.
in_manual() {
	inside sh -ec "$(block "Client secrets" "$1")" >"$work/typed" 2>&1 ||
	    fail "block $1: $(cat "$work/typed")"
}
in_manual 2
! grep -qF "$(cat "$work/secret")" "$root/etc/sealfeed/contoso.cred" ||
    fail "the credential is not encrypted"
cat >"$root/etc/sealfeed/conf.d/40-credentials.yaml" <<'END'
agent: { key: "${credential:seal.pem}" }
sources: { contoso: { client_secret: "${credential:contoso}" } }
END
chmod 644 "$root/etc/sealfeed/conf.d/40-credentials.yaml"
mv "$root/etc/sealfeed/contoso.cred" "$root/etc/sealfeed/contoso.good"
cp "$root/etc/sealfeed/seal.cred" "$root/etc/sealfeed/contoso.cred"
refused "one that is encrypted for another name" \
    'contoso.cred cannot be decrypted' inside sealfeed check --as-service
mv "$root/etc/sealfeed/contoso.good" "$root/etc/sealfeed/contoso.cred"
in_manual 3
grep -q 'agent: key: credential seal.pem: sealfeed can read it' "$work/typed" ||
    fail "check --as-service: $(cat "$work/typed")"
for file in seal.pem source-contoso.client_secret; do
	[ ! -e "$root/etc/sealfeed/$file" ] || fail "$file is still there"
done
before=$(main_pid)
steer expire-tokens
grows siem
inside sealfeed status >"$work/status.log" || fail "status: $(cat "$work/status.log")"

say "upgrade under load"
offer 2
apt update
apt upgrade -y
expect "the version" "$version-2" \
    "$(inside dpkg-query -W -f '${Version}' sealfeed)"
active || fail "it does not run after the upgrade"
[ "$(main_pid)" != "$before" ] || fail "the old program still runs"
expect "the configuration after the upgrade" "root:sealfeed 640" \
    "$(mode /etc/sealfeed/sealfeed.yaml)"
grows siem
enough
settled siem
verified siem

say "remove and purge"
apt remove -y sealfeed
expect "processes without a package" "" "$(processes)"
[ -s "$root/var/lib/sealfeed/store.db" ] || fail "the removal took the store"
[ -s "$root/etc/sealfeed/conf.d/10-agent.yaml" ] ||
    fail "the removal took the configuration"
apt purge -y sealfeed
rm -r "${root:?}$dropin" "$root/var/lib/systemd/credential.secret"
all_files >"$work/after"
expect "files after the purge" "" "$(comm -13 "$work/before" "$work/after")"
expect "files missing after the purge" "" \
    "$(comm -23 "$work/before" "$work/after")"
! inside getent passwd sealfeed || fail "the user is left"
! inside getent group sealfeed || fail "the group is left"
! inside systemctl cat sealfeed 2>/dev/null || fail "systemd knows the unit"
say "installed, upgraded and purged; nothing is left"
