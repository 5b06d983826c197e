# lib.sh - what the tests of packages begin with: . "${0%/*}/lib.sh"
#
# They are stories (tests/e2e/lib.sh) about what "make deb" and "make rpm"
# made, and need root, since packages are installed into systems of their own.
#
# From the outside, beside what stories take: SEALFEED_PACKAGES, the folder
# that packages_build filled (default: one below the build tree, filled now).
# shellcheck shell=bash

. "${BASH_SOURCE[0]%/*}/../e2e/lib.sh"
. "${BASH_SOURCE[0]%/*}/build.sh"

packages=${SEALFEED_PACKAGES:-$build/tests/var/packages}
[ -n "${SEALFEED_PACKAGES:-}" ] || packages_build "$packages" "$sealfeed" ||
    fail "the packages could not be built"
tarball=$(echo "$packages"/sealfeed-*.tar.xz)
version=$(basename "${tarball#*/sealfeed-}" .tar.xz)
version=${version#sealfeed-}
deb=$(echo "$packages"/1/sealfeed_*.deb)
rpm=$(echo "$packages"/1/sealfeed-"$version"-1.*[!c].rpm)
[ -f "$deb" ] && [ -f "$rpm" ] || fail "$packages has no deb or no rpm"

# expect WHAT WANTED GOT
expect() {
	[ "$2" = "$3" ] || fail "$1: \"$3\" and not \"$2\""
}

# refused WHAT PATTERN COMMAND…: it fails, and says why.
refused() {
	local what=$1 pattern=$2
	shift 2
	! "$@" >"$work/refused.log" 2>&1 || fail "$what: accepted"
	grep -Eq -- "$pattern" "$work/refused.log" ||
	    fail "$what: no \"$pattern\" in: $(tail -n 5 "$work/refused.log")"
}

# sources FOLDER: as in a checkout, of the same date as the tarball.
sources() {
	mkdir "$1" && tar -xf "$tarball" -C "$1" --strip-components=1 ||
	    fail "$tarball can't be unpacked"
	SOURCE_DATE_EPOCH=$(cat "$1/.tarball-date")
	export SOURCE_DATE_EPOCH
	rm "$1"/{.tarball-date,sealfeed.8,sealfeed.yaml.5}
}

# signing_key NAME: a new secret key of gpg.
signing_key() {
	export GNUPGHOME=$work/gnupg
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-generate-key \
	    "$1 <$1@sealfeed.example>" rsa3072 sign never 2>"$work/gpg.log" ||
	    fail "gpg made no key: $(cat "$work/gpg.log")"
}

# repository PACKAGES FOLDER KEY URL
repository() {
	"$top/packaging/repo" "$@" >"$work/repo.log" 2>&1 ||
	    fail "packaging/repo: $(tail -n 5 "$work/repo.log")"
}

# debian_root FOLDER [fleet]: a new Debian in it, with all that the package
# needs, so that nothing but the package comes from its repository; and with
# the tools of a fleet.
debian_root() {
	[ "${2:-}" != fleet ] || [ -n "${SEALFEED_PACKAGES:-}" ] ||
	    packages_fleet "$packages" || fail "no Debian for a fleet"
	mkdir "$1" && tar -xf "$packages/${2:-root}.tar" -C "$1" ||
	    fail "no Debian could be unpacked"
	echo "127.0.0.1 localhost" >"$1/etc/hosts"
	rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*
}

# spdx_valid FILE PACKAGE: SPDX 2.3, and about this package.
spdx_valid() {
	jq -e --arg sum "$(sha256sum "$2" | cut -d' ' -f1)" \
	    --arg file "$(basename "$2")" \
	    -f "$top/tests/packages/spdx.jq" "$1" >"$work/spdx.log" 2>&1 ||
	    fail "$1 is not valid: $(cat "$work/spdx.log")"
}
[ "$(id -u)" -eq 0 ] || fail "packages are installed here: root is needed"
