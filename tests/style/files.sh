# files.sh - which files the style checks look at.  Sourced by them.
#
# By names and not by git, so that the tarball and a copy of the tree can be
# checked, too; what a build or a test leaves behind is passed over.
# shellcheck shell=bash

export LC_ALL=C

# files [FIND-TEST…]: those of the project for which the test holds, sorted.
files() {
	local there=() entry
	for entry in agent docs outputs packaging tests .ci .clang-format \
	    .editorconfig .gitignore .shellcheckrc CHANGELOG.md \
	    CONTRIBUTING.md LICENSE Makefile.am README.md configure.ac; do
		[ ! -e "$entry" ] || there+=("$entry")
	done
	find "${there[@]}" \( -path tests/var -o -path tests/bin \
	    -o -path tests/vectors -o -name .deps \) -prune \
	    -o -type f "$@" -print | sort
}

# scripts: every shell script, by its name or by its first line.
scripts() {
	{
		files -name '*.sh'
		files -path packaging/completion/sealfeed
		files ! -name '*.*' | xargs -r awk '
			FNR == 1 && /^#!\/bin\/(ba)?sh/ { print FILENAME }
			{ nextfile }'
	} | sort -u
}

# texts: every other text that is written by hand and not C.
texts() {
	files \( -name '*.ac' -o -name '*.am' -o -name '*.awk' -o -name '*.in' \
	    -o -name '*.json' -o -name '*.md' -o -name '*.sql' \
	    -o -name '*.yaml' -o -name '*.conf' -o -name '.[a-z]*' \)
}
