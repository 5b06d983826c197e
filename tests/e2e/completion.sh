#!/bin/bash
# The shells complete subcommands, what follows them, options and their values,
# and the names of feeds and outputs, as the program's tables have them: bash,
# zsh and fish are driven and asked for the same.
. "${0%/*}/lib.sh"

scripts=$top/packaging/completion
mkdir "$work/bin"
ln -s "$sealfeed" "$work/bin/sealfeed"
export PATH=$work/bin:$PATH HOME=$work TERM=dumb
cat >"$work/some.yaml" <<'END'
agent: { name: fra1 }
sources:
  contoso:
    type: office365
    tenant: 0873ee4d-d342-44f2-8961-74c442a2fad2
    client_id: 6f9f0d1c-1d3c-4b6e-9d51-0a3b5c7d9e10
    client_secret: ${env:SECRET}
outputs:
  siem: { type: file, path: /x }
  lake: { type: file, path: /y }
END

# -- what the program says ---------------------------------------------------

# words WORD…: what it has for the last of them
words() {
	sealfeed help --complete -- "$@" || fail "$*: the program fails"
}

# has WORD LINE…: one of the lines is the word
has() {
	grep -qxF -- "$1" <<<"$2" || fail "no $1 in: $2"
}

subs=$(sealfeed help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
[ "$(wc -l <<<"$subs")" -ge 12 ] || fail "few subcommands: $subs"
[ "$(words "" | cut -f 1)" = "$subs" ] || fail "other subcommands: $(words "")"
for sub in $subs; do
	words "$sub" "" >/dev/null
	words "$sub" x "" >/dev/null
	options=$(sealfeed help "$sub" | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
	[ "$(words "$sub" - | cut -f 1)" = "$options" ] ||
	    fail "$sub has other options: $(words "$sub" -)"
	for option in $(sealfeed help "$sub" |
	    sed -n 's/^  \(--[a-z-]*\) [A-Z].*/\1/p'); do
		words "$sub" "$option" "" >/dev/null
	done
done

# -- the shells --------------------------------------------------------------

# by_bash WORD…: the completions of the last word
by_bash() {
	# shellcheck disable=SC2016 # the inner shell expands it
	bash --norc -c '. "$0"; compopt() { echo "$@"; }
		COMP_WORDS=(sealfeed "$@") COMP_CWORD=$#
		_sealfeed; printf "%s\n" "${COMPREPLY[@]}"' \
	    "$scripts/sealfeed" "$@"
}

by_fish() {
	fish --no-config -c "source '$scripts/sealfeed.fish'
		complete -C 'sealfeed $*'" | cut -f 1
}

# by_zsh WORD…: what a terminal shows when somebody types them and TAB twice:
# the list, and behind << the line as it is then.
cat >"$work/type.zsh" <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; RPS1=; COLUMNS=200; LINES=400; fpath=($1 \$fpath)
    autoload -U compinit; compinit -u -D
    show() { print -r -- \"<<\$BUFFER>>\"; BUFFER=; zle accept-line }
    zle -N show; bindkey '^X' show; print be\"\"gin"
zpty -r -m shell seen "*begin*"
zpty -w -n shell "sealfeed $2"$'\t\t\x18'
zpty -r -m shell seen "*>>*"
print -r -- "$seen"
zpty -d shell
END
by_zsh() {
	timeout 60 zsh -f "$work/type.zsh" "$scripts" "$*" | tr -d '\r\a'
}

config="--config $work/some.yaml"
mkdir "$work/conf.d"
echo 'agent: {}' >"$work/conf.d/20-x.yaml"
cd "$work" || exit 1
echo >some.file

# want LIST WORDS…: what bash and fish give for the words, one a line
want() {
	local list shell got
	list=$(tr ' ' '\n' <<<"$1" | sort)
	shift
	for shell in $shells; do
		got=$("by_$shell" "$@" | sort)
		[ "$got" = "$list" ] ||
		    fail "$shell: sealfeed $*: wanted $list, got $got"
	done
}

shells=bash
if command -v fish >/dev/null; then
	shells+=" fish"
else
	say "fish is not there (tests/run gets it)"
fi
# shellcheck disable=SC2086 # lists of words
{
	want "$(sealfeed help | sed -n 's/^  \(st[a-z-]*\) .*/\1/p')" st
	want "list retry drop" dead-letters ''
	want "--complete --config" verify --co
	want "lake siem" dead-letters $config --output ''
	want "ed25519 ecdsa-p256" keygen --type ''
	want "always" status --color al
	want "conf.d/20-x.yaml" check $config --as conf.d/
	want "office365" sources --describe off
	want "contoso/Audit.Exchange" export $config --feed contoso/Audit.E
	want "fra1/agent" verify $config --feed f
	want "http http-json" options ht
	want "keygen" help k
	want "" trace ''
	want "" nonsense ''
}
# What has "=" in it bash takes for several words, and fish for one.
[ "$(by_bash dead-letters --config = some.yaml --output = s)" = siem ] ||
    fail "bash: --output=s"
[ "$(by_bash setup --source x type = office)" = office365 ] || fail "bash: type="
[ "$(by_bash setup --source x type = office365 client_s)" = \
    "$(printf -- '-o nospace\nclient_secret_file=')" ] || fail "bash: client_s"
if [[ $shells == *fish ]]; then
	# shellcheck disable=SC2086
	shells=fish want "--output=siem" dead-letters $config --output=s
	shells=fish want "bearer_file=" setup --output x type=http bearer
fi
[ "$(by_bash verify some)" = "-o default" ] || fail "bash: no files"
if [[ $shells == *fish ]]; then
	[ "$(by_fish verify some.f)" = some.file ] || fail "fish: no files"
fi

command -v zsh >/dev/null || skip "zsh is not there (tests/run gets it)"
screen=$(by_zsh "")
for sub in $subs; do
	grep -Eq "^$sub +-- [A-Z]" <<<"$screen" || fail "zsh: no $sub: $screen"
done
# typed WANT WORDS…: one completion, which zsh puts into the line
typed() {
	local screen
	screen=$(by_zsh "${@:2}")
	[[ $screen == *"<<sealfeed $1 >>"* ]] || fail "zsh: ${*:2}: $screen"
}
typed "status" stat
typed "dead-letters retry" dead-letters ret
typed "verify --complete" verify --comp
typed "dead-letters $config --output siem" dead-letters "$config" --output s
typed "export $config --feed contoso/Audit.Exchange" \
    export "$config" --feed contoso/Audit.E
typed "verify some.file" verify some.f
