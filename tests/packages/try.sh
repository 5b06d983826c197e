#!/bin/bash
# packaging/try as an ordinary user runs it: told in one line what is missing,
# for apt and for dnf; then it shows its progress and is done within two
# minutes of an idle machine.
. "${0%/*}/lib.sh"

# ordinary COMMAND…: as somebody who may not become root
ordinary() {
	setpriv --reuid 65534 --regid 65534 --clear-groups \
	    env HOME="$work/home" TMPDIR="$work/home" \
	    PATH="$work/fake:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

# fake NAME TEXT: a program that does that
fake() {
	mkdir -p "$work/fake"
	printf '#!/bin/sh\n%s\n' "$2" >"$work/fake/$1"
	chmod 755 "$work/fake" "$work/fake/$1"
}

# missing_is TOOL WANTED: the one line that names it
missing_is() {
	! ordinary "$work/sources/packaging/try" >"$work/out" 2>"$work/err" ||
	    fail "$1: goes on without the packages"
	expect "$1: lines" 2 "$(wc -l <"$work/err")"
	expect "$1" "$(echo "$2" | xargs)" "$(sed -n "s/^  $1 //p" "$work/err" |
	    xargs)"
}

chmod 711 "$work"
sources "$work/sources"
mkdir "$work/home"
chown -R nobody: "$work/home" "$work/sources"
fake sudo 'exit 1'

say "what is missing, in a line"
fake dpkg-query 'exit 1'
# shellcheck disable=SC2154 # of needs.sh
missing_is apt-get "install --no-install-recommends $needs_build_apt"
cat >"$work/dnf.sh" <<'END'
command() { [ "$2" = dnf ] || [ "$2" = sudo ]; }
rpm() { false; }
dnf() { echo crb; }
export -f command rpm dnf
END
# shellcheck disable=SC2154
said=$(ordinary bash -c ". '$work/dnf.sh'; . '$work/sources/packaging/needs.sh'
    needs_install build" 2>&1)
expect "dnf" "$(echo "dnf install --enablerepo=crb $needs_build_dnf" | xargs)" \
    "$(echo "$said" | sed -n 2p | xargs)"
rm "$work/fake/dpkg-query"

say "the whole"
grant
begin=$granted
ordinary "$work/sources/packaging/try" 10 >"$work/out" 2>&1 &
pid=$!
within 240 gone "$pid"
wait "$pid" || fail "it fails: $(tail -n 30 "$work/out")"
took=$(((granted - begin) / 1000))
grep -Eq '^   compiled [0-9]+ of [0-9]+ files' "$work/out" ||
    fail "no progress is shown: $(cat "$work/out")"
grep -q '^All as it should be' "$work/out" || fail "$(cat "$work/out")"
[ "$took" -le 100 ] || fail "it took $took s, without 20 s of its run"
say "done in about $took s of an idle machine, of which 10 were the run"
