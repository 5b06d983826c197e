#!/bin/sh
# docs.sh - documents are tested: every option of the tables is in the manual
# and in the annotated example, every subcommand in the other manual, the
# examples pass `check`, and the program understands the commands.  Runs in the
# build folder.
set -u

here=$(cd "$(dirname "$0")" && pwd)
packaging=$here/../packaging
failed=0

fail() {
	echo "docs: $*" >&2
	failed=1
}

# The pages are here, or come with the tarball.
page8=sealfeed.8
page5=sealfeed.yaml.5
[ -f "$page8" ] || page8=$here/../sealfeed.8 page5=$here/../sealfeed.yaml.5

# The keys of a section, one a line.
keys() {
	./sealfeed options "$1" | sed -n 's/^  \([a-z_.]*\)$/\1/p'
}

sections="agent $(./sealfeed options | sed -n 's/^[a-z]* of type //p')"
[ "$(echo "$sections" | wc -w)" -ge 4 ] || fail "the types are missing"
for section in $sections; do
	[ -n "$(keys "$section")" ] || fail "$section has no options"
	for key in $(keys "$section"); do
		grep -q "^\\\\fB$key\\\\fR (" "$page5" ||
			fail "$key of $section is not in sealfeed.yaml(5)"
		grep -Eq "^ *#? *${key##*.}:" "$packaging/examples/sealfeed.yaml" ||
			fail "$key of $section is not in the example"
	done
done

for sub in $(./sealfeed help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
	grep -q "^\\.B sealfeed $(echo "$sub" | sed 's/-/\\\\-/g')" "$page8" ||
		fail "$sub is not in sealfeed(8)"
	./sealfeed help "$sub" >docs-help || fail "there is no help for $sub"
	# Behind its heading, and up to the next one: the same options.
	sed 's/\\-/-/g' "$page8" | sed -n "/^\.SS $sub\$/,/^\.S[SH] /p" |
		sed -n 's/^\\fB\(--[a-z-]*\).*/\1/p' >docs-man
	sed -n 's/^  \(--[a-z-]*\).*/\1/p' docs-help |
		grep -vx -e --config -e --json -e --help |
		cmp -s - docs-man || fail "$sub has other options in sealfeed(8)"
	rm -f docs-help docs-man
done

for page in "$page8" "$page5"; do
	sed -n 1p "$page" | grep >/dev/null '^\.TH .* "20[0-9][0-9]-[01][0-9]-[0-3][0-9]"' ||
		fail "$page has no date"
	grep -q '@[A-Z]*@' "$page" && fail "$page was not filled in"
	command -v groff >/dev/null || continue
	said=$(groff -man -Tutf8 -Kutf8 -ww "$page" 2>&1 >/dev/null)
	[ -z "$said" ] || fail "$page: $said"
done

# needed TOOL OPTION: what the README says to install is what a build needs.
needed() {
	sed -n "/sudo $1.* install /,/[^\\\\]\$/p" "$here/../README.md" |
		sed "s/.*$2//; s/\\\\\$//" | xargs -n 1 | sort >docs-readme
	bash -c ". '$packaging/needs.sh' && echo \$needs_build_${1%-get}" |
		xargs -n 1 | sort | cmp -s - docs-readme ||
		fail "README.md: $1: not the packages of packaging/needs.sh"
	rm docs-readme
}
needed apt-get --no-install-recommends
needed dnf --enablerepo=crb

for example in "$packaging"/examples/*; do
	./sealfeed check "$example" >/dev/null || fail "$example has faults"
	# With everything uncommented it is still one without unknown keys.
	sed 's/^\( *\)#\([a-z_]*:\)/\1\2/' "$example" >docs-example.yaml
	./sealfeed check docs-example.yaml 2>&1 | grep "unknown" &&
		fail "$example: a comment shows an unknown key"
	rm -f docs-example.yaml
done

kafka=no
./sealfeed options kafka >docs-said 2>&1 && kafka=yes

# The pages of SIEMs: each has its headings, and a configuration that is good.
for page in "$packaging"/siem/*.md; do
	for heading in "What to create there" Configuration \
		"How to see that it works" "Known limits" \
		"What stock content then applies"; do
		grep -qx "## $heading" "$page" || fail "$page lacks \"$heading\""
	done
	{
		echo "agent: { name: fra1, key: /etc/sealfeed/seal.pem }"
		sed -n '/^```yaml$/,/^```$/{/^```/!p}' "$page"
	} >docs-example.yaml
	grep -q '^outputs:' docs-example.yaml || fail "$page configures nothing"
	# A build without librdkafka has no such type.
	./sealfeed check docs-example.yaml >docs-said 2>&1 ||
		{ [ "$kafka" = no ] &&
			grep -q 'unknown output type "kafka"' docs-said; } ||
		fail "$page: $(cat docs-said)"
	rm -f docs-example.yaml docs-said
done

# The commands of the documents are understood as they are written: without their
# configuration each fails later than at its words.  A subcommand that is only
# mentioned may lack some; setup would ask.
documented() {
	for page in "$here"/../README.md "$here"/../docs/*.md \
		"$packaging"/README.md "$packaging"/*/README.md \
		"$packaging"/siem/*.md "$packaging"/man/*.in; do
		awk -f "$here/style/commands.awk" "$page"
	done | cut -f 5 | sed -n 's/^\(sudo \)*sealfeed \([a-z]\)/\2/p' |
		sed 's/--from TIME/--from 2026-11-22/; s/--to TIME/--to 2026-11-24/
			s/NAME$/okta/; s/ID$/1/; s,/etc/sealfeed/,docs-none/,g
			s/$([^)]*)/now/; s/ [|<>;].*//; /^setup/d' | sort -u
}
documented >docs-commands
[ "$(wc -l <docs-commands)" -ge 40 ] || fail "the commands are missing"
while read -r sub words; do
	# shellcheck disable=SC2086 # a list of words
	(set -f && ./sealfeed "$sub" --config docs-none/sealfeed.yaml $words) \
		</dev/null >docs-said 2>&1
	[ $? -ne 64 ] || grep -Eq \
		': an argument is missing|: --[a-z]+ [A-Z]+ is missing|option --as needs|retry needs at|backup: name a file|cannot be opened' \
		docs-said || fail "documented, but refused: sealfeed $sub $words: $(sed 1q docs-said)"
done <docs-commands
rm docs-commands docs-said
exit $failed
