#!/bin/bash
# manual.sh - does what manuals tell their readers to do, in the build folder:
#
#	tests/manual.sh [MANUAL.md…]
#
# All of a manual runs in order, in one shell, which begins in an empty folder:
#
#	```sh		commands, each of which must succeed
#	```console	commands behind "$ ", and what they show: all of it, where
#			a line "..." stands for any lines, and "..." in a line
#			for any text.  One that fails is followed by
#			"$ echo $?" and its status.
#	<!-- test	commands that set up what the reader has, and the page
#	…		does not show, up to a line -->
#	<!-- not run: WHY -->	on the line before a block: it is not done
#
# Blocks of other kinds (text, yaml, ini) are not run.  $top is the source tree,
# $bin the folder of the tests' programs; sealfeed is the one that was built.
# What stands in backticks and begins with sealfeed must name a subcommand and
# options that there are.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export top=${here%/*} bin=$PWD/tests/bin LC_ALL=C.UTF-8 TZ=UTC
manual_dir=$(mktemp -d "${TMPDIR:-/tmp}/sealfeed-manual.XXXXXX") || exit 1
trap 'rm -rf "$manual_dir"' EXIT
mkdir "$manual_dir/path"
ln -s "$PWD/sealfeed" "$manual_dir/path/sealfeed"
export PATH=$manual_dir/path:$PATH

# -- what the script that manual.awk makes calls ------------------------------

manual_status=0 manual_line=0 manual_command=

# stop LINE WHAT: the manual is wrong there.
stop() {
	trap - ERR
	echo "manual: $manual_name:$1: $2" >&2
	cat "$manual_dir/out" >&2
	exit 1
}

# A failure that the page does not show.
unseen() {
	[ "$manual_status" -eq 0 ] || stop "$manual_line" \
	    "$manual_command: status $manual_status, which is not shown:"
}

# done_well LINE COMMANDS
done_well() {
	unseen
	manual_line=$1
	set -eE
	trap 'stop "$manual_line" "$BASH_COMMAND: fails:"' ERR
	eval "$2" >"$manual_dir/out" 2>&1 </dev/null
	trap - ERR
	set +eE
}

# status_is N: so that the next command finds it in $?.
status_is() {
	return "$1"
}

# The text on standard input as a pattern of the shell.
as_pattern() {
	sed 's/[][\\*?]/\\&/g; s/\.\.\./*/g'
}

# shown LINE COMMAND TEXT
shown() {
	local want got
	# shellcheck disable=SC2016 # as it stands in the manual
	[ "$2" = 'echo $?' ] || unseen
	manual_line=$1 manual_command=$2
	status_is "$manual_status"
	eval "$2" >"$manual_dir/out" 2>&1 </dev/null
	manual_status=$?
	want=$(printf '%s' "$3" | as_pattern)
	got=$(cat "$manual_dir/out")
	# shellcheck disable=SC2053 # a pattern is meant
	[[ $got == $want ]] || stop "$1" "$2: shows something else than
$3but:"
}

# -- manuals -------------------------------------------------------------------

# run_manual FILE: all that it says.
run_manual() {
	local manual_name=${1##*/}
	awk -f "$here/manual.awk" "$1" >"$manual_dir/script" || return 1
	: >"$manual_dir/out"
	(
		rm -rf "$manual_dir/work" && mkdir "$manual_dir/work" &&
		    cd "$manual_dir/work" || exit 1
		set +uo pipefail # as in the reader's shell
		. "$manual_dir/script"
		unseen
	)
}

# check_words FILE: the commands in its text.
check_words() {
	local words sub option bad=0
	while read -r words; do
		read -r _ sub _ <<<"$words"
		[[ $sub == [a-z]* ]] || continue
		sealfeed help "$sub" >"$manual_dir/help" 2>&1 || {
			echo "manual: ${1##*/}: $words: no such subcommand" >&2
			bad=1
			continue
		}
		while read -r option; do
			grep -Eq -- "^  $option( |\$)" "$manual_dir/help" || {
				echo "manual: ${1##*/}: $words: no $option" >&2
				bad=1
			}
		done < <(grep -oE -- '--[a-z-]+' <<<"$words")
	done < <(grep -oE '`sealfeed [^`]*`' "$1" | tr -d '`')
	return "$bad"
}

# -- the tool itself can fail --------------------------------------------------

# refuses WHAT: the manual on standard input is found wrong.
refuses() {
	cat >"$manual_dir/wrong.md"
	! run_manual "$manual_dir/wrong.md" 2>/dev/null || {
		echo "manual: a manual with $1 passes" >&2
		exit 1
	}
}

refuses "a command that fails" <<'END'
```sh
false
true
```
END
refuses "another output" <<'END'
```console
$ echo one; echo two
one
```
END
refuses "another status" <<'END'
```console
$ false
$ echo $?
2
```
END
refuses "a failure that is not shown" <<'END'
```console
$ false
```
END
refuses "a set-up that fails" <<'END'
<!-- test
false
-->
END
refuses "a block without an end" <<'END'
```sh
true
END
cat >"$manual_dir/right.md" <<'END'
<!-- test
x='a*b'
-->
```console
$ echo "$x"; \
  seq 9; echo end 77 of 77
a*b
1
...
9
end ... of 77
$ (exit 3)
$ echo $?
3
```
<!-- not run: it would fail -->
```sh
false
```
END
run_manual "$manual_dir/right.md" || exit 1
# shellcheck disable=SC2016 # as it stands in a manual
for words in '`sealfeed frobnicate`' '`sealfeed check --fast`'; do
	echo "$words" >"$manual_dir/wrong.md"
	! check_words "$manual_dir/wrong.md" 2>/dev/null || {
		echo "manual: $words passes" >&2
		exit 1
	}
done

failed=0
[ $# -gt 0 ] || set -- "$top/docs/auditing.md"
for file; do
	run_manual "$file" || failed=1
done
for file in "$top"/docs/*.md "$top"/README.md "$top"/packaging/README.md; do
	check_words "$file" || failed=1
done
[ "$failed" -eq 0 ] && echo "manual: all well"
exit "$failed"
