# build.sh - the packages that the tests install.  Sourced by tests/run and by
# lib.sh.
# shellcheck shell=bash

. "${BASH_SOURCE[0]%/*}/../../packaging/needs.sh"

# packages_dist SOURCES BUILD SEALFEED: a tarball in BUILD, a folder of its
# own; SEALFEED makes the manual pages.
packages_dist() {
	mkdir -p "$2" && cd "$2" &&
	    { [ -f Makefile ] || "$1/configure" --disable-dependency-tracking; } &&
	    make dist manual_program="$3"
}

# packages_root TAR PACKAGE…: a small Debian with systemd and these.
packages_root() {
	local tar=$1 mirror suite
	shift
	[ "$(cat "$tar.holds" 2>&1)" != "$*" ] || [ ! -f "$tar" ] || return 0
	# The mirror that this machine uses.
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' \
	    'Created-By: Packages' | awk -v s="$suite" '$2 == s { print $1; exit }')
	mmdebstrap --mode=root --variant=minbase \
	    --include="$(echo systemd systemd-sysv "$@" | tr ' ' ,)" \
	    "$suite" "$tar" "$mirror" && echo "$*" >"$tar.holds"
}

# packages_more TAR BASE PACKAGE…: the system of BASE, and these.
packages_more() {
	local tar=$1 base=$2
	shift 2
	[ ! -f "$tar" ] || [ "$base" -nt "$tar" ] ||
	    [ "$(cat "$tar.holds" 2>&1)" != "$*" ] || return 0
	mmdebstrap --mode=root --variant=custom \
	    --setup-hook="tar -C \"\$1\" --exclude='./dev/*' -xf '$base'" \
	    --customize-hook="chroot \"\$1\" apt-get -qq -y \
		--no-install-recommends install $*" \
	    '' "$tar" && echo "$*" >"$tar.holds"
}

# packages_next FROM TO: the same package as release 2, which upgrades it;
# nothing is compiled again, and little time spent on making it small.
packages_next() {
	local deb name tree=$2/tree
	mkdir -p "$2"
	deb=$(echo "$1"/sealfeed_*.deb)
	name=$(basename "$deb")
	dpkg-deb -R "$deb" "$tree" &&
	    sed -i '/^Version:/s/-1$/-2/' "$tree/DEBIAN/control" &&
	    dpkg-deb --root-owner-group -Zgzip -z1 -b "$tree" \
		"$2/${name/-1_/-2_}" && rm -r "$tree"
}

# packages_build FOLDER SEALFEED: the tarball, the packages of release 1 and
# the deb of release 2 in FOLDER/1 and FOLDER/2, and the system that they are
# installed into.
packages_build() {
	local folder=$1 top kind
	top=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
	export DEB_BUILD_OPTIONS=nocheck
	needs_install package_test || return 1
	rm -rf "$folder"/{1,2,dist} "$folder"/*.tar.xz
	packages_dist "$top" "$folder/dist" "$2" &&
	    cp "$folder"/dist/sealfeed-*.tar.xz "$folder" || return 1
	for kind in deb rpm; do
		"$top/packaging/package" "$kind" "$folder"/sealfeed-*.tar.xz \
		    "$folder/1" || return 1
	done
	packages_next "$folder/1" "$folder/2" || return 1
	# What the manual uses, and every Debian has that is not as small.
	# shellcheck disable=SC2046 # a list of names
	packages_root "$folder/root.tar" $(packages_depends "$folder") acl dbus
}

# packages_depends FOLDER: what the deb depends on
packages_depends() {
	dpkg-deb -f "$1"/1/sealfeed_*.deb Depends |
	    sed 's/([^)]*)//g; s/|[^,]*//g; s/,/ /g'
}

# packages_fleet FOLDER: the same system with tools that roll it out.
packages_fleet() {
	needs_install fleet_test || return 1
	packages_more "$1/fleet.tar" "$1/root.tar" ansible-core python3-apt \
	    puppet-agent cloud-init
}
