#!/bin/bash
# The manual pages in a cross build, where the program that is built can't
# run: the tarball has them, and from a checkout they come from a program that
# is built beside it.
. "${0%/*}/lib.sh"

# cross SOURCES: configured for another system, in a folder of its own
cross() {
	"$1/configure" --cache-file="$work/cache" --build="$(gcc -dumpmachine)" \
	    --host="$(uname -m)-cross-linux-gnu" CC=gcc AR=ar RANLIB=ranlib \
	    LDFLAGS=-Wl,--dynamic-linker=/nonexistent/ld.so
}

# Each configure is shorter: nothing here is built a second time.
echo enable_dependency_tracking=no >"$work/site"
export CONFIG_SITE=$work/site
tar -xf "$tarball" -C "$work"
mkdir "$work/from-tarball" "$work/from-checkout"
(cd "$work/from-tarball" && cross "$work/sealfeed-$version" &&
    make install-man DESTDIR="$work/installed") >"$work/log" 2>&1 ||
    fail "from the tarball: $(tail "$work/log")"
[ ! -e "$work/from-tarball/sealfeed" ] ||
    fail "the pages of the tarball are not used"

sources "$work/sources"
(cd "$work/from-checkout" && cross "$work/sources" &&
    make -j"$(nproc)" sealfeed.8 sealfeed.yaml.5) >"$work/log" 2>&1 ||
    fail "from a checkout: $(tail "$work/log")"
[ ! -e "$work/from-checkout/sealfeed" ] ||
    fail "the pages wait for the program that can't run"
for page in man8/sealfeed.8 man5/sealfeed.yaml.5; do
	cmp "$work/installed/usr/local/share/man/$page" \
	    "$work/from-checkout/${page#*/}" || fail "$page differs"
done
say "the pages are the same from the tarball and from a checkout"
