#!/bin/bash
# format.sh [TREE] - C as clang-format lays it out, everything else as
# .editorconfig says.
#
# Other versions of clang-format lay out some lines in other ways: 14 decides.
set -uo pipefail
cd "${1:-"${0%/*}/../.."}" || exit 1
. "${BASH_SOURCE[0]%/*}/files.sh"
failed=0

clang_format=$(command -v clang-format-14 || command -v clang-format)
if "${clang_format:-false}" --version 2>/dev/null | grep >/dev/null 'version 14\.'; then
	files -name '*.[ch]' | xargs -P "$(nproc)" -n 40 \
	    "$clang_format" --dry-run --Werror || failed=1
else
	echo "format: skipped: clang-format 14 is not here"
	failed=77
fi

# indent FILE: tab, space or nothing, by the last section that fits.
indent() {
	local line found='' fits=''
	while read -r line; do
		case $line in
		'['*']')
			line=${line#[}
			# shellcheck disable=SC2053 # a pattern is meant
			[[ ${1##*/} == ${line%]} ]] && fits=1 || fits=''
			;;
		indent_style*) [ -z "$fits" ] || found=${line##* } ;;
		esac
	done <.editorconfig
	echo "$found"
}

# check INDENT FILE…
check() {
	awk -v indent="$1" '
		function wrong(what) {
			print "format: " FILENAME ":" FNR ": " what
			failed = 1
		}
		/[ \t]$/ { wrong("white space at the end of the line") }
		/\r/ { wrong("a carriage return") }
		# Here documents have the layout of what they become.
		FNR == 1 { ends = "" }
		ends == "" && /^        / && indent == "tab" {
			wrong("indented by blanks")
		}
		ends != "" && $1 == ends { ends = "" }
		ends == "" && match($0, /<<-?[^A-Z<(]?[A-Z]+/) {
			ends = substr($0, RSTART, RLENGTH)
			gsub(/[^A-Z]/, "", ends)
		}
		indent == "space" && /^\t/ { wrong("indented by a tab") }
		END { exit failed }' "${@:2}" || failed=1
}

mapfile -t all < <({ texts; scripts; } | sort -u)
declare -A style=() list=()
for file in "${all[@]}"; do
	kind=${file##*/}
	[[ $kind == *.* ]] && kind=${kind##*.} || kind=none
	[ -n "${style[$kind]+set}" ] || style[$kind]=$(indent "$file")
	list[${style[$kind]:-any}]+="$file "
done
for kind in "${!list[@]}"; do
	# shellcheck disable=SC2086 # names without blanks
	check "$kind" ${list[$kind]}
done

# The last byte of each file, beside its name.
while read -r byte file; do
	[ "$byte" = 0a ] && continue
	echo "format: $file: no newline at the end of the file"
	failed=1
done < <(paste <(tail -q -c 1 "${all[@]}" | od -A n -v -t x1 -w1) \
    <(printf '%s\n' "${all[@]}"))
exit $failed
