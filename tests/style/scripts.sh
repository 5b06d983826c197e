#!/bin/bash
# scripts.sh [TREE] - shellcheck finds nothing in any shell script; what it is
# not asked for is in .shellcheckrc, with the reasons.
set -uo pipefail
cd "${1:-"${0%/*}/../.."}" || exit 1
. "${BASH_SOURCE[0]%/*}/files.sh"

command -v shellcheck >/dev/null || {
	echo "scripts: skipped: shellcheck is not here"
	exit 77
}
scripts | xargs -r -P "$(nproc)" -n 8 shellcheck -f gcc || exit 1
