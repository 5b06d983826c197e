#!/bin/bash
# Every subcommand says with --json what it says, and what is wrong, as JSON
# on standard output: all that "sealfeed help" lists must be in the tables
# here.
. "${0%/*}/lib.sh"

# How each is called so that it succeeds; "-" for one that has no such way
# here.  @ stands for the story's folder.
works="
run           -
check         check
status        status
verify        verify --key @/vkey @/lake/events
export        export --output @/export
trace         trace fra1/agent:0
gaps          gaps
dead-letters  dead-letters list
replay        replay --output lake --from 1h
backfill      backfill --source contoso --from 1h --no-wait
reconcile     reconcile --from 1h
store         store check
setup         -
keygen        keygen @/other.pem --name fra1
sources       sources --describe okta
options       options agent
version       version
help          help check
"

# And so that it fails, with the exit status; those that only print have no
# other failure than their usage.
fails="
run           78 run --config @/none.yaml
check         78 check @/none.yaml
status        78 status --config @/none.yaml
verify        1  verify --key @/vkey @/none
export        1  export --feed none
trace         1  trace none
gaps          78 gaps --config @/none.yaml
dead-letters  1  dead-letters retry 4711
replay        1  replay --output none --from 1h
backfill      1  backfill --source none --from 1h
reconcile     1  reconcile --source none --from 1h
store         1  store restored
setup         64 setup --wait never
keygen        1  keygen @/other.pem --name fra1
sources       1  sources --describe none
options       64 options none
version       64 version more
help          64 help none
"

# row TABLE SUBCOMMAND: the words behind it
row() {
	awk -v name="$2" '$1 == name { $1 = ""; print substr($0, 2) }' <<<"$1"
}

# call STATUS WORD…: with --json; a value of JSON on standard output, which
# is in $work/out then.
call() {
	local want=$1 got sub=$2
	shift 2
	set -- "${@//@/$work}"
	case " $* " in
	*" --config "*) ;;
	*) set -- "$@" --config "$work/sealfeed.yaml" ;;
	esac
	"$sealfeed" "$sub" "$@" --json >"$work/out" 2>"$work/err"
	got=$?
	[ "$got" -eq "$want" ] ||
	    fail "$sub $*: status $got: $(cat "$work/out" "$work/err")"
	one_value "$work/out" || fail "$sub $*: no JSON: $(cat "$work/out")"
}

one_value() {
	perl -MJSON::PP -0777 -e '
		my $value = decode_json(<STDIN>);
		exit(ref $value ? 0 : 1)' <"$1"
}

# is_error STATUS: $work/out is the object of an error, all of it there.
is_error() {
	perl -MJSON::PP -0777 -e '
		my $o = decode_json(<STDIN>);
		for (qw(error command subject cause)) {
			length $o->{$_} or die "no $_\n";
		}
		$o->{exit_code} == $ARGV[0] or die "exit_code\n"' \
	    "$1" <"$work/out" || fail "no error of status $1: $(cat "$work/out")"
	[ ! -s "$work/err" ] || fail "and on standard error: $(cat "$work/err")"
}

perl -MJSON::PP -e 1 2>/dev/null || skip "perl has no JSON::PP"
sim --events 100
source_options[graph_url]=$api
source_options[reconcile]="{ every: 1h }"
to_file lake
agent
collected() {
	[ -s "$work/lake/events" ] && ask trace fra1/agent:0
}
wait_for 20 "the own feed of the agent arrives" collected
subs=$("$sealfeed" help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
[ "$(wc -l <<<"$subs")" -ge 13 ] || fail "few subcommands: $subs"
for sub in $subs; do
	line=$(row "$works" "$sub")
	[ -n "$line" ] || fail "$sub has no row in the table of what works"
	# shellcheck disable=SC2086 # words
	[ "$line" = - ] || call 0 $line
	line=$(row "$fails" "$sub")
	[ -n "$line" ] || fail "$sub has no row in the table of what fails"
	# shellcheck disable=SC2086 # words
	set -- $line
	call "$@"
	is_error "$1"
	call 64 "$sub" --nonsense
	is_error 64
	call 0 "$sub" --help
done
call 64 nonsense
is_error 64
agent_stop

say "what is not just one object"
"$sealfeed" >"$work/out" 2>"$work/err" --json
[ $? -eq 64 ] || fail "no subcommand: another status"
is_error 64
"$sealfeed" status --json=yes >"$work/out" 2>"$work/err"
[ $? -eq 64 ] || fail "a value of --json: another status"
is_error 64
ask export >"$work/export" 2>/dev/null || fail "export"
ask export --json >"$work/out" 2>"$work/err" || fail "$(cat "$work/err")"
cmp "$work/out" "$work/export" || fail "a report among the events"
one_value "$work/err" || fail "no report: $(cat "$work/err")"
call 0 store restored
grep -q '"new_trees": *[1-9]' "$work/out" || fail "$(cat "$work/out")"
echo "nonsense: 1" >"$work/bad.yaml"
call 78 gaps --config @/bad.yaml
is_error 78
grep -q '"line": 1' "$work/out" || fail "no line: $(cat "$work/out")"
call 0 help
codes=$(sed -n '/^\.SH EXIT STATUS/,/^\.SH SIGNALS/s/^\.B \([0-9]*\)$/\1/p' \
    "$build/sealfeed.8" | xargs)
[ "$codes" = "$(grep -o '"code": [0-9]*' "$work/out" | cut -d' ' -f2 | xargs)" ] ||
    fail "the manual has the exit statuses $codes"
