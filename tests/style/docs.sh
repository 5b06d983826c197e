#!/bin/bash
# docs.sh [TREE] - documents name only what is there: every path from the top
# of the tree, every file name in backticks, every relative link with its
# heading; and a source file calls itself by its name.
#
# NAME, as in outputs/NAME.c, stands for any name, and something must have one;
# braces are those of the shell: tests/e2e/{late,clock}.sh.
set -uo pipefail
cd "${1:-"${0%/*}/../.."}" || exit 1
. "${BASH_SOURCE[0]%/*}/files.sh"
failed=0

# Made by the build and by the tests, hence not in the tree.
made="tests/var tests/var/* tests/bin tests/bin/* tests/unit/unit"

fail() {
	echo "docs: $document: $*"
	failed=1
}

# there PATH: a file or a folder has that path; NAME and * are any text.
there() {
	local pattern p
	for p in $made; do
		# shellcheck disable=SC2053 # a pattern is meant
		[[ $1 == $p ]] && return
	done
	pattern=${1//NAME/*}
	[ -e "$1" ] || [ -e "$1.c" ] || compgen -G "$pattern" >/dev/null ||
	    compgen -G "$pattern.c" >/dev/null
}

# A name without a folder: somewhere in the tree.
somewhere() {
	[ -e "$1" ] || grep -q . <(files -name "${1//NAME/*}")
}

# headings FILE: as the part of a link behind the #.
headings() {
	sed -n 's/^#\{1,6\} //p' "$1" | tr '[:upper:]' '[:lower:]' |
	    sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

link() {
	local file=${1%%#*} heading=
	case $1 in
	*://* | mailto:*) return ;;
	*'#'*) heading=${1#*#} ;;
	esac
	file=${file:+$(dirname "$document")/$file}
	[ -e "${file:=$document}" ] || { fail "the link $1 leads nowhere"; return; }
	[ -z "$heading" ] || headings "$file" | grep >/dev/null -xF "$heading" ||
	    fail "the link $1: no such heading"
}

for document in $(files -name '*.md'; files -path 'packaging/man/*'); do
	text=$(sed 's/\\-/-/g' "$document")
	for path in $(echo "$text" |
	    grep -oE '(^|[^A-Za-z0-9_./-])(agent|outputs|packaging|tests|\.ci)/[A-Za-z0-9_.*/{,}-]*' |
	    sed -E 's/^[^a-z.]//; s/[.,/]*$//' | sort -u); do
		# No other character than these is in it: see the pattern.
		for name in $(set -f && eval "echo $path"); do
			there "$name" || fail "there is no $name"
		done
	done
	for name in $(echo "$text" | grep -oE '`[A-Za-z0-9_.*-]+`' | tr -d '`' |
	    grep -E '\.(c|h|sh|awk|am|ac|in|sql|md|yaml|json)$' | sort -u); do
		somewhere "$name" || fail "there is no file $name"
	done
	for target in $(echo "$text" | grep -oE '\]\([^) ]+\)' |
	    sed 's/^](//; s/)$//' | sort -u); do
		link "$target"
	done
done

# The first comment of a source file begins with the file's name.
files -name '*.[ch]' | xargs awk '
	FNR <= 2 && / - / {
		n = split(FILENAME, part, "/")
		name = $0
		sub(/^(\/\*| \*) */, "", name)
		sub(/ - .*/, "", name)
		if (name != part[n]) {
			print "docs: " FILENAME " calls itself " name
			failed = 1
		}
	}
	END { exit failed }' || failed=1
exit $failed
