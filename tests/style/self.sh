#!/bin/bash
# self.sh - each check passes a small good tree and fails once a fault is
# planted in it.
set -uo pipefail
here=$(cd "${0%/*}" && pwd)
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
failed=0

# A tree in miniature, with the rules of the real one.
fresh() {
	rm -rf "${tree:?}"/* && mkdir -p "$tree/agent/base" "$tree/agent/cmd" \
	    "$tree/outputs" "$tree/tests" || exit 1
	cp "$here"/../../.clang-format "$here"/../../.editorconfig \
	    "$here"/../../.shellcheckrc "$tree" || exit 1
	printf '#include "base/buf.h"\n\nint\nbuf(void)\n{\n\treturn 0;\n}\n' \
	    >"$tree/agent/base/buf.c"
	printf 'int buf(void);\n' >"$tree/agent/base/buf.h"
	printf '#include "base/buf.h"\n' >"$tree/agent/cmd/cmd.h"
	printf '#!/bin/sh\nif true; then\n\techo ok\nfi\n' >"$tree/tests/a.sh"
	cat >"$tree/README.md" <<-'END'
		# A title, with more

		`agent/base/buf.c`, `buf.h`, agent/cmd, [here](tests/a.sh),
		[above](#a-title-with-more), `agent/base/NAME.c`
	END
}

# finds CHECK WHAT: with the fault in the tree, CHECK names it.
finds() {
	local got said
	said=$("$here/$1.sh" "$tree" 2>&1)
	got=$?
	[ $got -ne 77 ] || return
	if [ $got -eq 0 ] || [[ $said != *"$2"* ]]; then
		echo "self: $1 does not find: $2 (status $got)"
		[ -z "$said" ] || echo "$said"
		failed=1
	fi
	fresh
}

fresh
for check in format layers functions docs scripts commands; do
	said=$("$here/$check.sh" "$tree" 2>&1)
	case $? in
	0 | 77) ;;
	*)
		echo "self: $check finds something in a good tree:"
		echo "$said"
		failed=1
		;;
	esac
done

sed -i 's/\treturn/    return/' "$tree/agent/base/buf.c"
finds format clang-format-violations
printf 'a line \n' >>"$tree/README.md"
finds format "white space at the end"
printf '\tcode\n' >>"$tree/README.md"
finds format "indented by a tab"
sed -i 's/\techo/        echo/' "$tree/tests/a.sh"
finds format "indented by blanks"
printf 'a: 1' >"$tree/tests/a.yaml"
finds format "no newline"
printf 'a: 1\r\n' >"$tree/tests/a.yaml"
finds format "carriage return"

printf '#include "cmd/cmd.h"\n' >>"$tree/agent/base/buf.h"
finds layers "base includes cmd/cmd.h, which is not below it"

{
	printf '\nint\nlong_one(void)\n{\n'
	printf '\t/* %d */\n' {1..58}
	printf '\treturn 0;\n}\n'
} >>"$tree/agent/base/buf.c"
finds functions "61 lines: long_one(void)"

# shellcheck disable=SC2016 # backticks of Markdown
printf '`packaging/examples/full.yaml`\n' >>"$tree/README.md"
finds docs "there is no packaging/examples/full.yaml"
# shellcheck disable=SC2016
printf '`tests/{a,b}.sh`\n' >>"$tree/README.md"
finds docs "there is no tests/b.sh"
# shellcheck disable=SC2016
printf '`none.c`\n' >>"$tree/README.md"
finds docs "there is no file none.c"
printf '[a](tests/b.sh)\n' >>"$tree/README.md"
finds docs "the link tests/b.sh leads nowhere"
sed -i '1i /* buffer.c - a buffer. */' "$tree/agent/base/buf.c"
finds docs "agent/base/buf.c calls itself buffer.c"
printf '[a](#none)\n' >>"$tree/README.md"
finds docs "no such heading"

# shellcheck disable=SC2016
printf 'rm -r $1/*\n' >>"$tree/tests/a.sh"
finds scripts "SC2086"
printf 'ls | %s a\nls |\n\t%s b\n' 'grep -q' 'grep -q' >>"$tree/tests/a.sh"
finds scripts "a.sh:7: early"
printf 'ask status | %s -n 1\n' head >>"$tree/tests/a.sh"
finds scripts "a.sh:5: early"

# shellcheck disable=SC2016
printf 'Do `frob the-disk`.\n' >>"$tree/README.md"
finds commands "no test executes: frob the-disk"
printf '\n    frob all\n' >>"$tree/README.md"
finds commands "no test executes: frob all"
mkdir "$tree/docs"
printf '# A\n\n```sh\nfrob all\n```\n' >"$tree/docs/a.md"
finds commands "docs/a.md:4: no test executes: frob all"
# shellcheck disable=SC2016
printf 'Type `sealfeed status --frob`.\n' >>"$tree/README.md"
printf 'ask status\n' >>"$tree/tests/a.sh"
finds commands "no test executes: sealfeed status --frob"
mkdir "$tree/tests/style"
printf 'text\tfrob all\ta message\n' >"$tree/tests/style/commands.tsv"
finds commands "no document needs the row: frob all"
# shellcheck disable=SC2016
printf 'Do `frob all`.\n' >>"$tree/README.md"
mkdir "$tree/tests/style"
printf 'test tests/a.sh\tfrob all\tfrob\n' >"$tree/tests/style/commands.tsv"
finds commands "frob all: tests/a.sh does not have: frob"
exit $failed
