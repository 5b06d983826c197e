#!/bin/bash
# scripts.sh [TREE] - shellcheck finds nothing in any shell script; what it is
# not asked for is in .shellcheckrc, with the reasons.  And no test reads a pipe
# with grep -q, nor what sealfeed says with head: they leave early, and with
# pipefail what still writes then fails.
set -uo pipefail
cd "${1:-"${0%/*}/../.."}" || exit 1
. "${BASH_SOURCE[0]%/*}/files.sh"

early=$(scripts | grep '^tests/' | xargs -r awk '
	/(^|[^|])\|[ \t]*grep -[a-zA-Z]*q/ || pipe && /^[ \t]*grep -[a-zA-Z]*q/ {
		print FILENAME ":" FNR ": early end of a pipe: >/dev/null for -q"
	}
	/(ask|sealfeed"?) [^|]*[^|]\|[ \t]*head / {
		print FILENAME ":" FNR ": early end of a pipe: sed -n 1p for head"
	}
	{ pipe = /(^|[^|])\|$/ }')
[ -z "$early" ] || {
	echo "$early"
	exit 1
}

command -v shellcheck >/dev/null || {
	echo "scripts: skipped: shellcheck is not here"
	exit 77
}
scripts | xargs -r -P "$(nproc)" -n 8 shellcheck -f gcc || exit 1
