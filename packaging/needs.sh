# needs.sh - what building and testing need of the distribution.  Sourced by
# packaging/try and tests/run.
# shellcheck shell=bash

needs_build_apt="build-essential autoconf automake pkg-config
libcurl4-openssl-dev libjansson-dev zlib1g-dev libssl-dev libsqlite3-dev
libyaml-dev libmicrohttpd-dev libseccomp-dev liblzma-dev libzstd-dev libgnutls28-dev openssl curl ca-certificates"
needs_build_dnf="gcc make autoconf automake pkgconf-pkg-config libcurl-devel
jansson-devel zlib-devel openssl-devel sqlite-devel libyaml-devel
libmicrohttpd-devel libseccomp-devel xz-devel libzstd-devel gnutls-devel openssl rsyslog rsyslog-openssl"
needs_test_apt="git check librdkafka-dev clang libclang-rt-14-dev valgrind libisal-dev
libc6-dbg util-linux mount procps psmisc socat sqlite3 xxd iproute2 perl xz-utils
clang-format-14 shellcheck jq
softhsm2 opensc swtpm tpm2-tools tpm2-openssl mmdebstrap systemd apparmor checkpolicy semodule-utils selinux-policy-dev
zsh fish"
needs_test_dnf="git check-devel clang compiler-rt valgrind util-linux
procps-ng psmisc libasan libubsan socat sqlite vim-common iproute perl-JSON-PP jq xz
zsh fish"
needs_package_apt="dpkg-dev debhelper fakeroot rpm debugedit elfutils
binutils cpio jq xz-utils gnupg apt-utils createrepo-c libisal-dev
librdkafka-dev check xxd"
needs_package_dnf="rpm-build rpm-sign systemd-rpm-macros binutils cpio jq xz
gnupg2 createrepo_c check-devel vim-common"
needs_fleet_test_apt="ansible-lint buildah jq mmdebstrap util-linux"
needs_package_test_apt="lintian rpmlint blhc devscripts dnf mmdebstrap groff-base"

# As root, or by sudo that asks no password.
needs_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

# needs_told COMMAND…: who may not install is told what is missing, as one
# line; false for who may.
needs_told() {
	[ "$(id -u)" -ne 0 ] || return 1
	! { command -v sudo && sudo -n true; } >/dev/null 2>&1 || return 1
	echo "Packages are missing.  Have root install them, and start again:" >&2
	echo "  $*" >&2
}

needs_apt() {
	local missing=() p
	for p; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null |
		    grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	! needs_told apt-get install --no-install-recommends "${missing[@]}" ||
	    return 1
	# A fresh machine or container has no lists yet.
	apt-cache show libjansson-dev >/dev/null 2>&1 ||
	    needs_root apt-get -qq update || return 1
	# Names differ between releases: leave out what there is not.
	local there=()
	for p in "${missing[@]}"; do
		if apt-cache show "$p" >/dev/null 2>&1; then
			there+=("$p")
		else
			echo "no package $p here: going on without" >&2
		fi
	done
	[ ${#there[@]} -gt 0 ] || return 0
	# Old lists name versions that the mirror no longer has.
	needs_apt_install "${there[@]}" 2>/dev/null ||
	    { needs_root apt-get -qq update && needs_apt_install "${there[@]}"; }
}

# Another installation, as of unattended upgrades, is waited for.
needs_apt_install() {
	DEBIAN_FRONTEND=noninteractive needs_root apt-get -qq -y \
	    -o DPkg::Lock::Timeout=300 --no-install-recommends install "$@" \
	    >/dev/null
}

needs_dnf() {
	local missing=() p crb=()
	for p; do
		rpm -q --whatprovides "$p" >/dev/null 2>&1 || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	# The -devel packages of RHEL and its kin are in a repository of
	# their own.
	if dnf -q repolist --all 2>/dev/null | grep -q '^crb'; then
		crb=(--enablerepo=crb)
	fi
	! needs_told dnf install "${crb[@]}" "${missing[@]}" || return 1
	needs_root dnf -q -y "${crb[@]}" install "${missing[@]}"
}

# needs_install build|test|package|package_test|fleet_test: what is missing of
# it.
needs_install() {
	local apt=$needs_build_apt dnf=$needs_build_dnf
	case $1 in
	test) apt+=" $needs_test_apt" dnf+=" $needs_test_dnf" ;;
	package*) apt+=" $needs_package_apt" dnf+=" $needs_package_dnf" ;;
	esac
	[ "$1" != fleet_test ] || apt=$needs_fleet_test_apt
	[ "$1" != package_test ] || apt+=" $needs_package_test_apt"
	# shellcheck disable=SC2086 # lists of words
	if command -v apt-get >/dev/null; then
		needs_apt $apt
	elif command -v dnf >/dev/null; then
		needs_dnf $dnf
	else
		echo "Neither apt-get nor dnf is here.  As Debian and as EL 9" \
		    "name it, this is needed:" >&2
		echo "  apt-get install" $apt >&2
		echo "  dnf install" $dnf >&2
	fi
}
