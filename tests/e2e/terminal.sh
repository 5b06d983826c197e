# terminal.sh - a program that asks on a terminal, and somebody who answers.
# Sourced by tests.
# shellcheck shell=bash

# dialogue COMMAND: on a terminal of its own; what it shows is in $work/shown.
dialogue() {
	rm -f "$work"/{keys,shown} && mkfifo "$work/keys"
	script -qefc "$1" "$work/shown" <"$work/keys" >/dev/null 2>&1 &
	talk=$!
	exec 7>"$work/keys"
	told=0
}

# asked PROMPT: since it was told something, it has come to this.
asked() {
	[[ $(tail -c +$((told + 1)) "$work/shown" 2>&1 | tail -n 1) == "$1"* ]]
}

# answer PROMPT TEXT
answer() {
	within 20 asked "$1" ||
	    fail "it does not ask \"$1\": $(cat "$work/shown")"
	told=$(stat -c %s "$work/shown")
	printf '%s\n' "$2" >&7
}

# shows REGEX
shows() {
	within 20 grep -Eq -- "$1" "$work/shown" ||
	    fail "no \"$1\": $(cat "$work/shown")"
}

# ends STATUS
ends() {
	local got
	wait "$talk"
	got=$?
	exec 7>&-
	[ "$got" -eq "$1" ] || fail "status $got: $(cat "$work/shown")"
}
