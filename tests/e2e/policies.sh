#!/bin/bash
# The walls that a distribution has: the unit's exposure as systemd counts it,
# the AppArmor profile and the SELinux module, which are read by their own
# compilers.
. "${0%/*}/lib.sh"

for tool in systemd-analyze apparmor_parser checkmodule; do
	command -v "$tool" >/dev/null || skip "$tool is not there (tests/run gets it)"
done
policy=/usr/share/selinux/devel/Makefile
[ -e "$policy" ] || skip "selinux-policy-dev is not there (tests/run gets it)"

make -C "$build" sealfeed.service >/dev/null || fail "no unit is made"
# 10: an exposure of 1.0.
systemd-analyze security --offline=true --threshold=10 \
    "$build/sealfeed.service" >"$work/exposure" 2>&1 ||
    fail "the unit: $(grep -E '✗|Overall' "$work/exposure")"
grep -q 'Overall exposure level for sealfeed.service: ' "$work/exposure" ||
    fail "systemd-analyze says nothing of the unit: $(cat "$work/exposure")"
sed 's/^NoNewPrivileges=.*/NoNewPrivileges=no/' "$build/sealfeed.service" \
    >"$work/sealfeed.service"
! systemd-analyze security --offline=true --threshold=10 \
    "$work/sealfeed.service" >/dev/null 2>&1 ||
    fail "a unit that may gain privileges is as good"
for credential in LoadCredential LoadCredentialEncrypted; do
	grep -q "^#$credential=" "$build/sealfeed.service" ||
	    fail "the unit does not show $credential"
done

apparmor_parser -Q -K "$top/packaging/apparmor/sealfeed" 2>"$work/said" ||
    fail "the AppArmor profile: $(cat "$work/said")"
! grep -q 'profile sealfeed\|syntax' "$work/said" || fail "$(cat "$work/said")"
sed 's/ mrix,/ mrix/' "$top/packaging/apparmor/sealfeed" >"$work/broken"
! apparmor_parser -Q -K "$work/broken" >/dev/null 2>&1 ||
    fail "a broken profile is taken"

mkdir "$work/selinux"
cp "$top"/packaging/selinux/sealfeed.* "$work/selinux"
make -C "$work/selinux" -f "$policy" sealfeed.pp >"$work/said" 2>&1 ||
    fail "the SELinux module: $(tail -n 20 "$work/said")"
[ -s "$work/selinux/sealfeed.pp" ] || fail "no SELinux module is made"
! grep -iE 'warning|deprecated' "$work/said" >&2 || fail "the SELinux module"
