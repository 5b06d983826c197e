#!/bin/bash
# What "make deb" makes: the same bytes in another folder, time zone and
# locale; nothing for lintian; hardened; maintainer scripts in the order that
# they need; a bill of materials; and a repository that apt trusts by its key
# alone.
. "${0%/*}/lib.sh"

# has WHAT PATTERN TEXT: a line of it matches.
has() {
	grep -Eq -- "$2" <<<"$3" || fail "$1: no \"$2\" in: $3"
}

# before FILE FIRST SECOND: the first comes first, and both do.
before() {
	awk -v a="$2" -v b="$3" 'index($0, a) { first = first ? first : NR }
	    index($0, b) { second = second ? second : NR }
	    END { exit !(first && second && first < second) }' "$1" ||
	    fail "${1##*/}: \"$2\" is not before \"$3\""
}

say "what is in it"
files=$(dpkg-deb -c "$deb")
has "files" '^drwxr-x--- .* ./etc/sealfeed/$' "$files"
has "files" '^-rw-r----- .* ./etc/sealfeed/sealfeed.yaml$' "$files"
has "files" '^-rw-r--r-- .* ./lib/systemd/system/sealfeed.service$' "$files"
for path in bash-completion/completions/sealfeed \
    fish/vendor_completions.d/sealfeed.fish \
    zsh/vendor-completions/_sealfeed \
    sealfeed/prometheus/sealfeed.rules.yaml sealfeed/grafana/sealfeed.json \
    doc/sealfeed/operations.md doc/sealfeed/auditing.md; do
	has "files" "^-rw-r--r-- .* ./usr/share/$path\$" "$files"
done
expect "conffiles" "/etc/sealfeed/sealfeed.yaml /etc/sealfeed/sealfeed.yaml.example" \
    "$(dpkg-deb -I "$deb" conffiles | xargs)"
for library in libcurl4 libgnutls30 libmicrohttpd12 libseccomp2; do # loaded late
	has "dependencies" "$library" "$(dpkg-deb -f "$deb" Depends)"
	has "bill of materials" "\"name\": *\"$library\"" \
	    "$(cat "${deb%.deb}.spdx.json")"
done
dpkg-deb -x "$deb" "$work/files"
dpkg-deb -e "$deb" "$work/scripts"
said=$(gzip -dc "$work"/files/usr/share/man/man?/*.gz |
    groff -man -Tutf8 -Kutf8 -ww -z 2>&1)
expect "warnings about the manual pages" "" "$said"
for page in man8/sealfeed.8 man5/sealfeed.yaml.5; do
	gzip -dc "$work/files/usr/share/man/$page.gz" | sed -n 1p |
	    grep >/dev/null "\"$(date -u -d "@$(tar -xOf "$tarball" \
		"sealfeed-$version/.tarball-date")" +%F)\"" ||
	    fail "$page has another date than the sources"
done
grep -q procps "$work/scripts/control" && fail "it depends on procps"
! grep -q '^Exec.*/bin/kill' "$work/files/lib/systemd/system/sealfeed.service" ||
    fail "the unit needs /bin/kill"

say "maintainer scripts"
before "$work/scripts/postinst" systemd-sysusers systemd-tmpfiles
before "$work/scripts/postinst" systemd-tmpfiles "try-restart 'sealfeed.service'"
! grep -Eq "invoke (start|restart)" "$work/scripts/postinst" ||
    fail "the installation starts it"
before "$work/scripts/prerm" 'remove' 'stop sealfeed.service'
before "$work/scripts/postrm" 'rm -rf' 'userdel'

say "lintian, hardening, symbols"
said=$(lintian --fail-on none --allow-root \
    "$packages"/1/sealfeed_*.changes 2>&1)
expect "what lintian says" "" "$said"
said=$(blhc --bindnow "$packages/1/deb.log" 2>&1) || fail "flags: $said"
hardening-check --quiet --nocfprotection "$work/files/usr/bin/sealfeed" ||
    fail "$(hardening-check "$work/files/usr/bin/sealfeed")"
symbols=$(dpkg-deb -c "$packages"/1/sealfeed-dbgsym_*.deb)
id=$(readelf -n "$work/files/usr/bin/sealfeed" |
    sed -n 's/.*Build ID: *//p')
has "debugging symbols" "/$(echo "$id" | cut -c1-2)/$(echo "$id" |
    cut -c3-).debug$" "$symbols"

say "bill of materials"
spdx_valid "${deb%.deb}.spdx.json" "$deb"
sed 's/"SPDX-2.3"/"SPDX-2.4"/' "${deb%.deb}.spdx.json" >"$work/wrong.json"
refused "a bill of another version" "6.1 version" \
    jq -e --arg sum - --arg file - -f "$top/tests/packages/spdx.jq" \
    "$work/wrong.json"

say "the same from another folder, time zone and locale"
mkdir -p "$work/else/where"
sources "$work/sources"
(
	export TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8
	export DEB_BUILD_OPTIONS=nocheck TMPDIR=$work/else/where
	umask 027
	cd "$work/else/where" &&
	    "$work/sources/configure" --disable-dependency-tracking &&
	    make deb manual_program="$sealfeed"
) >"$work/again.log" 2>&1 || fail "the second build: $(tail "$work/again.log")"
cmp "$tarball" "$work/else/where/sealfeed-$version.tar.xz" ||
    fail "the tarball differs"
for file in "$packages"/1/*.deb "${deb%.deb}.spdx.json" \
    "$packages"/1/*.debian.tar.xz; do
	cmp "$file" "$work/else/where/packages/${file##*/}" ||
	    fail "${file##*/} differs"
done

say "the repository"
signing_key sealfeed
root=$work/root
debian_root "$root"
repository "$packages/1" "$root/srv/repo" sealfeed file:///srv/repo
cp "$root/srv/repo/apt/sealfeed.sources" "$root/etc/apt/sources.list.d/"
apt() {
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq \
	    -o APT::Sandbox::User=root "$@"
}
index=$root/srv/repo/apt/dists/stable
cp -r "$index" "$work/index"
echo >>"$index/main/binary-$(dpkg --print-architecture)/Packages"
rm "$index"/main/*/Packages.gz
refused "an index that was altered" "Hash Sum mismatch|unexpected size" \
    apt update
rm -r "$index" && cp -r "$work/index" "$index"
sed -i 's/^Origin: sealfeed/Origin: somebody/' "$index/InRelease"
rm "$index/Release.gpg"
refused "an index without its signature" "BADSIG|not signed|invalid" apt update
rm -r "$index" && cp -r "$work/index" "$index"
apt update >"$work/apt.log" 2>&1 || fail "update: $(cat "$work/apt.log")"
apt install -y sealfeed >"$work/apt.log" 2>&1 ||
    fail "install: $(cat "$work/apt.log")"
expect "the version in it" "sealfeed $version" \
    "$(chroot "$root" sealfeed version | sed -n 1p)"
expect "files that are not as packaged" "" "$(chroot "$root" dpkg -V sealfeed)"

say "without access to the Internet, as the manual has it"
. "$top/tests/e2e/manual.sh"
# One package of those that it needs comes from a mirror, but not by file:,
# since that is not fetched.  Afterwards the root is the host without a mirror.
mkdir "$root/srv/mirror"
(cd "$root/srv/mirror" && apt-get -qq download libyaml-0-2 &&
    dpkg-scanpackages . >Packages) 2>"$work/apt.log" ||
    fail "no mirror: $(cat "$work/apt.log")"
rm "$root"/etc/apt/sources.list.d/*
echo 'deb [trusted=yes] copy:/srv/mirror ./' >"$root/etc/apt/sources.list"
cp "$deb" "$root/root/"
apt update >"$work/apt.log" 2>&1 || fail "the mirror: $(cat "$work/apt.log")"
# offline N: the commands of the chapter, in the root; -y for the reader.
offline() {
	chroot "$root" env DEBIAN_FRONTEND=noninteractive sh -ec "cd /root
	    $(block "Without access to the Internet" "$1" |
		sed 's/^apt-get install/& -qq -y -o APT::Sandbox::User=root/')" \
	    >"$work/apt.log" 2>&1 || fail "block $1: $(cat "$work/apt.log")"
}
away() {
	chroot "$root" dpkg --purge --force-depends sealfeed libyaml-0-2 \
	    >"$work/apt.log" 2>&1 || fail "dpkg: $(cat "$work/apt.log")"
}
away
offline 1
! chroot "$root" sealfeed version >/dev/null 2>&1 || fail "it is installed"
rm -r "$root"/{srv/mirror,etc/apt/sources.list}
apt update >"$work/apt.log" 2>&1
offline 2
expect "the version that was carried over" "sealfeed $version" \
    "$(chroot "$root" sealfeed version | sed -n 1p)"
