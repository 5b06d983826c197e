#!/bin/bash
# commands.sh [TREE] - each command that README, docs, manual pages and the READMEs
# and pages of packaging tell their reader to type is executed by a test, or
# commands.tsv beside this script says what else is true of it.  These count:
#
#	a block of commands	docs/auditing.md, all of which tests/manual.sh types;
#				follow "HEADING" N, or block "HEADING", in a test
#	an alert's paragraph	try ALERT "COMMAND" in a test
#	sealfeed SUBCOMMAND	a test that runs it with all of these options
#	any other		a row of the table
#
# The table's columns, with a tab between them: what, COMMAND, and the rest of it.
#
#	test FILE	COMMAND	text in FILE by which it is executed
#	not run	COMMAND	the reason
#	text	TEXT	it only looks like a command
#
# A row that nothing needs is a fault, too.
set -uo pipefail
here=$(cd "${0%/*}" && pwd)
cd "${1:-"$here/../.."}" || exit 1
table=tests/style/commands.tsv
failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

fail() {
	echo "commands: $*"
	failed=1
}

# What tests do, a command a line.
find tests -name '*.sh' ! -path 'tests/style/*' ! -path 'tests/var/*' \
    -exec cat {} + | sed -e ':a' -e '/\\$/N; s/\\\n[ \t]*/ /; ta' >"$scratch/tests"

# subcommand COMMAND: sealfeed's, of which some test runs that with its options
subcommand() {
	local words=() word pattern sub
	read -ra words <<<"$1"
	sub=${words[1]}
	grep -E "(ask|sealfeed\"?|inside sealfeed|setup [0-9]+ \"[^\"]*\"|check) .*\<$sub\>|\<(ask|sealfeed\"?) $sub\>|^[[:space:]]*$sub " \
	    "$scratch/tests" >"$scratch/lines" || return
	for word in "${words[@]:2}"; do
		case $word in
		--*) pattern="[ '\"]${word%%=*}( |=|\$|\"|')" ;;
		[a-z]*[!a-z-]* | [!a-z]*) continue ;; # a name, a path, a number
		*) pattern="\<$word\>" ;;
		esac
		grep -E -- "$pattern" "$scratch/lines" >"$scratch/fewer"
		mv "$scratch/fewer" "$scratch/lines"
	done
	[ -s "$scratch/lines" ]
}

# row COMMAND: is in the table, and the table tells the truth
row() {
	local what command rest
	while IFS=$'\t' read -r what command rest; do
		[ "$command" = "$1" ] || continue
		echo "$command" >>"$scratch/used"
		case $what in
		"not run") [ -n "$rest" ] || fail "$1: it is not said why" ;;
		test\ *)
			grep -qF -- "$rest" "${what#test }" ||
			    fail "$1: ${what#test } does not have: $rest"
			;;
		esac
		return 0
	done <"$table"
	return 1
}

# executed DOCUMENT SECTION BLOCK COMMAND
executed() {
	[ "$1" != docs/auditing.md ] || [ "$3" -eq 0 ] || return 0
	if [ "$3" -gt 0 ]; then
		grep -qE "(follow|block) \"$2\" (\"\\\$1\"|$3)" "$scratch/tests" &&
		    return
	fi
	if [[ $2 == Sealfeed* ]]; then
		grep -qF "try $2 \"$4\"" "$scratch/tests" || row "$4"
		return
	fi
	[[ $4 == sealfeed\ [a-z]* ]] && subcommand "$4" && return
	row "$4"
}

: >"$scratch/used"
shopt -s nullglob
for document in README.md docs/*.md packaging/README.md packaging/*/README.md \
    packaging/siem/*.md packaging/man/*.in; do
	while IFS=$'\t' read -r document line section block command; do
		command=${command#sudo sealfeed }
		[ ! -f "agent/cmd/${command%% *}.c" ] || command="sealfeed $command"
		executed "$document" "$section" "$block" "$command" ||
		    fail "$document:$line: no test executes: $command"
	done < <(awk -f "$here/commands.awk" "$document")
done
[ ! -f "$table" ] || while IFS=$'\t' read -r what command rest; do
	grep -qxF -- "$command" "$scratch/used" ||
	    fail "$table: no document needs the row: $command"
done <"$table"
exit $failed
