#!/bin/bash
# functions.sh [TREE] - no function in C is longer than 60 lines, from its
# opening brace to its closing one, both in column 0 (clang-format puts them
# there).
set -uo pipefail
cd "${1:-"${0%/*}/../.."}" || exit 1
. "${BASH_SOURCE[0]%/*}/files.sh"

files -name '*.[ch]' | xargs awk -v most=60 '
	FNR == 1 { begun = 0 }
	/^[^ \t{}\/#*].*\(/ { name = $0 }
	/^\{/ { begun = FNR }
	/^\}/ && begun > 0 {
		n = FNR - begun + 1
		if (n > most) {
			print "functions: " FILENAME ":" begun ": " n \
			    " lines: " name
			failed = 1
		}
		begun = 0
	}
	END { exit failed }' || exit 1
