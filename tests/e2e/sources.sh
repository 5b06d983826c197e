#!/bin/bash
# `sealfeed sources`: what can be read is listed and described; a definition
# of one's own is written, tried against its vendor, judged and found.
. "${0%/*}/lib.sh"

perl -MJSON::PP -e 1 2>/dev/null || skip "perl has no JSON::PP"
api=https://localhost:1 # of the source that is replaced below
vendors=$work/vendors
own=$work/sources.d
mkdir -p "$vendors" "$own" "$work/tmp"
export TMPDIR=$work/tmp
cp "$top/tests/vectors/definition/x-number.yaml" "$own"
to_file lake
write_config
"$bin/vendor" "$vendors" 12 "$top"/tests/vectors/source/{x-number,okta}.yaml \
    >>"$vendors/log" 2>&1 &
vendor=$!
disown
wait_for 30 "the vendors listen" test -s "$vendors/sources.yaml"
{
	sed '/^sources:/,$d' "$work/sealfeed.yaml"
	cat "$vendors/sources.yaml"
	echo "outputs:"
	printf '%s' "$outputs"
} >"$work/new.yaml"
mv "$work/new.yaml" "$work/sealfeed.yaml"

# named TYPE: the source of that type
named() {
	sed -n "s/^  \"\($1[^\"]*\)\":\$/\1/p" "$work/sealfeed.yaml" | head -1
}

number=$(named x-number)
okta=$(named okta)
[ -n "$number" ] && [ -n "$okta" ] || fail "the vendors have no names"

# said STATUS WORD…: sources WORD…, its output in $work/out and $work/err
said() {
	local want=$1 got
	shift
	ask sources "$@" >"$work/out" 2>"$work/err"
	got=$?
	[ "$got" -eq "$want" ] ||
	    fail "sources $*: status $got: $(cat "$work/out" "$work/err")"
}

# has FILE REGEX…
has() {
	local file=$work/$1 regex
	shift
	for regex in "$@"; do
		grep -Eq -- "$regex" "$file" || fail "no \"$regex\": $(cat "$file")"
	done
}

# json PERL: true of $o, what was printed
json() {
	perl -MJSON::PP -0777 -e '
		my $o = decode_json(<STDIN>);
		exit(('"$1"') ? 0 : 1)' <"$work/out" ||
	    fail "not $1: $(cat "$work/out")"
}

say "the list has the program's own, those that ship, and one's own"
said 0
has out '^aws-s3 +- ' '^office365 +Audit.Exchange +7d +7d ' '^okta +system-log +none +90d ' \
    '^x-number +audit +2d +30d '
said 0 --json
json 'grep { $_->{type} eq "x-number" && $_->{vendor} eq "A shape" &&
    $_->{streams}[0]{lateness_seconds} == 172800 &&
    $_->{streams}[0]{retention_seconds} == 2592000 } @{$o->{sources}}'
said 0 --describe okta
has out 'Read-Only Administrator' 'okta.logs.read' '^Limits: ' \
    '^What cannot be seen:' 'system-log: events that are older than 90d' \
    '^  token \(secret\)'
said 0 --describe okta --json
json '@{$o->{setup}} == 3 && $o->{limits} =~ /requests a minute/ &&
    $o->{streams}[0]{permissions}[0] =~ /okta.logs.read/'
said 0 --describe office365
has out 'ActivityFeed.Read'
said 1 --describe okat
has err 'did you mean "okta"'

say "a dry run tells each step, and shows the vendor's events"
made() {
	[ "$(cat "$vendors/made" 2>/dev/null || echo 0)" -ge 12 ]
}
wait_for 60 "the vendors have their events" made
said 0 --test "$own/x-number.yaml" --events 12
has out "^$number/audit\$" \
    '^  request  GET http.*/audit\?from=.*&to=.*&page=1$' \
    '^  reply    status 200, application/json, [0-9]+ bytes: ok$' \
    '^  request  GET http.*&page=2$' '^  cursor   \{' \
    '^  event    time [0-9T:.Z-]+, id k \+ ' '^  good     [0-9]+ events? in '
sed -n '/^  event /{n;s/^ *//p}' "$work/out" | sort >"$work/shown"
[ -s "$work/shown" ] || fail "no events: $(cat "$work/out")"
wait_for 30 "the ledgers are there" test -s "$vendors/$number.ledger"
[ -z "$(comm -23 "$work/shown" <(sort "$vendors/$number.ledger"))" ] ||
    fail "other events than the vendor's"
grep -q t0ken "$work/out" && fail "the token is shown"
said 0 --test "$own/x-number.yaml" --events 3 --json
json '$o->{ok} && @{$o->{streams}[0]{events}} == 3 &&
    $o->{streams}[0]{events}[0]{event}{key}{a} eq "k" &&
    $o->{streams}[0]{steps}[-1]{step} eq "cursor" &&
    grep { $_->{step} eq "stop" } @{$o->{streams}[0]{steps}}'
said 0 --test "$top/agent/sources/definitions/okta.yaml" --source "$okta"
has out "^$okta/system-log\$" '^  event    time '

say "without a configuration, and where something is wrong"
url=$(sed -n '/x-number/,$s/^ *api: "\(.*\)"/\1/p' "$vendors/sources.yaml" | head -1)
echo t0ken >"$work/token"
none=(--config "$work/none.yaml")
said 0 --test "$own/x-number.yaml" token_file="$work/token" hosts.api="$url" \
    "${none[@]}"
has out '^x-number/audit$' '^  event '
said 1 --test "$own/x-number.yaml" "${none[@]}"
has err 'no source of type x-number'
said 78 --test "$own/x-number.yaml" hosts.api="$url" "${none[@]}"
has err 'sources.x-number: "token" is missing'
said 1 --test "$own/x-number.yaml" token=t0ken "${none[@]}"
has err 'token_file=FILE'
said 64 --test "$own/x-number.yaml" --stream none
said 64 --describe okta --new x.yaml
said 64 token=x
said 1 --test "$own/x-number.yaml" token_file="$work/token" \
    hosts.api=http://127.0.0.1:1 "${none[@]}"
has out '^  trouble  retry: ' '^  failed   x-number/audit: .*connect'
[ -z "$(ls "$work/tmp")" ] || fail "left over: $(ls "$work/tmp")"
[ ! -e "$store" ] || fail "the agent's store was made"

say "a definition of one's own, from its frame to its place"
said 0 --new "$work/acme.yaml"
said 1 --new "$work/acme.yaml"
said 64 --new "$work/acme.txt"
cp "$work/acme.yaml" "$own"
ask check >"$work/out" 2>&1 || fail "the frame: $(cat "$work/out")"
said 0 --describe acme
has out '^  audit: '
said 0 --new "$work/other.yaml" --json
json '$o->{type} eq "other"'
"$sealfeed" help --complete -- sources --config "$work/sealfeed.yaml" \
    --describe "" >"$work/out"
has out '^acme	' '^okta	' '^office365	'
"$sealfeed" options acme --config "$work/sealfeed.yaml" >"$work/out" ||
    fail "options acme"
has out '^  token$'
sed 's/retention: 30d/retention: soon/' "$work/acme.yaml" >"$own/acme.yaml"
ask check >"$work/out" 2>&1 && fail "a broken definition passes"
has out "sources.d/acme.yaml:[0-9]+: .*retention"
ask check --json >"$work/out" 2>&1
json '!$o->{ok} && $o->{exit_code} == 78 &&
    $o->{faults}[0]{file} =~ m,sources.d/acme.yaml$, &&
    $o->{faults}[0]{line} > 1'
said 78
has out '^okta '
has err 'sources.d/acme.yaml:[0-9]+: '
said 78 --describe acme
said 78 --test "$own/acme.yaml"
cp "$own/acme.yaml" "$work/broken.yaml" # which is to be replaced
ask check --as sources.d/acme.yaml "$work/acme.yaml" >"$work/out" 2>&1 ||
    fail "--as: $(cat "$work/out")"
ask check --as sources.d/acme.yaml "$work/broken.yaml" >"$work/out" 2>&1 &&
    fail "--as passes what is broken"
has out "^$own/acme.yaml:[0-9]+: .*retention"
cp "$work/acme.yaml" "$own/office365.yaml"
ask check >"$work/out" 2>&1 && fail "a definition that is never used passes"
has out 'office365.yaml: is never used'
kill "$vendor"
wait_for 10 "the vendors end" gone "$vendor"
