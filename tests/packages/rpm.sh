#!/bin/bash
# What "make rpm" makes: the same bytes in another folder, time zone and
# locale; nothing for rpmlint; no requirement that EL 9 does not meet; and dnf
# installs it from the signed repository into a root of its own, with its
# user, modes and scripts, and removes it.
. "${0%/*}/lib.sh"

query() {
	rpm -qp --nosignature "$@" "$rpm"
}

say "what is in it"
expect "files that are the administrator's" "%config(noreplace)
/etc/sealfeed/sealfeed.yaml /etc/sealfeed/sealfeed.yaml.example" \
    "%config(noreplace)
$(query --qf '[%{FILEFLAGS:fflags} %{FILENAMES}\n]' |
	awk '$1 == "cn" { print $2 }' | xargs)"
files=$(query -l)
for path in bash-completion/completions/sealfeed \
    fish/vendor_completions.d/sealfeed.fish zsh/site-functions/_sealfeed \
    sealfeed/prometheus/sealfeed.rules.yaml sealfeed/grafana/sealfeed.json \
    doc/sealfeed/operations.md doc/sealfeed/auditing.md; do
	grep -qx "/usr/share/$path" <<<"$files" || fail "no $path in: $files"
done
query --requires | sed 's/ .*//' | sort -u >"$work/requires"
extra=$(grep -v '^rpmlib(' "$work/requires" | grep -v '^config(sealfeed)' |
    grep -vxFf "$top/tests/packages/el9-provides.txt")
expect "requirements that EL 9 does not meet" "" "$extra"
for file in libcurl.so.4 libgnutls.so.30 libmicrohttpd.so.12 libseccomp.so.2; do # loaded late
	grep -q "^$file" "$work/requires" || fail "$file is not required"
done
[ "$(wc -l <"$work/requires")" -gt 10 ] || fail "no library is required"
query --scripts >"$work/scripts"
for line in 'preinstall.*' 'systemd-sysusers --replace=' \
    'postinstall.*' 'systemd-tmpfiles --create sealfeed.conf' \
    'preuninstall.*' 'systemctl --no-reload disable --now' \
    'postuninstall.*' 'systemctl try-restart sealfeed.service'; do
	sed -n "/$line/,\$p" "$work/scripts" >"$work/rest"
	[ -s "$work/rest" ] || fail "no $line in its place: $(query --scripts)"
	mv "$work/rest" "$work/scripts"
done
said=$(rpmlint -c "$top/packaging/rpm/rpmlint.toml" "$packages"/1/*.rpm 2>&1)
grep -q ' 0 errors, 0 warnings' <<<"$said" || fail "rpmlint: $said"
mkdir "$work/files"
rpm2cpio "$rpm" | (cd "$work/files" && cpio -idm --quiet)
hardening-check --quiet --nocfprotection "$work/files/usr/bin/sealfeed" ||
    fail "$(hardening-check "$work/files/usr/bin/sealfeed")"
id=$(readelf -n "$work/files/usr/bin/sealfeed" | sed -n 's/.*Build ID: *//p')
symbols=$(rpm -qlp --nosignature "$packages"/1/sealfeed-debuginfo-*.rpm)
grep -q "$(echo "$id" | cut -c3-).debug" <<<"$symbols" ||
    fail "no debugging symbols of $id in: $symbols"
spdx_valid "${rpm%.rpm}.spdx.json" "$rpm"

say "the same from another folder, time zone and locale"
mkdir -p "$work/else/where"
(
	export TZ=America/St_Johns LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8
	export DEB_BUILD_OPTIONS=nocheck TMPDIR=$work/else/where
	umask 027
	"$top/packaging/package" rpm "$tarball" "$work/else/where/out" 1
) >"$work/again.log" 2>&1 || fail "the second build: $(tail "$work/again.log")"
for file in "$packages"/1/*.rpm "${rpm%.rpm}.spdx.json"; do
	cmp "$file" "$work/else/where/out/${file##*/}" ||
	    fail "${file##*/} differs"
done

say "dnf installs it"
# What EL 9 provides of it, by name: the programs that the scripts call are those of
# the system below.
mkdir -p "$work/stub" "$work/reposdir"
{
	printf '%s\n' "Name: el9" "Version: 9" "Release: 1" "Summary: Names" \
	    "License: None" "BuildArch: noarch"
	sed 's/^/Provides: /' "$top/tests/packages/el9-provides.txt"
	printf '%s\n' "%description" "Names." "%files"
} >"$work/el9.spec"
rpmbuild -bb --define "_topdir $work/stub/build" \
    --define "_rpmdir $work/stub" --define '_rpmfilename %{NAME}.rpm' \
    "$work/el9.spec" >"$work/stub.log" 2>&1 || fail "$(tail "$work/stub.log")"
signing_key sealfeed
root=$work/root
debian_root "$root"
repository "$work/stub" "$work/el9" sealfeed "file://$work/el9"
repository "$packages/1" "$work/repo" sealfeed "file://$work/repo"
sed 's/\[sealfeed\]/[el9]/' "$work/el9/rpm/sealfeed.repo" \
    >"$work/reposdir/el9.repo"
cp "$work/repo/rpm/sealfeed.repo" "$work/reposdir/"
dnf() {
	command dnf -q -y --installroot="$root" --releasever=9 \
	    --setopt="reposdir=$work/reposdir" --setopt=cachedir=/var/cache/dnf \
	    --setopt=install_weak_deps=False --setopt=plugins=False "$@"
}
grep -q '^repo_gpgcheck=1' "$work/reposdir/sealfeed.repo" &&
    grep -q '^gpgcheck=1' "$work/reposdir/sealfeed.repo" ||
    fail "signatures are not asked for"
cp -r "$work/repo" "$work/kept"
rm "$work"/repo/rpm/repodata/repomd.xml.asc
refused "an index without its signature" "GPG|repomd.xml" \
    dnf install sealfeed
rm -r "$work/repo" && cp -r "$work/kept" "$work/repo"
cp "$rpm" "$work/repo/rpm/"
createrepo_c --quiet "$work/repo/rpm"
gpg --batch --yes --local-user sealfeed --armor --detach-sign \
    "$work/repo/rpm/repodata/repomd.xml"
refused "a package without a signature" "GPG|not signed" dnf install sealfeed
[ ! -e "$root/usr/bin/sealfeed" ] || fail "it was installed all the same"
rm -r "$work/repo" && mv "$work/kept" "$work/repo"
dnf clean all >/dev/null
dnf install sealfeed >"$work/dnf.log" 2>&1 || fail "$(cat "$work/dnf.log")"
# As somebody looks who carries a package over.
gpg --armor --export sealfeed >"$work/sealfeed.asc"
keys=(--define "_dbpath $work/keys")
refused "a signature by an unknown key" "NOT OK" \
    rpm "${keys[@]}" -K "$work"/repo/rpm/sealfeed-"$version"-1.*[!c].rpm
rpm "${keys[@]}" --import "$work/sealfeed.asc" &&
    rpm "${keys[@]}" -K "$work"/repo/rpm/sealfeed-"$version"-1.*[!c].rpm \
	>"$work/rpm-K" && grep -q ': digests signatures OK$' "$work/rpm-K" ||
    fail "rpm -K: $(cat "$work/rpm-K")"

mode() {
	chroot "$root" stat -c '%U:%G %a' "$1"
}
expect "the configuration's folder" "root:sealfeed 750" "$(mode /etc/sealfeed)"
expect "the configuration" "root:sealfeed 640" \
    "$(mode /etc/sealfeed/sealfeed.yaml)"
for folder in /var/lib/sealfeed{,-seal,-collect}; do
	expect "$folder" "sealfeed:sealfeed 700" "$(mode "$folder")"
done
expect "files that are not as packaged" "" \
    "$(rpm --root "$root" -V --nodeps sealfeed 2>&1)"
chroot "$root" getent passwd sealfeed | grep >/dev/null ':/usr/sbin/nologin$\|:/sbin/nologin$' ||
    fail "the user may log in, or is not there"
expect "the program" "sealfeed $version" \
    "$(chroot "$root" sealfeed version | sed -n 1p)"
[ ! -e "$root/etc/systemd/system/multi-user.target.wants/sealfeed.service" ] ||
    say "enabled by the system's presets"
echo "# changed" >>"$root/etc/sealfeed/sealfeed.yaml"
dnf remove sealfeed >"$work/dnf.log" 2>&1 || fail "$(cat "$work/dnf.log")"
[ ! -e "$root/usr/bin/sealfeed" ] || fail "the program is left"
[ -e "$root/etc/sealfeed/sealfeed.yaml.rpmsave" ] ||
    fail "the changed configuration is gone"
mkdir -p "$root/etc/systemd/system/sealfeed.service.d"
sed -n '/^leaves these/,/userdel/s/^    //p' "$top/packaging/README.md" |
    chroot "$root" sh >"$work/away" 2>&1 || fail "$(cat "$work/away")"
expect "what is left" "" "$(find "$root"/{etc,usr,var} \( -path "*/dnf" -o \
    -path "*/rpm" \) -prune -o -name '*sealfeed*' -print)"
! grep sealfeed "$root"/etc/{passwd,group} || fail "a user is left"

say "without access to the Internet, as the manual has it"
. "$top/tests/e2e/manual.sh"
rm -rf "$root/var/cache/dnf"
mkdir "$work/carried"
cp "$rpm" "$work/carried"
offline() {
	local commands
	commands=$(block "Without access to the Internet" "$1" |
	    sed "s,/media/sealfeed,$work/media,g")
	(set -e && cd "$work/carried" && eval "$commands") \
	    >"$work/dnf.log" 2>&1 || fail "block $1: $(cat "$work/dnf.log")"
}
offline 3
[ -e "$work/media/el9.rpm" ] || fail "what it needs is not in the folder"
[ ! -e "$root/usr/bin/sealfeed" ] || fail "it is installed"
rm "$work/reposdir"/*
offline 4
expect "the program that was carried over" "sealfeed $version" \
    "$(chroot "$root" sealfeed version | sed -n 1p)"
